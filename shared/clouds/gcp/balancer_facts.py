"""What do we say to what is behind an application load balancer, and what does that say of it?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.clouds.assets import Asset, AssetLink
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project, last_part
from shared.clouds.gcp.assets import Json
from shared.clouds.gcp.endpoint_groups import Members
from shared.clouds.gcp.front_ends import Chain, domains_of, shown

CHECKS = "healthChecks"
_ANSWER_LIMIT_S = 5
"""How long a machine may take to answer a check, or the checks' interval where that is less: Google's own default."""
_RATE_OF_MACHINE = 100.0
"""Requests a second of a machine, which an endpoint group must state: no limit, but from where on machines of another
region, which are farther away, are given work, too ("Backend services overview", target capacity).
"""
_PORT = "target_port"


def check_of(given: Json) -> dict[str, Any]:
    """The body of a health check, without its name."""
    asked: dict[str, Any] = {"portSpecification": "USE_SERVING_PORT", "requestPath": given["path"]}
    if given["port"] is not None:
        asked |= {"portSpecification": "USE_FIXED_PORT", "port": given["port"]}
    return {
        "type": "HTTP",
        "httpHealthCheck": asked,
        "checkIntervalSec": given["interval_s"],
        "timeoutSec": min(_ANSWER_LIMIT_S, given["interval_s"]),
    }


def service_of(given: Json, groups: Sequence[str], url: Callable[[str], str]) -> dict[str, Any]:
    """What of a backend service may change. `groups`: paths. Its description keeps the port, which is said of machines
    only, and there may be none.
    """
    rate = {"balancingMode": "RATE", "maxRatePerEndpoint": _RATE_OF_MACHINE}
    text = gcp_tags.to_description({}, operation="backendServices.insert", **{_PORT: str(given[_PORT])})
    return {
        "backends": [{"group": url(each), **rate} for each in groups],
        "sessionAffinity": given["session_affinity"],
        "description": text,
    }


def says(now: Json, wanted: Json) -> bool:
    """Whether a thing says already what it is to say; Google adds more, and writes addresses in full."""
    if "backends" in wanted:
        groups = [sorted(from_project(each["group"]) for each in found.get("backends", [])) for found in (now, wanted)]
        if groups[0] != groups[1]:
            return False
    plain = {name: value for name, value in wanted.items() if name != "backends"}
    return all(
        says(now.get(name) or {}, value) if isinstance(value, dict) else now.get(name) == value
        for name, value in plain.items()
    )


def asset_of(chain: Chain, check: Json | None, members: Members, identifier: str) -> Asset:
    backend = chain.backend
    configuration: dict[str, Any] = {
        "domains": domains_of(chain),
        "machines": members.machines,
        "session_affinity": backend.get("sessionAffinity", "NONE"),
    }
    port = members.ports[0] if len(members.ports) == 1 else _kept_port(backend)
    if port is not None:
        configuration[_PORT] = port
    asked = (check or {}).get("httpHealthCheck")
    if check is not None and asked is not None:
        configuration["health_check"] = {
            "port": asked.get("port") if asked.get("portSpecification") != "USE_SERVING_PORT" else None,
            "path": asked.get("requestPath", "/"),
            "interval_s": check.get("checkIntervalSec"),
        }
    facts = {"groups": groups_of(backend), "target_protocol": backend.get("protocol")}
    return shown(chain, identifier, configuration, facts, _links(members.machines))


def groups_of(backend: Json) -> list[str]:
    return sorted(from_project(each["group"]) for each in backend.get("backends", []) if each.get("group"))


def check_name(backend: Json) -> str | None:
    checks = backend.get(CHECKS) or []
    return last_part(checks[0]) if checks else None


def _links(machines: Sequence[str]) -> tuple[AssetLink, ...]:
    """It serves on with one machine less, as long as there is another. They stand in a network, it does not."""
    return tuple(AssetLink("target", f"machine:{each}", hard=len(machines) == 1) for each in machines)


def _kept_port(backend: Json) -> int | None:
    text = gcp_tags.fact_of(backend.get("description", ""), _PORT) or ""
    return int(text) if text.isdecimal() else None
