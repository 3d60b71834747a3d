"""How are volumes made by themselves, grown and removed? As things of the inventory; see `volumes.py` for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.errors import Conflict, NotFound, StillWorking
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
        machine = spec.configuration["machine_id"]
        return {
            "label": self.label(spec.token),
            "region": region,
            "size": spec.configuration["size_gib"],
            "encryption": encryption,
            "tags": words,
            **({} if machine is None else {"linode_id": int(machine)}),
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
                    "machine_id": None if machine is None else str(machine),
                },
                facts={
                    "kind": None,
                    "snapshot_id": None,
                    "device_name": None if machine is None else str(document["filesystem_path"]),
                },
                zone=str(document["region"]),
                created_at=created_at(document),
            )

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """One step at a time, for a volume is busy meanwhile: `StillWorking` says that another step is to come."""
        document = await self.document(region, asset_id, "volumes.resize")
        has, wanted = document["linode_id"], configuration["machine_id"]
        resized = await self._resize(region, document, int(configuration["size_gib"]))
        if (None if has is None else str(has)) == wanted:
            return
        if resized:
            raise _busy(asset_id)
        path = f"{self.path}/{asset_id}"
        if has is not None:
            await self._client.request("volumes.detach", "POST", f"{path}/detach", region=region)
            if wanted is not None:
                raise _busy(asset_id)
        else:
            body = {"linode_id": int(wanted), "persist_across_boots": True}
            await self._client.request("volumes.attach", "POST", f"{path}/attach", region=region, document=body)

    async def _resize(self, region: str, document: Document, wanted: int) -> bool:
        """Whether it had to be."""
        operation = "volumes.resize"
        if wanted < int(document["size"]):
            raise invalid("size_gib", "may only grow", provider=PROVIDER, operation=operation)
        if wanted == int(document["size"]):
            return False
        path = f"{self.path}/{document['id']}/resize"
        await self._client.request(operation, "POST", path, region=region, document={"size": wanted})
        return True

    async def delete(self, region: str, asset_id: str) -> None:
        try:
            document = await self.document(region, asset_id, "volumes.delete")
        except NotFound:
            return
        if document["linode_id"] is not None:
            detail = f"{asset_id} is attached to {document['linode_id']}"
            raise Conflict("attached", detail, provider=PROVIDER, operation="volumes.delete")
        await super().delete(region, asset_id)


def _busy(asset_id: str) -> StillWorking:
    return StillWorking("busy", f"{asset_id} changes in steps", provider=PROVIDER, operation="volumes.attach")
