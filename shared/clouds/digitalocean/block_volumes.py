"""How are volumes made by themselves, grown, attached and removed? As things of the inventory; `volumes.py` is what
restoring needs of the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.digitalocean.assets import DigitalOceanAssets
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import Document, pages_of
from shared.clouds.digitalocean.tagging import put_tags
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.digitalocean.volumes import DigitalOceanVolumes
from shared.clouds.errors import InvalidRequest, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import invalid
from shared.clouds.libcloud.tags import from_words
from shared.clouds.libcloud.tokens import name_of


class DigitalOceanBlockVolumes(DigitalOceanAssets):
    """The same volumes as those of `DigitalOceanVolumes`, also in the words of a `Volume`, by which they are priced. A
    name is unique in its region: the one made of the token makes a create repeatable, between processes too.
    """

    resource_type, resource_subtype = "storage", "volume"
    path, name, names = "/v2/volumes", "volume", "volumes"
    fields = {"machines": "machine_id"}  # noqa: RUF012 - a ClassVar above

    def __init__(self, client: LibcloudClient, volumes: DigitalOceanVolumes) -> None:
        super().__init__(client)
        self._volumes = volumes

    async def make(self, region: str, spec: AssetSpec) -> Asset:
        body = {
            "name": name_of(spec.token),
            "region": region,
            "size_gigabytes": spec.configuration["size_gib"],
            "tags": TAGS.to_words(spec.tags, spec.token, operation="volumes.create"),
        }
        answer = await self.ask("create", "POST", region, body=body, wants=(self.name,))
        return await self.completed(region, self.told(answer[self.name]), spec)

    async def completed(self, region: str, known: Asset, spec: AssetSpec) -> Asset:
        machine_id = spec.configuration["machine_id"]
        if machine_id is None or known.configuration["machine_id"] == machine_id:
            return known
        await self._attach(region, known.id, machine_id)
        return await self.get(region, known.id)

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        query = {"region": region}
        async for page in pages_of(
            self._client, self.names, self.path, region=region, page_size=page_size, query=query
        ):  # fmt: skip
            yield [self.told(each) for each in page]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """What fits on it is grown within the guest, by its owner."""
        known, size = await self.get(region, asset_id), int(configuration["size_gib"])
        if size < known.configuration["size_gib"]:
            raise invalid("size_gib", "may only grow", provider=PROVIDER, operation="volumes.resize")
        if size > known.configuration["size_gib"]:
            body = {"type": "resize", "size_gigabytes": size, "region": region}
            await self.ask("resize", "POST", region, f"{asset_id}/actions", body=body)
        there, wanted = known.configuration["machine_id"], configuration["machine_id"]
        if there is not None and there != wanted:
            await self._volumes.detach(region, asset_id)
        if wanted is not None and there != wanted:
            await self._attach(region, asset_id, wanted)

    async def delete(self, region: str, asset_id: str) -> None:
        """`Conflict` while it is attached."""
        await self._volumes.delete(region, asset_id)

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        before = (await self.document(region, asset_id))["tags"] or ()
        await put_tags(self._client, region, ("volume", asset_id), before, tags)

    def read(self, document: Document) -> Asset:
        region, owners = str(document["region"]["slug"]), [str(each) for each in document["droplet_ids"] or ()]
        device = f"/dev/disk/by-id/scsi-0DO_Volume_{document['name']}"
        return Asset(
            id=str(document["id"]),
            name=str(document["name"]),
            state=AssetState.AVAILABLE,  # DigitalOcean makes a volume at once and has no state of it
            region=region,
            tags=from_words(document["tags"] or ()),
            configuration={
                "size_gib": int(document["size_gigabytes"]),
                "machine_id": owners[0] if owners else None,
            },
            facts={
                "kind": None,
                "snapshot_id": None,
                "device_name": device if owners else None,
                "encrypted": True,  # DigitalOcean encrypts every volume at rest
            },
            zone=region,
            created_at=datetime.fromisoformat(document["created_at"]).astimezone(UTC),
        )

    async def _attach(self, region: str, asset_id: str, machine_id: str) -> None:
        try:
            await self._volumes.attach(region, asset_id, machine_id, "")
        except NotFound as error:
            raise invalid("machine_id", error.message, provider=PROVIDER, operation=error.operation) from None
        except InvalidRequest as error:
            raise self.renamed(error) from None
