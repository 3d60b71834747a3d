"""What can a test or a demonstration ask of the simulator itself? Everything below `/_sim`, in JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from deploy.local.clouds.estate import read_order
from deploy.local.clouds.world import things
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.planting import plant
from deploy.local.clouds.world.provider import Answer, HttpRequest, Provider, Refusal
from deploy.local.clouds.world.world import World
from deploy.local.load.pushes import read_push

LEDGER_LIMIT = 100_000
MACHINE, VOLUME, SNAPSHOT, IMAGE, GROUP = things.MACHINE, things.VOLUME, things.SNAPSHOT, things.IMAGE, things.GROUP
_OWN_LISTS = (MACHINE, VOLUME, SNAPSHOT, IMAGE)


class Controls:
    """`/healthz` and `/_sim/ledger|instances|volumes|snapshots|assets|calls|accounts|fault|advance|issuers|trust|seed`,
    `/_sim/cases` and `/_sim/load`.

    Lists are those of the provider on whose port they are asked for; faults, time, ledger and calls are everybody's,
    and a fault names its provider by `match: {"service": "azure"}`.
    """

    def __init__(self, world: World, providers: Mapping[str, Provider], accounts: list[Account]) -> None:
        self._world = world
        self._providers = providers
        self._accounts = accounts
        self._routes: dict[tuple[str, str], Callable[[str, HttpRequest], Any]] = {
            ("GET", "/healthz"): lambda _, __: {"status": "ok"},
            ("GET", "/_sim/ledger"): self._ledger,
            ("GET", "/_sim/instances"): lambda name, _: {"instances": self._described(name, MACHINE)},
            ("GET", "/_sim/volumes"): lambda name, _: {"volumes": self._described(name, VOLUME)},
            ("GET", "/_sim/snapshots"): lambda name, _: {"snapshots": self._described(name, SNAPSHOT)},
            ("GET", "/_sim/assets"): lambda name, _: {"assets": self._assets(name)},
            ("GET", "/_sim/calls"): lambda _, __: {"calls": world.calls()},
            ("GET", "/_sim/accounts"): self._own_accounts,
            ("GET", "/_sim/fault"): lambda _, __: {"faults": world.faults.listed()},
            ("POST", "/_sim/fault"): lambda _, request: {"fault": asdict(world.faults.add(request.document()))},
            ("DELETE", "/_sim/fault"): lambda _, __: {"cleared": world.faults.clear()},
            ("POST", "/_sim/advance"): self._advance,
            ("POST", "/_sim/issuers"): lambda name, request: providers[name].issuers.add(request.document()),
            ("POST", "/_sim/trust"): self._trust,
            ("POST", "/_sim/seed"): self._seed,
            ("GET", "/_sim/cases"): lambda _, __: {"cases": world.cases.listed()},
            ("POST", "/_sim/cases"): self._case,
            ("GET", "/_sim/load"): lambda _, __: {"pushed": world.pushes.listed(world.clock.now_s())},
            ("POST", "/_sim/load"): self._load,
            ("DELETE", "/_sim/load"): lambda _, request: {"taken_back": world.pushes.take_back(_machine_of(request))},
        }

    @staticmethod
    def concerns(path: str) -> bool:
        """Whether this path is the simulator's own: no provider serves one like it."""
        return path == "/healthz" or path.startswith("/_sim/")

    def answer(self, provider: str, request: HttpRequest) -> Answer:
        """200 with a JSON document, 404 for an unknown route, 422 with the reason for bad input."""
        route = self._routes.get((request.method, request.path))
        if route is None:
            return Answer(404, {"error": f"no {request.method} {request.path} here"})
        try:
            return Answer(200, route(provider, request))
        except (ValueError, TypeError, OverflowError) as error:
            return Answer(422, {"error": str(error)})
        except Refusal as refusal:
            return Answer(422, {"error": refusal.message})

    def _described(self, name: str, kind: str) -> list[dict[str, Any]]:
        provider = self._providers[name]
        return [provider.describe(thing) for thing in self._world.things.everything(name, kind)]

    def _assets(self, name: str) -> list[dict[str, Any]]:
        """Whatever carries a token and is none of the kinds with lists of their own; `kind` is the provider's word."""
        kinds = [each for each in self._world.things.kinds(name) if each not in _OWN_LISTS]
        found = [{**each, "kind": kind} for kind in kinds for each in self._described(name, kind)]
        return [each for each in found if each["token"]]

    def _ledger(self, _: str, request: HttpRequest) -> Any:
        return {"entries": self._world.ledger(int(request.query.get("since", "0")), LEDGER_LIMIT)}

    def _own_accounts(self, name: str, _: HttpRequest) -> Any:
        return {"accounts": [asdict(account) for account in self._accounts if account.provider == name]}

    def _advance(self, _: str, request: HttpRequest) -> Any:
        seconds = request.document().get("seconds")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise TypeError("seconds must be a number")
        return {"now_s": self._world.advance(float(seconds))}

    def _trust(self, name: str, request: HttpRequest) -> Any:
        self._providers[name].trusted.append(request.document())
        return {"trusted": len(self._providers[name].trusted)}

    def _seed(self, _: str, request: HttpRequest) -> Any:
        """The part of an estate over six clouds that is in this process."""
        return {"planted": plant(self._world, self._providers, self._accounts, read_order(request.document()))}

    def _case(self, _: str, request: HttpRequest) -> Any:
        self._world.cases.set(request.document(), self._world.clock.now_s())
        return {"cases": self._world.cases.listed()}

    def _load(self, _: str, request: HttpRequest) -> Any:
        machine, push = read_push(request.document(), self._world.clock.now_s())
        self._world.pushes.put(machine, push)
        return {"instance_id": machine, **asdict(push)}


def _machine_of(request: HttpRequest) -> str:
    return request.query.get("instance_id", "")
