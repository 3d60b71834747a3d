"""How are block storage volumes made, and moved between droplets? A droplet's own disk is none of them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from shared.clouds.capabilities import ListsVolumes, Volumes
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import PAGE_MAX, Document, pages_of
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import invalid, not_found
from shared.clouds.libcloud.tags import from_words
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.models import TOKEN_TAG, Volume, VolumeState
from shared.clouds.restoring import CreatesVolumes, EmptyVolumeSpec

_PATH = "/v2/volumes"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class DigitalOceanVolumes(Volumes, CreatesVolumes, ListsVolumes):
    """A name is unique in its region: the one made of the token makes a create repeatable. Snapshots of volumes stay in
    their region, so that nothing is restored from them elsewhere; devices are DigitalOcean's own.
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
            body = {"name": name_of(spec.token), "region": region, "size_gigabytes": spec.size_gib, "tags": words}
            try:
                answer = await self._client.request(
                    operation, "POST", _PATH, region=region, document=body, wants=("volume",)
                )
                return self._read(answer["volume"])
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
        query = {"region": region, "name": name_of(token)}
        answer = await self._client.request(
            "volumes.list", "GET", _PATH, region=region, query=query, wants=("volumes",)
        )  # fmt: skip
        found = [self._read(each) for each in answer["volumes"]]
        return next((each for each in found if each.tags.get(TOKEN_TAG) == token and each.region == region), None)

    async def get(self, region: str, volume_id: str) -> Volume:
        if _ID.fullmatch(volume_id):
            path = f"{_PATH}/{volume_id}"
            answer = await self._client.request("volumes.get", "GET", path, region=region, wants=("volume",))
            volume = self._read(answer["volume"])
            if volume.region == region:
                return volume
        raise not_found(f"volume {volume_id} in {region}", provider=PROVIDER, operation="volumes.get")

    async def of_machine(self, region: str, machine_id: str) -> list[Volume]:
        if not machine_id.isdecimal():
            return []
        path = f"/v2/droplets/{machine_id}"
        try:
            answer = await self._client.request("droplets.get", "GET", path, region=region, wants=("droplet",))
            return [await self.get(region, str(each)) for each in answer["droplet"].get("volume_ids") or ()]
        except NotFound:
            return []

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
            raise not_found(f"droplet {machine_id} in {region}", provider=PROVIDER, operation=operation)
        await self._act(region, operation, volume_id, "attach", machine_id)

    async def detach(self, region: str, volume_id: str) -> None:
        try:
            volume = await self.get(region, volume_id)
            if volume.machine_id is not None:
                await self._act(region, "volumes.detach", volume_id, "detach", volume.machine_id)
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
        query = {"region": region}
        async for page in pages_of(
            self._client, "volumes", _PATH, region=region, page_size=page_size, query=query
        ):  # fmt: skip
            yield [self._read(each) for each in page]

    async def _act(self, region: str, operation: str, volume_id: str, action: str, machine_id: str) -> None:
        body = {"type": action, "droplet_id": int(machine_id), "region": region}
        await self._client.request(operation, "POST", f"{_PATH}/{volume_id}/actions", region=region, document=body)

    def _read(self, document: Document) -> Volume:
        with self._client.reading("volumes.get"):
            owners = [str(each) for each in document["droplet_ids"] or ()]
            region = str(document["region"]["slug"])
            device = f"/dev/disk/by-id/scsi-0DO_Volume_{document['name']}"
            return Volume(
                id=str(document["id"]),
                state=VolumeState.IN_USE if owners else VolumeState.AVAILABLE,
                size_gib=int(document["size_gigabytes"]),
                region=region,
                zone=region,
                tags=from_words(document["tags"] or ()),
                machine_id=owners[0] if owners else None,
                device_name=device if owners else None,
                encrypted=True,  # DigitalOcean encrypts every volume at rest
                created_at=datetime.fromisoformat(document["created_at"]).astimezone(UTC),
            )
