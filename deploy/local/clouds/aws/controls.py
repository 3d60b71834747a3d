"""What can a test or a demonstration ask of the simulator itself? Everything below `/_sim`, in JSON."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from deploy.local.clouds.aws.accounts import Account
from deploy.local.clouds.aws.calls import Request
from deploy.local.clouds.aws.cloud import Cloud
from deploy.local.clouds.aws.errors import Answer
from deploy.local.clouds.aws.inventory import (
    describe_machines,
    describe_seeded,
    describe_seeded_volumes,
    describe_snapshots,
    describe_volumes,
)
from deploy.local.clouds.estate import planned, read_order
from deploy.local.clouds.faults import Faults
from deploy.local.clouds.issuers import Issuers

LEDGER_LIMIT = 100_000


def json_answer(status: int, document: Any) -> Answer:
    return Answer(status, [("Content-Type", "application/json")], json.dumps(document).encode())


def _document(request: Request) -> dict[str, Any]:
    document = json.loads(request.body or b"{}")
    if not isinstance(document, dict):
        raise TypeError("the body must be a JSON object")
    return document


class Controls:
    """`/_sim/ledger|instances|volumes|snapshots|assets|calls|fault|advance|issuers|seed|cases` and `/healthz`."""

    def __init__(self, cloud: Cloud, faults: Faults, accounts: list[Account], issuers: Issuers) -> None:
        self._cloud = cloud
        self._accounts = accounts
        self._faults = faults
        self._routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "/healthz"): lambda _: {"status": "ok"},
            ("GET", "/_sim/ledger"): self._ledger,
            ("GET", "/_sim/instances"): self._instances,
            ("GET", "/_sim/volumes"): self._volumes,
            ("GET", "/_sim/snapshots"): lambda _: {"snapshots": cloud.inspect(describe_snapshots)},
            ("GET", "/_sim/assets"): lambda _: {"assets": cloud.assets()},
            ("GET", "/_sim/calls"): self._calls,
            ("GET", "/_sim/fault"): lambda _: {"faults": faults.listed()},
            ("POST", "/_sim/fault"): lambda request: {"fault": asdict(faults.add(_document(request)))},
            ("DELETE", "/_sim/fault"): lambda _: {"cleared": faults.clear()},
            ("POST", "/_sim/advance"): self._advance,
            ("POST", "/_sim/issuers"): lambda request: issuers.add(_document(request)),
            ("POST", "/_sim/seed"): self._seed,
            ("GET", "/_sim/cases"): lambda _: {"cases": cloud.cases.listed()},
            ("POST", "/_sim/cases"): self._case,
        }

    @staticmethod
    def concerns(path: str) -> bool:
        """Whether this path is the simulator's own; an S3 bucket cannot be called `_sim` (no underscores allowed)."""
        return path == "/healthz" or path.startswith("/_sim/")

    def answer(self, request: Request) -> Answer:
        """200 with a JSON document, 404 for an unknown route, 422 with the reason for bad input."""
        route = self._routes.get((request.method, request.path))
        if route is None:
            return json_answer(404, {"error": f"no {request.method} {request.path} here"})
        try:
            return json_answer(200, route(request))
        except (ValueError, TypeError) as error:
            return json_answer(422, {"error": str(error)})

    def _instances(self, _: Request) -> Any:
        rows = self._cloud.inspect(describe_machines)
        return {"instances": rows + [describe_seeded(machine) for machine in self._cloud.seeded()]}

    def _volumes(self, _: Request) -> Any:
        rows = self._cloud.inspect(describe_volumes)
        return {"volumes": rows + [row for each in self._cloud.seeded() for row in describe_seeded_volumes(each)]}

    def _seed(self, request: Request) -> Any:
        """AWS's part of an estate over six clouds."""
        order = read_order(_document(request))
        account = next((each for each in self._accounts if order.account in {"", each.account_id}), None)
        if account is None:
            raise ValueError(f"there is no account {order.account}")
        count = order.count_at("aws")
        return {
            "planted": {"aws": self._cloud.plant(account.account_id, order.seed, planned(order.seed, "aws", count))}
        }

    def _case(self, request: Request) -> Any:
        self._cloud.cases.set(_document(request), self._cloud.clock.now_s())
        return {"cases": self._cloud.cases.listed()}

    def _ledger(self, request: Request) -> Any:
        since = int(parse_qs(request.query).get("since", ["0"])[0])
        return {"entries": self._cloud.ledger(since, LEDGER_LIMIT)}

    def _calls(self, _: Request) -> Any:
        counted = self._cloud.calls()
        rows = [
            {"account": account, "region": region, "service": service, "action": action, "count": count}
            for (account, region, service, action), count in counted
        ]
        return {"calls": rows, "total": sum(count for (*_, action), count in counted if ":" not in action)}

    def _advance(self, request: Request) -> Any:
        seconds = _document(request).get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise TypeError("seconds must be a number")
        return {"now_s": self._cloud.advance(float(seconds))}
