"""How is block storage made by itself, grown, attached and removed? As things of the inventory; `volumes.py` is what
restoring needs of the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.errors import Conflict, NotFound, StillWorking
from shared.clouds.libcloud.refusals import invalid
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.labelled import LabelledAssets, Place, region_of
from shared.clouds.vultr.labels import tags_of, text_of
from shared.clouds.vultr.lists import Document, moment_of

_STATES: Mapping[str, AssetState] = {"pending": AssetState.CREATING, "active": AssetState.AVAILABLE}


class VultrBlockVolumes(LabelledAssets):
    """The same volumes as those of `VultrVolumes`, also in the words of a `Volume`, by which they are priced."""

    resource_type, resource_subtype = "storage", "volume"
    place = Place("/v2/blocks", "blocks", "block")

    async def order(self, region: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"region": region, "size_gb": configuration["size_gib"]}

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """`StillWorking` while it cannot be attached yet: then a repeat attaches it."""
        made = await super().create(region, spec)
        wanted = spec.configuration["machine_id"]
        if wanted is None or made.configuration["machine_id"] == wanted:
            return made
        await self._attach(region, made, wanted)
        return await self.get(region, made.id)

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """What fits on it is grown within the guest, by its owner."""
        known, size = await self.get(region, asset_id), int(configuration["size_gib"])
        if size < known.configuration["size_gib"]:
            raise invalid("size_gib", "may only grow", provider=PROVIDER, operation="blocks.update")
        if size > known.configuration["size_gib"]:
            await self.set_fields(region, asset_id, {"size_gb": size})
        there, wanted = known.configuration["machine_id"], configuration["machine_id"]
        if there is not None and there != wanted:
            await self._move(region, asset_id, "detach", {})
        if wanted is not None and there != wanted:
            await self._attach(region, known, wanted)

    async def delete(self, region: str, asset_id: str) -> None:
        try:
            machine = (await self.get(region, asset_id)).configuration["machine_id"]
        except NotFound:
            return
        if machine is not None:
            detail = f"{asset_id} is attached to {machine}"
            raise Conflict("attached", detail, provider=PROVIDER, operation="blocks.delete")
        await super().delete(region, asset_id)

    async def _attach(self, region: str, volume: Asset, machine_id: str) -> None:
        if volume.state is AssetState.CREATING:
            detail = f"{volume.id} is not attached before it is made"
            raise StillWorking("pending", detail, provider=PROVIDER, operation="blocks.attach")
        await self._move(region, volume.id, "attach", {"instance_id": machine_id})

    async def _move(self, region: str, asset_id: str, verb: str, body: Mapping[str, Any]) -> None:
        """Without a restart of the instance."""
        path = f"{self.place.path}/{asset_id}/{verb}"
        await self._client.request(f"blocks.{verb}", "POST", path, region=region, document={**body, "live": True})

    def asset_of(self, document: Document) -> Asset:
        machine, status = str(document["attached_to_instance"] or "") or None, str(document["status"])
        return Asset(
            id=str(document["id"]),
            name=text_of(document["label"]),
            state=_STATES.get(status, AssetState.FAILED),
            region=region_of(document),
            tags=tags_of(document["label"]),
            configuration={"size_gib": int(document["size_gb"]), "machine_id": machine},
            facts={
                "kind": None,
                "snapshot_id": None,
                "device_name": None if machine is None else f"/dev/disk/by-id/virtio-{document['mount_id']}",
                "encrypted": None,
                "block_type": document.get("block_type"),
            },
            zone=region_of(document),
            created_at=moment_of(document["date_created"]),
            state_reason=None if status in _STATES else f"The block storage is {status}",
        )
