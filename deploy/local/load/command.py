"""How does a person push a resource of the running demonstration to a load? `make load RESOURCE=<id> CPU=97`."""

import json
import os
import shlex
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT_S = 10
NEEDED = ("CANOPY_URL", "CANOPY_TOKEN", "CANOPY_LOAD_URL")


def read_demonstration() -> dict[str, str]:
    """The addresses and the token of `demo.env`; variables that are set win. Raises LookupError when one is missing."""
    file = Path(os.environ.get("CANOPY_HOME", ".canopy")) / "demo.env"
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.removeprefix("export ").partition("=") for line in lines if "=" in line)
    known = {name.strip(): "".join(shlex.split(value)) for name, _, value in pairs} | os.environ
    missing = [name for name in NEEDED if not known.get(name)]
    if missing:
        raise LookupError(f"{', '.join(missing)} not in {file}; is `make up` running?")
    return {name: value for name, value in known.items() if name.startswith("CANOPY_")}


def _ask(method: str, url: str, headers: Mapping[str, str], document: Any = None) -> Any:
    body = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise LookupError(f"{method} {url}: {error.code} {error.read().decode(errors='replace')}") from error
    except OSError as error:
        raise LookupError(f"{method} {url}: {error}") from error


def _load_address(known: Mapping[str, str], provider_name: str) -> str:
    """AWS's machines are measured by a feeder beside the simulated cloud, those of the others by the cloud itself."""
    if provider_name == "aws":
        return f"{known['CANOPY_LOAD_URL']}/load"
    return f"{known[f'CANOPY_{provider_name.upper()}_SIMULATOR_URL']}/_sim/load"


def push_resource(resource_id: str, values: Mapping[str, float], for_s: float | None) -> str:
    """Pushes a Canopy resource, found over the REST API; returns its machine's id. Raises LookupError."""
    known = read_demonstration()
    url = f"{known['CANOPY_URL']}/api/cloud/resources/{resource_id}"
    resource = _ask("GET", url, {"X-API-Key": known["CANOPY_TOKEN"]})
    instance_id = resource.get("resource_id")
    if not instance_id:
        raise LookupError(f"resource {resource_id} has no machine yet (status {resource.get('status')})")
    document = {"instance_id": instance_id, **values, "for_s": for_s}
    _ask("POST", _load_address(known, resource["provider_name"]), {}, document)
    return str(instance_id)
