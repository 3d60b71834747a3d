"""How are block storage volumes made, and moved between Linodes? A Linode's own disk is none of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from shared.clouds.capabilities import ListsVolumes, Volumes
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import invalid, not_found
from shared.clouds.libcloud.tags import from_words
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.linode.lists import PAGE_MAX, Document, page_of, pages_of
from shared.clouds.linode.tags import TAGS
from shared.clouds.models import TOKEN_TAG, Volume, VolumeState
from shared.clouds.restoring import CreatesVolumes, EmptyVolumeSpec

_PATH = "/v4/volumes"
_STATES: Mapping[str, VolumeState] = {"creating": VolumeState.CREATING, "offline": VolumeState.ERROR}


class LinodeVolumes(Volumes, CreatesVolumes, ListsVolumes):
    """A label is unique in its account: the one made of the token makes a create repeatable. Linode takes no snapshots
    of volumes, and chooses their devices: they are the paths that it tells.
    """

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def create_empty(self, region: str, spec: EmptyVolumeSpec) -> Volume:
        operation = "volumes.create"
        words = TAGS.to_words(spec.tags, spec.token, operation=operation)
        if spec.zone != region:
            raise invalid("zone", f"is {region}, the region itself", provider=PROVIDER, operation=operation)
        known = await self.find_by_token(region, spec.token)
        if known is None:
            body = {"label": name_of(spec.token), "region": region, "size": spec.size_gib, "tags": words}
            try:
                return self._read(await self._client.request(operation, "POST", _PATH, region=region, document=body))
            except Conflict:
                known = await self.find_by_token(region, spec.token)
                if known is None:
                    raise
        if known.size_gib != spec.size_gib:
            detail = f"The token made {known.id} of another size"
            raise Conflict("token_used", detail, provider=PROVIDER, operation=operation)
        return known

    async def find_by_token(self, region: str, token: str) -> Volume | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        filters = {"region": region, "label": name_of(token)}
        page = await page_of(self._client, "volumes.list", _PATH, region=region, filters=filters)
        found = [self._read(each) for each in page.things]
        return next((each for each in found if each.tags.get(TOKEN_TAG) == token and each.region == region), None)

    async def get(self, region: str, volume_id: str) -> Volume:
        if volume_id.isdecimal():
            volume = self._read(await self._client.request("volumes.get", "GET", f"{_PATH}/{volume_id}", region=region))
            if volume.region == region:
                return volume
        raise not_found(f"volume {volume_id} in {region}", provider=PROVIDER, operation="volumes.get")

    async def of_machine(self, region: str, machine_id: str) -> list[Volume]:
        if not machine_id.isdecimal():
            return []
        path = f"/v4/linode/instances/{machine_id}/volumes"
        try:
            page = await page_of(self._client, "instances.volumes", path, region=region, size=PAGE_MAX)
        except NotFound:
            return []
        return [self._read(each) for each in page.things]

    async def attach(self, region: str, volume_id: str, machine_id: str, device_name: str) -> None:
        del device_name
        operation = "volumes.attach"
        volume = await self.get(region, volume_id)
        if volume.machine_id == machine_id:
            return
        if volume.machine_id is not None:
            detail = f"{volume_id} is attached to {volume.machine_id}"
            raise Conflict("attached_elsewhere", detail, provider=PROVIDER, operation=operation)
        if not machine_id.isdecimal():
            raise not_found(f"Linode {machine_id} in {region}", provider=PROVIDER, operation=operation)
        body = {"linode_id": int(machine_id), "persist_across_boots": True}
        await self._client.request(operation, "POST", f"{_PATH}/{volume_id}/attach", region=region, document=body)

    async def detach(self, region: str, volume_id: str) -> None:
        try:
            volume = await self.get(region, volume_id)
            if volume.machine_id is not None:
                await self._client.request("volumes.detach", "POST", f"{_PATH}/{volume_id}/detach", region=region)
        except NotFound:
            return

    async def delete(self, region: str, volume_id: str) -> None:
        operation = "volumes.delete"
        try:
            volume = await self.get(region, volume_id)
            if volume.machine_id is not None:
                detail = f"{volume_id} is attached to {volume.machine_id}"
                raise Conflict("attached", detail, provider=PROVIDER, operation=operation)
            await self._client.request(operation, "DELETE", f"{_PATH}/{volume_id}", region=region)
        except NotFound:
            return

    async def pages(self, region: str, *, page_size: int = PAGE_MAX) -> AsyncIterator[list[Volume]]:
        filters = {"region": region}
        pages = pages_of(
            self._client, "volumes.list", _PATH, region=region, page_size=page_size, filters=filters
        )  # fmt: skip
        async for page in pages:
            yield [self._read(each) for each in page]

    def _read(self, document: Document) -> Volume:
        with self._client.reading("volumes.get"):
            machine = document["linode_id"]
            at_rest = VolumeState.AVAILABLE if machine is None else VolumeState.IN_USE
            return Volume(
                id=str(document["id"]),
                state=_STATES.get(str(document["status"]), at_rest),
                size_gib=int(document["size"]),
                region=str(document["region"]),
                zone=str(document["region"]),
                tags=from_words(document["tags"]),
                machine_id=None if machine is None else str(machine),
                device_name=None if machine is None else str(document["filesystem_path"]),
                encrypted=document.get("encryption") == "enabled" if document.get("encryption") else None,
                created_at=datetime.fromisoformat(document["created"]).replace(tzinfo=UTC),
            )
