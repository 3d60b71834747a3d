"""How is block storage made, and moved between instances? An instance's own disk is none of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from shared.clouds.capabilities import ListsVolumes, Volumes
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import invalid, not_found
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.models import Volume, VolumeState
from shared.clouds.restoring import CreatesVolumes, EmptyVolumeSpec
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.labels import is_named, label_of, tags_of
from shared.clouds.vultr.lists import PAGE_MAX, Document, ask_region, pages_of

_PATH = "/v2/blocks"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class VultrVolumes(Volumes, CreatesVolumes, ListsVolumes):
    """Labels are not unique: a create first looks for the one made of the token, and one process makes one of a token
    at a time. Vultr takes no snapshots of block storage, and chooses its devices.
    """

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def create_empty(self, region: str, spec: EmptyVolumeSpec) -> Volume:
        operation = "blocks.create"
        label = label_of(name_of(spec.token), spec.tags, spec.token, operation=operation)
        if spec.zone != region:
            raise invalid("zone", f"is {region}, the region itself", provider=PROVIDER, operation=operation)
        async with self._client.one_create_of(f"volume {spec.token}"):
            known = await self.find_by_token(region, spec.token)
            if known is None:
                body = {"region": region, "size_gb": spec.size_gib, "label": label}
                answer = await self._client.request(
                    operation, "POST", _PATH, region=region, document=body, wants=("block",)
                )
                return self._read(answer["block"])
        if known.size_gib != spec.size_gib:
            detail = f"The token made {known.id} of another size"
            raise Conflict("token_used", detail, provider=PROVIDER, operation=operation)
        return known

    async def find_by_token(self, region: str, token: str) -> Volume | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        name = name_of(token)
        found = [each for each in await self._all(region) if is_named(each.get("label"), name)]
        mine = [self._read(each) for each in found]
        return min(mine, key=lambda each: (str(each.created_at), each.id), default=None)

    async def get(self, region: str, volume_id: str) -> Volume:
        if _ID.fullmatch(volume_id):
            path = f"{_PATH}/{volume_id}"
            answer = await self._client.request("blocks.get", "GET", path, region=region, wants=("block",))
            volume = self._read(answer["block"])
            if volume.region == region:
                return volume
        raise not_found(f"block storage {volume_id} in {region}", provider=PROVIDER, operation="blocks.get")

    async def of_machine(self, region: str, machine_id: str) -> list[Volume]:
        found = [self._read(each) for each in await self._all(region)]
        return sorted((each for each in found if each.machine_id == machine_id), key=lambda each: each.id)

    async def attach(self, region: str, volume_id: str, machine_id: str, device_name: str) -> None:
        """Without a restart of the instance."""
        del device_name
        operation = "blocks.attach"
        volume = await self.get(region, volume_id)
        if volume.machine_id == machine_id:
            return
        if volume.machine_id is not None:
            detail = f"{volume_id} is attached to {volume.machine_id}"
            raise Conflict("attached_elsewhere", detail, provider=PROVIDER, operation=operation)
        body = {"instance_id": machine_id, "live": True}
        await self._client.request(operation, "POST", f"{_PATH}/{volume_id}/attach", region=region, document=body)

    async def detach(self, region: str, volume_id: str) -> None:
        try:
            volume = await self.get(region, volume_id)
            if volume.machine_id is not None:
                path, body = f"{_PATH}/{volume_id}/detach", {"live": True}
                await self._client.request("blocks.detach", "POST", path, region=region, document=body)
        except NotFound:
            return

    async def delete(self, region: str, volume_id: str) -> None:
        operation = "blocks.delete"
        try:
            volume = await self.get(region, volume_id)
            if volume.machine_id is not None:
                detail = f"{volume_id} is attached to {volume.machine_id}"
                raise Conflict("attached", detail, provider=PROVIDER, operation=operation)
            await self._client.request(operation, "DELETE", f"{_PATH}/{volume_id}", region=region)
        except NotFound:
            return

    async def pages(self, region: str, *, page_size: int = PAGE_MAX) -> AsyncIterator[list[Volume]]:
        """Vultr lists those of all regions together: a page here has those of the region, which is asked first."""
        await ask_region(self._client, region)
        async for page in pages_of(self._client, "blocks", _PATH, region=region, page_size=page_size):
            yield [self._read(each) for each in page if each.get("region") == region]

    async def _all(self, region: str) -> list[Document]:
        return [
            each
            async for page in pages_of(self._client, "blocks", _PATH, region=region)
            for each in page
            if each.get("region") == region
        ]

    def _read(self, document: Document) -> Volume:
        with self._client.reading("blocks.get"):
            machine = str(document["attached_to_instance"] or "") or None
            at_rest = VolumeState.AVAILABLE if machine is None else VolumeState.IN_USE
            region = str(document["region"])
            return Volume(
                id=str(document["id"]),
                state=at_rest if document["status"] == "active" else VolumeState.CREATING,
                size_gib=int(document["size_gb"]),
                region=region,
                zone=region,
                tags=tags_of(document["label"]),
                machine_id=machine,
                device_name=None if machine is None else f"/dev/disk/by-id/virtio-{document['mount_id']}",
                created_at=datetime.fromisoformat(document["date_created"]).astimezone(UTC),
            )
