"""What do all kinds of assets share at Google Cloud: a name made of the token, REST, operations that are waited for?"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from shared.clouds.assets import Asset, Assets
from shared.clouds.errors import CloudError, Conflict, NotFound, StillWorking
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.errors import PROVIDER, from_operation

_POLL_FIRST_S = 0.1
_POLL_MAX_S = 2.0
_OPERATIONS: Mapping[str, str] = {"zones": "zoneOperations", "regions": "regionOperations"}

Json = Mapping[str, Any]


class GcpAssets(Assets):
    """The things of one kind. What is made has a name of its token, so that a repeated create finds it taken by itself;
    the token is among its tags, so that what only has that name by chance is told apart.
    """

    is_global = False

    def __init__(self, client: GcpClient, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic_s = monotonic_s

    @abstractmethod
    async def look(self, region: str, name: str) -> Asset:
        """The thing of this name. `NotFound`."""

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        gcp_tags.check_token(token, operation="find_by_token")
        return await self.known(region, gcp_tags.name_of(token), token)

    async def known(self, region: str, name: str, token: str) -> Asset | None:
        """The thing of this name if it carries the token."""
        try:
            found = await self.look(region, name)
        except NotFound:
            return None
        return found if found.token == token else None

    async def made(self, region: str, name: str, token: str, operation: str) -> Asset:
        """What a create made, or another of the same token before it. `Conflict` when it is somebody else's."""
        found = await self.look(region, name)
        if found.token != token:
            raise Conflict(
                "alreadyExists", f"{name} is taken by something else", provider=PROVIDER, operation=operation
            )
        return found

    async def compute(
        self, operation: str, http_method: str, path: str, region: str, *, body: Json | None = None, **parameters: Any
    ) -> dict[str, Any]:
        """A call of Compute Engine, `path` from the project on."""
        return await self._client.rest(
            "compute", operation, http_method, f"/projects/{self._client.project}/{path}", region, body=body,
            **parameters,
        )  # fmt: skip

    async def compute_done(
        self, operation: str, http_method: str, path: str, region: str, *, body: Json | None = None
    ) -> None:
        """A change of Compute Engine that the next one stands on. `StillWorking` when it takes long."""
        change = await self.compute(operation, http_method, path, region, body=body)
        place = "/".join(str(change.get("zone") or change.get("region") or "global").split("/")[-2:])
        await self.settled(change, operation, lambda: self._operation(place, change["name"], region))

    async def settled(self, change: Json, operation: str, again: Callable[[], Any]) -> None:
        """Wait for an operation; raises the error that it ended with, `StillWorking` when it takes long."""
        limit_s, pause_s = self._monotonic_s() + self._client.operation_wait_s, _POLL_FIRST_S
        while change.get("status") != "DONE":
            if self._monotonic_s() + pause_s > limit_s:
                raise StillWorking("operationInProgress", "It takes long", provider=PROVIDER, operation=operation)
            await asyncio.sleep(pause_s)
            pause_s = min(_POLL_MAX_S, pause_s * 2)
            change = await again()
        errors = [(str(each["code"]), str(each.get("message", ""))) for each in errors_of(change)]
        if errors:
            raise from_operation(errors, operation=operation)

    async def _operation(self, place: str, name: str, region: str) -> Json:
        kind = _OPERATIONS.get(place.partition("/")[0], "globalOperations")
        return await self.compute(f"{kind}.get", "GET", f"{place}/operations/{name}", region)


def errors_of(change: Json) -> list[Json]:
    return list((change.get("error") or {}).get("errors") or [])


def is_refusal(error: CloudError) -> bool:
    """Whether an error proves that nothing was made, and nothing will be."""
    return not error.retryable and not error.outcome_unknown


def not_found(asset_id: str, region: str, operation: str) -> NotFound:
    return NotFound("notFound", f"There is no {asset_id} in {region}", provider=PROVIDER, operation=operation)
