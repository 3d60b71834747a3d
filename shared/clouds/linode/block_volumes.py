"""How are volumes made by themselves, grown and removed? As things of the inventory; see `volumes.py` for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.libcloud.refusals import invalid
from shared.clouds.linode.assets import LinodeAssets, created_at
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.linode.lists import Document

_STATES: Mapping[str, AssetState] = {
    "creating": AssetState.CREATING,
    "resizing": AssetState.CHANGING,
    "key_rotating": AssetState.CHANGING,
    "offline": AssetState.FAILED,
}


class LinodeBlockVolumes(LinodeAssets):
    """The same volumes as those of `LinodeVolumes`, also in the words of a `Volume`, by which they are priced."""

    resource_type, resource_subtype = "storage", "volume"
    path, noun = "/v4/volumes", "volumes"

    async def body(self, region: str, spec: AssetSpec, words: list[str]) -> dict[str, Any]:
        encryption = "enabled" if spec.configuration["encrypted"] else "disabled"
        size = spec.configuration["size_gib"]
        return {
            "label": self.label(spec.token),
            "region": region,
            "size": size,
            "encryption": encryption,
            "tags": words,
        }

    async def whole(self, document: Document) -> Asset:
        with self._client.reading("volumes.get"):
            machine, encryption = document["linode_id"], document.get("encryption")
            return Asset(
                id=str(document["id"]),
                name=str(document["label"]),
                state=_STATES.get(str(document["status"]), AssetState.AVAILABLE),
                region=str(document["region"]),
                tags=self.tags(document),
                configuration={
                    "size_gib": int(document["size"]),
                    "encrypted": encryption == "enabled" if encryption else None,
                },
                facts={
                    "kind": None,
                    "snapshot_id": None,
                    "machine_id": None if machine is None else str(machine),
                    "device_name": None if machine is None else str(document["filesystem_path"]),
                },
                zone=str(document["region"]),
                created_at=created_at(document),
            )

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        operation, wanted = "volumes.resize", int(configuration["size_gib"])
        document = await self.document(region, asset_id, operation)
        if wanted < int(document["size"]):
            raise invalid("size_gib", "may only grow", provider=PROVIDER, operation=operation)
        if wanted > int(document["size"]):
            path = f"{self.path}/{asset_id}/resize"
            await self._client.request(operation, "POST", path, region=region, document={"size": wanted})

    async def delete(self, region: str, asset_id: str) -> None:
        try:
            document = await self.document(region, asset_id, "volumes.delete")
        except NotFound:
            return
        if document["linode_id"] is not None:
            detail = f"{asset_id} is attached to {document['linode_id']}"
            raise Conflict("attached", detail, provider=PROVIDER, operation="volumes.delete")
        await super().delete(region, asset_id)
