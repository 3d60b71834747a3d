"""How does a benchmark's organization come to accounts at six clouds, with an estate in each?"""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from deploy.benchmarks.deployment import Deployment
from deploy.benchmarks.measurements import wait_until
from deploy.local.clouds.aws import seeded
from deploy.local.clouds.azure import estate as azure
from deploy.local.clouds.digitalocean import estate as digitalocean
from deploy.local.clouds.gcp import estate as gcp
from deploy.local.clouds.linode import estate as linode
from deploy.local.clouds.vultr import estate as vultr

REGIONS: Mapping[str, tuple[str, ...]] = {
    "aws": seeded.REGIONS, "azure": azure.REGIONS, "gcp": gcp.REGIONS, "digitalocean": digitalocean.REGIONS,
    "linode": linode.REGIONS, "vultr": vultr.REGIONS,
}  # fmt: skip
"""Where an estate's machines are, by provider."""
SEED = 2026
_TRIES = 10


def plant(deployment: Deployment, machines: int, *, provider: str = "") -> int:
    """Plant an estate of this many machines over six clouds, or all at one; how many that makes."""
    order = {"seed": SEED, "machines": machines, **({"provider": provider} if provider else {})}
    urls = deployment.stack.cloud_urls
    # The first account at AWS is the demonstration's provider already; one process has the other five.
    parts = {urls["aws"]: {**order, "account": deployment.stack.accounts[1].account_id}, urls["azure"]: order}
    return sum(sum(ask(f"{url}/_sim/seed", body)["planted"].values()) for url, body in parts.items())


def credentials(deployment: Deployment, provider: str) -> dict[str, str]:
    """Those of the account that has the estate."""
    if provider == "aws":
        second = deployment.stack.accounts[1]
        return {"access_key_id": second.access_key_id, "secret_access_key": second.secret_access_key}
    accounts = deployment.stack.other_accounts
    return dict(next(each.credentials for each in accounts if each.provider == provider and each.may_be_used))


def add_provider(deployment: Deployment, provider: str) -> str:
    """Its id."""
    body = {
        "provider_name": provider, "display_name": f"{provider} (estate)", "regions": list(REGIONS[provider]),
        "credentials_config": credentials(deployment, provider),
    }  # fmt: skip
    key = {"Idempotency-Key": secrets.token_hex(16)}
    for _ in range(_TRIES):  # the first call of an SDK imports it, which a busy machine takes longer for than we wait
        answer = deployment.http.post("/api/cloud/providers", json=body, headers=key)
        if answer.status_code not in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}:
            break
    return str(answer.raise_for_status().json()["id"])


def begin_sync(deployment: Deployment, provider_id: str) -> str:
    """The operation's id."""
    answer = deployment.http.post(f"/api/cloud/providers/{provider_id}/sync").raise_for_status()
    return str(answer.json()["operation"]["id"])


def ended(deployment: Deployment, operation_id: str, timeout_s: float = 300) -> dict[str, Any]:
    """The operation's result. Raises RuntimeError when it failed or left a scope unread."""
    found: dict[str, Any] = {}

    def is_done() -> bool:
        found.update(deployment.http.get(f"/api/operations/{operation_id}").raise_for_status().json())
        return found["status"] in {"succeeded", "failed", "cancelled"}

    wait_until(is_done, timeout_s, 0.1)
    if found["status"] != "succeeded" or found["result"]["unknown"]:
        raise RuntimeError(f"the sync ended as {found['status']}: {found['error'] or found['result']}")
    result: dict[str, Any] = found["result"]
    return result


def ask(url: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """What one of a simulator's controls answers."""
    request = urllib.request.Request(url, json.dumps(document).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=300) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
