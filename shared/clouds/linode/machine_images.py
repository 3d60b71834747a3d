"""How is a whole Linode kept: an image of its disk, brought into other regions under one id?

Linode keeps an image in the object storage of a region and replicates it to those that it is told, all at once; each
region then says how far it is. Sources: techdocs.akamai.com/linode-api/reference, "Create an image", "Replicate an
image".
"""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.errors import IncorrectState, NotFound, Unsupported
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found
from shared.clouds.libcloud.tags import from_words
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.linode.lists import PAGE_MAX, Document, page_of, pages_of
from shared.clouds.linode.tags import TAGS
from shared.clouds.models import ImageState
from shared.clouds.restoring import ListsMachineImages, MachineImage, MachineImages, MachineImageSpec

_ID = re.compile(r"private/[0-9]{1,18}")
_MIB_OF_GIB = 1024
_AVAILABLE = "available"
_LEAVING = "pending deletion"
_SWAP = "swap"
_TIMED_OUT = "timedout"
_STATES: Mapping[str, ImageState] = {_AVAILABLE: ImageState.AVAILABLE, _TIMED_OUT: ImageState.FAILED}
"""Of an image in a region; the others (creating, pending, pending replication, replicating) are on their way."""


class LinodeMachineImages(MachineImages, ListsMachineImages):
    """Labels of images are not unique: a create first looks for the label made of the token, and one process makes one
    of a token at a time.
    """

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def capture(self, region: str, spec: MachineImageSpec) -> MachineImage:
        """An image holds one disk: `Unsupported` for a Linode with several, swap not counted (it holds nothing)."""
        operation = "images.create"
        words = TAGS.to_words(spec.tags, spec.token, operation=operation)
        async with self._client.one_create_of(f"image {spec.token}"):
            known = await self.find_by_token(region, spec.token)
            if known is not None:
                return known
            body = {
                "disk_id": await self._disk(region, spec.machine_id),
                "label": name_of(spec.token),
                "description": f"Canopy: Linode {spec.machine_id}",
                "tags": words,
            }
            made = await self._client.request(operation, "POST", "/v4/images", region=region, document=body)
        return self._read(made, region)

    async def copy(self, source_region: str, image_id: str, target_region: str) -> MachineImage:
        """Linode sets all of an image's regions at once: those that it is in are named again."""
        operation = "images.replicate"
        document = await self._document(source_region, image_id)
        regions = self._regions(document)
        if target_region in regions:
            return self._read(document, target_region)
        if regions.get(source_region) != _AVAILABLE:
            detail = (
                f"{image_id} is {regions.get(source_region, 'not')} in {source_region}; only an available one is copied"
            )
            raise IncorrectState("image_not_available", detail, provider=PROVIDER, operation=operation)
        body = {"regions": [*regions, target_region]}
        path = f"/v4/images/{image_id}/regions"
        answer = await self._client.request(operation, "POST", path, region=target_region, document=body)
        return self._read(answer, target_region)

    async def find_by_token(self, region: str, token: str) -> MachineImage | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        filters = {"label": name_of(token), "is_public": False}
        page = await page_of(self._client, "images.list", "/v4/images", region=region, filters=filters)
        found = [self._read(each, region) for each in page.things if region in self._regions(each)]
        mine = [each for each in found if each.token == token]
        return min(mine, key=lambda each: (each.captured_at, each.id), default=None)

    async def get(self, region: str, image_id: str) -> MachineImage:
        document = await self._document(region, image_id)
        if region not in self._regions(document):
            raise not_found(f"image {image_id} in {region}", provider=PROVIDER, operation="images.get")
        return self._read(document, region)

    async def delete(self, image_id: str) -> None:
        if not _ID.fullmatch(image_id):
            return
        try:
            await self._client.request("images.delete", "DELETE", f"/v4/images/{image_id}")
        except NotFound:
            return

    async def pages(self, region: str, *, page_size: int = PAGE_MAX) -> AsyncIterator[list[MachineImage]]:
        pages = pages_of(
            self._client, "images.list", "/v4/images", region=region, page_size=page_size,
            filters={"is_public": False},
        )  # fmt: skip
        async for page in pages:
            yield [self._read(each, region) for each in page]

    async def _disk(self, region: str, machine_id: str) -> int:
        """The disk that holds a Linode's system."""
        operation = "disks.list"
        if not machine_id.isdecimal():
            raise not_found(f"Linode {machine_id} in {region}", provider=PROVIDER, operation=operation)
        path = f"/v4/linode/instances/{machine_id}"
        machine = await self._client.request("instances.get", "GET", path, region=region, wants=("region",))
        if machine["region"] != region:
            raise not_found(f"Linode {machine_id} in {region}", provider=PROVIDER, operation=operation)
        page = await page_of(self._client, operation, f"{path}/disks", region=region, size=PAGE_MAX)
        with self._client.reading(operation):
            disks = [int(each["id"]) for each in page.things if each["filesystem"] != _SWAP]
        if len(disks) != 1:
            raise Unsupported(
                "several_disks", f"Linode {machine_id} has {len(disks)} disks besides swap; an image holds one",
                provider=PROVIDER, operation=operation,
            )  # fmt: skip
        return disks[0]

    async def _document(self, region: str, image_id: str) -> Document:
        if not _ID.fullmatch(image_id):
            raise not_found(f"image {image_id} of this account", provider=PROVIDER, operation="images.get")
        return await self._client.request("images.get", "GET", f"/v4/images/{image_id}", region=region)

    def _regions(self, document: Document) -> dict[str, str]:
        """Region: how far the image is there. One that is being removed is no longer in it."""
        with self._client.reading("images.get"):
            found = {str(each["region"]): str(each["status"]) for each in document["regions"]}
        return {region: status for region, status in found.items() if status != _LEAVING}

    def _read(self, document: Document, region: str) -> MachineImage:
        status = _AVAILABLE if region == GLOBAL_REGION else self._regions(document).get(region, "")
        with self._client.reading("images.get"):
            machine = re.fullmatch(r"Canopy: Linode ([0-9]+)", str(document["description"] or ""))
            whole = document["status"] == _AVAILABLE
            return MachineImage(
                id=str(document["id"]),
                state=_STATES.get(status, ImageState.PENDING) if whole else ImageState.PENDING,
                region=region,
                machine_id=None if machine is None else machine[1],
                size_gib=math.ceil(int(document["size"] or 0) / _MIB_OF_GIB),
                captured_at=datetime.fromisoformat(document["created"]).replace(tzinfo=UTC),
                tags=from_words(document["tags"]),
                encrypted=True,  # Linode encrypts every image at rest
                state_reason=f"The image is {status} in {region}"
                if status in _STATES and status != _AVAILABLE
                else None,
            )
