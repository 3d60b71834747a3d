"""How is a whole instance kept: a snapshot, which every region can use as soon as it is whole?

Source: www.vultr.com/api, "Snapshots". A snapshot does not say which instance it is of: ours do, among their tags.
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from shared.clouds.errors import IncorrectState, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.models import ImageState
from shared.clouds.restoring import ListsMachineImages, MachineImage, MachineImages, MachineImageSpec
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.labels import is_named, label_of, tags_of
from shared.clouds.vultr.lists import PAGE_MAX, Document, pages_of

_PATH = "/v2/snapshots"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MACHINE_TAG = "canopy:machine"
_BYTES_OF_GIB = 2**30
_GONE = "deleted"
_STATES: Mapping[str, ImageState] = {"pending": ImageState.PENDING, "complete": ImageState.AVAILABLE}


class VultrMachineImages(MachineImages, ListsMachineImages):
    """Nothing of a snapshot is unique: a create first looks for the description made of the token, and one process
    makes one of a token at a time.
    """

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def capture(self, region: str, spec: MachineImageSpec) -> MachineImage:
        operation, machine_id = "snapshots.create", spec.machine_id
        tags = {**spec.tags, _MACHINE_TAG: machine_id}
        description = label_of(name_of(spec.token), tags, spec.token, operation=operation)
        async with self._client.one_create_of(f"image {spec.token}"):
            known = await self.find_by_token(region, spec.token)
            if known is not None:
                return known
            await self._need(region, machine_id, operation)
            body = {"instance_id": machine_id, "description": description}
            answer = await self._client.request(
                operation, "POST", _PATH, region=region, document=body, wants=("snapshot",)
            )  # fmt: skip
        return self._read(answer["snapshot"], region)

    async def copy(self, source_region: str, image_id: str, target_region: str) -> MachineImage:
        """Nothing to be done: it is there already."""
        image = await self.get(source_region, image_id)
        if image.state is not ImageState.AVAILABLE:
            detail = f"{image_id} is {image.state}; only an available image is used elsewhere"
            raise IncorrectState("image_not_available", detail, provider=PROVIDER, operation="snapshots.get")
        return await self.get(target_region, image_id)

    async def find_by_token(self, region: str, token: str) -> MachineImage | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        found = [
            self._read(each, region)
            async for page in pages_of(self._client, "snapshots", _PATH, region=region)
            for each in page
            if is_named(each.get("description"), name_of(token)) and each.get("status") != _GONE
        ]
        return min(found, key=lambda each: (each.captured_at, each.id), default=None)

    async def get(self, region: str, image_id: str) -> MachineImage:
        if _ID.fullmatch(image_id):
            path = f"{_PATH}/{image_id}"
            answer = await self._client.request("snapshots.get", "GET", path, region=region, wants=("snapshot",))
            if answer["snapshot"].get("status") != _GONE:
                return self._read(answer["snapshot"], region)
        raise not_found(f"snapshot {image_id}", provider=PROVIDER, operation="snapshots.get")

    async def delete(self, image_id: str) -> None:
        if not _ID.fullmatch(image_id):
            return
        try:
            await self._client.request("snapshots.delete", "DELETE", f"{_PATH}/{image_id}")
        except NotFound:
            return

    async def pages(self, region: str, *, page_size: int = PAGE_MAX) -> AsyncIterator[list[MachineImage]]:
        async for page in pages_of(self._client, "snapshots", _PATH, region=region, page_size=page_size):
            yield [self._read(each, region) for each in page if each.get("status") != _GONE]

    async def _need(self, region: str, machine_id: str, operation: str) -> None:
        """The instance has to be in the region that is meant."""
        if _ID.fullmatch(machine_id):
            path = f"/v2/instances/{machine_id}"
            answer = await self._client.request("instances.get", "GET", path, region=region, wants=("instance",))
            if answer["instance"].get("region") == region:
                return
        raise not_found(f"instance {machine_id} in {region}", provider=PROVIDER, operation=operation)

    def _read(self, document: Document, region: str) -> MachineImage:
        with self._client.reading("snapshots.get"):
            tags = tags_of(document["description"])
            status = str(document["status"])
            return MachineImage(
                id=str(document["id"]),
                state=_STATES.get(status, ImageState.FAILED),
                region=region,
                machine_id=tags.pop(_MACHINE_TAG, None),
                size_gib=math.ceil(int(document["size"] or 0) / _BYTES_OF_GIB),
                captured_at=datetime.fromisoformat(document["date_created"]).astimezone(UTC),
                tags=tags,
                state_reason=None if status in _STATES else f"The snapshot is {status}",
            )
