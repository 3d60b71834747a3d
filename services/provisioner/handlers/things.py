"""What is a resource at its cloud? A machine or an asset, through one door: made, found, looked at, moved, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from services.provisioner.domain.resources import COMPUTE
from services.provisioner.domain.sightings import Found, of_asset, of_machine
from shared.clouds.assets import Assets, AssetSpec, StopsAssets, asset_kind_of
from shared.clouds.capabilities import Cloud, Machines, machines_of
from shared.clouds.errors import Unsupported
from shared.clouds.models import MachineSpec


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
