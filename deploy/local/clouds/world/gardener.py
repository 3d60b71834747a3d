"""With which hands is an estate planted? Calls of a provider's own creates, in the past and at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.provider import Call, HttpRequest
from deploy.local.clouds.world.things import MACHINE, Thing, Things

_FLEETING = frozenset({"operation", "action"})


class _Beds(Things):
    """The things as planting sees them: its machines are not counted, and nobody will ask how their creates went.

    Counting them against a quota with each create would take minutes for 10,000.
    """

    def __init__(self, things: Things) -> None:
        self._ground = things
        self.__dict__ |= things.__dict__

    def put(self, thing: Thing) -> Thing:
        if thing.kind in _FLEETING:
            return thing
        kept = self._ground.put(thing)
        self.last_number = self._ground.last_number
        return kept

    def of(self, provider: str, account: str, kind: str, region: str | None = None) -> list[Thing]:
        return [] if kind == MACHINE else super().of(provider, account, kind, region)


class Gardener:
    """Makes things for one account as its own client would, in the past and at once."""

    def __init__(self, things: Things, account: Account) -> None:
        self._things = _Beds(things)
        self._account = account

    @property
    def account_id(self) -> str:
        return self._account.account_id

    def call(
        self, document: Mapping[str, Any], path: Mapping[str, str], region: str, now_s: float, where: str = "/"
    ) -> Call:
        """A call with this body and these parameters of its path; what it begins is done when it is asked for."""
        body = json.dumps(document).encode()
        request = HttpRequest("POST", where, {}, {}, body, "http://127.0.0.1")
        return Call(request, self._account, region, path, self._things, now_s, 0.0)
