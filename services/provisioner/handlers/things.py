"""What is a resource at its cloud? A machine or an asset, through one door: made, found, looked at, moved, removed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import structlog

from services.provisioner.domain.resources import COMPUTE
from services.provisioner.domain.sightings import Found, of_asset, of_machine
from shared.clouds import errors as clouds
from shared.clouds.assets import Assets, AssetSpec, StopsAssets, asset_kind_of
from shared.clouds.capabilities import Cloud, Machines, machines_of
from shared.clouds.errors import Unsupported
from shared.clouds.models import MachineSpec
from shared.kit.errors import RetryLater

REMOVED_AGAIN_S = 5.0

log = structlog.get_logger(__name__)


class Things(Protocol):
    """The things of one kind in one region of an account; raises what the ports of `shared.clouds` raise."""

    async def create(self, token: str, configuration: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        """The provider's id. Idempotent on the token."""
        ...

    async def find(self, token: str) -> str | None: ...

    async def made(self, token: str) -> str | None:
        """What was made whole; None when the create is to be repeated, which completes what was begun."""
        ...

    async def look(self, thing_id: str) -> Found:
        """`NotFound`."""
        ...

    async def start(self, thing_id: str) -> None: ...

    async def stop(self, thing_id: str) -> None: ...

    async def change(self, thing_id: str, configuration: Mapping[str, Any]) -> None: ...

    async def remove(self, thing_id: str) -> None:
        """Idempotent."""
        ...

    async def tag(self, thing_id: str, tags: Mapping[str, str]) -> None: ...


def things_of(cloud: Cloud, region: str, resource_type: str, resource_subtype: str) -> Things:
    """The door to one kind. Raises Unsupported."""
    if resource_type == COMPUTE:
        return _Machines(machines_of(cloud), region)
    return _Assets(asset_kind_of(cloud, resource_type, resource_subtype), region, cloud.provider_name)


async def remove_made(things: Things, token: str, thing_id: str | None, create: Callable[[], Awaitable[str]]) -> None:
    """Remove what a create made, also when nobody knows whether it made anything.

    A create that timed out may have succeeded, and EC2 shows a new machine to reads only after a while ("eventual
    consistency"): a look-up by token that finds nothing proves nothing, and terminating "what carries the token" would
    miss it. But the create itself is idempotent on the token: repeated, it answers with the thing that exists, or
    makes one, or is refused. In the first two cases we know the id and remove it; a refusal (no capacity, quota, bad
    request) proves that there is none, because a known token is answered before anything else is checked. Without
    answer or when throttled the undoing is repeated until it is known. Credentials that are refused now cannot undo
    anything: then the row keeps the token, and deleting the resource later finds the thing by it.

    Raises RetryLater while the thing has to be asked once more to go: a CDN distribution is switched off before it is
    deleted.
    """
    try:
        known = thing_id or await _learn_id(things, token, create)
        if known is not None:
            await things.remove(known)
            if not await _is_leaving(things, known):
                raise RetryLater(REMOVED_AGAIN_S, "what is removed in steps is not gone yet")
    except (clouds.AuthFailed, clouds.PermissionDenied) as error:
        log.warning("the cloud does not let us remove what a create made", token=token, code=error.code)


async def _learn_id(things: Things, token: str, create: Callable[[], Awaitable[str]]) -> str | None:
    known = await things.find(token)
    if known is not None:
        return known
    try:
        return await create()
    except (clouds.NoCapacity, clouds.QuotaExceeded, clouds.InvalidRequest, clouds.NotFound, clouds.Conflict):
        return None


async def _is_leaving(things: Things, thing_id: str) -> bool:
    if isinstance(things, _Machines):  # they go at once, and a list that lags says nothing
        return True
    try:
        return (await things.look(thing_id)).is_leaving
    except clouds.NotFound:
        return True


class _Machines(Things):
    def __init__(self, machines: Machines, region: str) -> None:
        self._machines = machines
        self._region = region

    async def create(self, token: str, configuration: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        spec = MachineSpec.from_configuration(configuration, token=token, tags=tags)
        return (await self._machines.create(self._region, spec)).id

    async def find(self, token: str) -> str | None:
        known = await self._machines.find_by_token(self._region, token)
        return None if known is None else known.id

    async def made(self, token: str) -> str | None:
        return await self.find(token)

    async def look(self, thing_id: str) -> Found:
        return of_machine(await self._machines.get(self._region, thing_id))

    async def start(self, thing_id: str) -> None:
        await self._machines.start(self._region, thing_id)

    async def stop(self, thing_id: str) -> None:
        await self._machines.stop(self._region, thing_id)

    async def change(self, thing_id: str, configuration: Mapping[str, Any]) -> None:
        """A machine's type, which is all of it that can change."""
        await self._machines.resize(self._region, thing_id, configuration["instance_type"])

    async def remove(self, thing_id: str) -> None:
        await self._machines.terminate(self._region, thing_id)

    async def tag(self, thing_id: str, tags: Mapping[str, str]) -> None:
        await self._machines.tag(self._region, thing_id, tags)


class _Assets(Things):
    def __init__(self, assets: Assets, region: str, provider_name: str) -> None:
        self._assets = assets
        self._region = region
        self._provider_name = provider_name

    async def create(self, token: str, configuration: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        spec = AssetSpec(token=token, configuration=configuration, tags=tags)
        return (await self._assets.create(self._region, spec)).id

    async def find(self, token: str) -> str | None:
        known = await self._assets.find_by_token(self._region, token)
        return None if known is None else known.id

    async def made(self, token: str) -> str | None:  # noqa: ARG002 - who carries it may be half made
        return None

    async def look(self, thing_id: str) -> Found:
        return of_asset(await self._assets.get(self._region, thing_id))

    async def start(self, thing_id: str) -> None:
        await self._stopping().start(self._region, thing_id)

    async def stop(self, thing_id: str) -> None:
        await self._stopping().stop(self._region, thing_id)

    async def change(self, thing_id: str, configuration: Mapping[str, Any]) -> None:
        await self._assets.change(self._region, thing_id, configuration)

    async def remove(self, thing_id: str) -> None:
        await self._assets.delete(self._region, thing_id)

    async def tag(self, thing_id: str, tags: Mapping[str, str]) -> None:
        await self._assets.tag(self._region, thing_id, tags)

    def _stopping(self) -> StopsAssets:
        if isinstance(self._assets, StopsAssets):
            return self._assets
        raise Unsupported(
            "unsupported_action",
            f"a {self._assets.resource_subtype} cannot stand still",
            provider=self._provider_name,
            operation="stop",
        )
