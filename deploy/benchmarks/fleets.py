"""Two hundred resources over six clouds by one request: all placed, and after a failure what the policy says?"""

import secrets
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from deploy.benchmarks.deployment import Deployment, running
from deploy.benchmarks.measurements import Row, wait_until
from deploy.holdings import Held, held_at, is_named, made_twice

COUNT = 200
PLANTED = COUNT // 2
WAIT_S = 600
ATTEMPTS = 10
REGIONS = {"azure": "eastus", "digitalocean": "nyc3", "gcp": "us-central1", "linode": "us-east", "vultr": "ewr"}
UNKNOWN_SIZE = {"instance_type": "z99.mega"}
"""Of AWS's form, so that nobody but AWS can say that there is no such size."""


def measure() -> list[Row]:
    """One round: all that can be had; then with a planted failure all or nothing, and best effort."""
    with tempfile.TemporaryDirectory() as home, running(Path(home), without=("load",)) as deployment:
        orders = _orders(deployment)
        placed = _Round(deployment, "all", orders, "all_or_nothing")
        nothing = _Round(deployment, "nothing", _planted(orders), "all_or_nothing")
        rest = _Round(deployment, "rest", _planted(orders), "best_effort")
        findings = [
            *placed.findings("succeeded", placed=COUNT),
            *nothing.findings("failed", failed=1, removed=COUNT - 1),
            *rest.findings("succeeded", placed=COUNT - 1, failed=1),
            *_made_twice(deployment),
        ]
        kinds = Counter(order["resource_subtype"] for order in orders)
        measured = (
            f"{placed.result['placed']} placed in {placed.took_s:.0f} s; all or nothing: {len(nothing.tokens)} left; "
            f"best effort: {len(rest.tokens)} left"
        )
        notes = [
            f"accepted in {placed.accepted_s * 1000:.0f} ms; taken back after {nothing.took_s:.0f} s",
            ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
            *(findings or ["the clouds' own lists agree, nothing was made twice"]),
        ]
        goal = "all placed; a planted failure leaves exactly the stated result"
        return [Row(f"bulk of {COUNT} over six clouds", goal, measured, not findings, "; ".join(notes))]


class _Round:
    """One fleet from its order to its end, and what the clouds' own lists have more afterwards."""

    def __init__(self, deployment: Deployment, name: str, orders: list[dict[str, Any]], policy: str) -> None:
        items = [{**order, "resource_name": f"{name}-{number}"} for number, order in enumerate(orders)]
        before = {each.token for each in _held(deployment)}
        began_s = time.monotonic()
        accepted = _post(deployment, "/api/cloud/resources/bulk-provision", {"items": items, "policy": policy})
        self.accepted_s = time.monotonic() - began_s
        self.name = name
        self.operation = _ended(deployment, accepted["operation"]["id"])
        self.took_s = time.monotonic() - began_s
        self.result: dict[str, Any] = self.operation["result"]
        self.new = [each for each in _held(deployment) if each.token not in before]
        self.tokens = {each.token for each in self.new}

    def findings(self, status: str, **counts: int) -> list[str]:
        """What is otherwise than it has to be."""
        wrong = [] if self.operation["status"] == status else [f"{self.name} {self.operation['status']}"]
        wrong += [
            f"{self.name}: {self.result[each]} {each}, not {counts.get(each, 0)}"
            for each in ("placed", "failed", "removed", "not_removed")
            if self.result[each] != counts.get(each, 0)
        ]
        known = [item["resource_id"] for item in self.result["items"] if item["status"] == "placed"]
        wrong += [f"{self.name}: {each} is not there" for each in known if not is_named(each, self.new)]
        if len(self.tokens) != len(known):
            wrong.append(f"{self.name}: {len(self.tokens)} tokens at the clouds for {len(known)} placed")
        if not known:
            wrong += [f"{self.name}: {each.kind} {each.id} is left" for each in self.new]
        return wrong


def _orders(deployment: Deployment) -> list[dict[str, Any]]:
    """Every kind that needs no configuration, of each provider in turn; a CDN stands before something else."""
    providers = [_only(deployment), *(_add(deployment, name) for name in REGIONS)]
    turns = [_kinds(deployment, provider) for provider in providers]
    orders = []
    for number in range(COUNT):
        kinds = turns[number % len(turns)]
        orders.append(kinds[number // len(turns) % len(kinds)])
    return orders


def _kinds(deployment: Deployment, provider: dict[str, Any]) -> list[dict[str, Any]]:
    services = deployment.http.get(f"/api/cloud/providers/{provider['id']}/services").raise_for_status().json()
    return [
        {
            "provider_id": provider["id"],
            "region": "global" if each["is_global"] else provider["regions"][0],
            "resource_type": each["resource_type"],
            "resource_subtype": each["resource_subtype"],
        }
        for each in services["items"]
        if not each["configuration_schema"].get("required") and each["resource_type"] != "cdn"
    ]


def _planted(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same, and about in the middle a machine of AWS that cannot be had."""
    where = next(i for i in range(PLANTED, COUNT) if orders[i]["resource_subtype"] == "ec2_instance")
    return [*orders[:where], {**orders[where], "configuration": UNKNOWN_SIZE}, *orders[where + 1 :]]


def _only(deployment: Deployment) -> dict[str, Any]:
    found: dict[str, Any] = deployment.http.get(f"/api/cloud/providers/{deployment.provider_id}").json()
    return found


def _add(deployment: Deployment, name: str) -> dict[str, Any]:
    account = next(each for each in deployment.stack.other_accounts if each.provider == name and each.may_be_used)
    body = {"provider_name": name, "display_name": name, "regions": [REGIONS[name]],
            "credentials_config": dict(account.credentials)}  # fmt: skip
    return _post(deployment, "/api/cloud/providers", body)


def _post(deployment: Deployment, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """As the contract tells clients to: with the same key again while an owner is away or slow."""
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    for _ in range(ATTEMPTS):
        answer = deployment.http.post(path, json=body, headers=headers)
        if answer.status_code not in {409, 503, 504}:
            break
        time.sleep(1)
    if not answer.is_success:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text}")
    done: dict[str, Any] = answer.json()
    return done


def _ended(deployment: Deployment, operation: str) -> dict[str, Any]:
    state: dict[str, Any] = {}

    def ended() -> bool:
        state.update(deployment.http.get(f"/api/operations/{operation}").raise_for_status().json())
        return state["status"] in {"succeeded", "failed"}

    wait_until(ended, WAIT_S, 0.25)
    return state


def _held(deployment: Deployment) -> list[Held]:
    urls = deployment.stack.cloud_urls
    return held_at({name: urls[name] for name in ("aws", *REGIONS)})


def _made_twice(deployment: Deployment) -> list[str]:
    return [f"{each.kind} {each.token} was made {count} times" for each, count in made_twice(_held(deployment))]
