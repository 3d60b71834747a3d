"""How is a whole droplet kept: a snapshot, which is an image that exists in several regions under one id?

Sources: docs.digitalocean.com/reference/api, "Droplet Actions" (snapshot), "Image Actions" (transfer), "Images".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import PAGE_MAX, Document, pages_of
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.errors import IncorrectState, NotFound, StillWorking
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found
from shared.clouds.libcloud.tags import from_words
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.models import ImageState
from shared.clouds.restoring import ListsMachineImages, MachineImage, MachineImages, MachineImageSpec

_PATH = "/v2/images"
_UNDER_WAY = "in-progress"
_STATES: Mapping[str, ImageState] = {
    "available": ImageState.AVAILABLE,
    "NEW": ImageState.PENDING,
    "pending": ImageState.PENDING,
}


class DigitalOceanMachineImages(MachineImages, ListsMachineImages):
    """An image is there when the droplet's action is done, not before; its name is made of the token, and a droplet has
    one action at a time: so nothing is kept twice.
    """

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def capture(self, region: str, spec: MachineImageSpec) -> MachineImage:
        """`StillWorking` until the image is there: ask again with the same token."""
        operation = "droplets.snapshot"
        words = TAGS.to_words(spec.tags, spec.token, operation=operation)
        async with self._client.one_create_of(f"image {spec.token}"):
            known = await self._named(region, name_of(spec.token))
            if known is None:
                await self._begin(region, spec, operation)
                raise StillWorking(
                    "snapshot_under_way", f"The snapshot of {spec.machine_id} is being taken", provider=PROVIDER,
                    operation=operation,
                )  # fmt: skip
            await self._tag(region, known, words)
        return await self.get(region, str(known["id"]))

    async def copy(self, source_region: str, image_id: str, target_region: str) -> MachineImage:
        """`StillWorking` while it is on its way to a third region: an image has one action at a time, too."""
        operation = "images.transfer"
        document = await self._document(source_region, image_id)
        if target_region in document["regions"]:
            return self._read(document, target_region)
        if source_region not in document["regions"] or document["status"] != "available":
            detail = f"{image_id} is not available in {source_region}"
            raise IncorrectState("image_not_available", detail, provider=PROVIDER, operation=operation)
        if not await self._is_coming(image_id, target_region):
            body = {"type": "transfer", "region": target_region}
            path = f"{_PATH}/{image_id}/actions"
            await self._client.request(operation, "POST", path, region=target_region, document=body)
        return self._read(document, target_region)

    async def find_by_token(self, region: str, token: str) -> MachineImage | None:
        """`StillWorking` while snapshots are being taken in the region: one of them may be the token's."""
        check_token(token, provider=PROVIDER, operation="find_by_token")
        known = await self._named(region, name_of(token))
        if known is not None:
            return self._read(known, region)
        query = {"per_page": PAGE_MAX}
        answer = await self._client.request("actions.list", "GET", "/v2/actions", query=query, wants=("actions",))
        with self._client.reading("actions.list"):
            taken = [(each["type"], each["status"], each["region_slug"]) for each in answer["actions"]]
        if ("snapshot", _UNDER_WAY, region) in taken:
            detail = f"Snapshots are being taken in {region}"
            raise StillWorking("snapshot_under_way", detail, provider=PROVIDER, operation="find_by_token")
        return None

    async def get(self, region: str, image_id: str) -> MachineImage:
        """A second call while it is in another region only: whether it is on its way."""
        document = await self._document(region, image_id)
        if region not in document["regions"] and not await self._is_coming(image_id, region):
            raise not_found(f"image {image_id} in {region}", provider=PROVIDER, operation="images.get")
        return self._read(document, region)

    async def delete(self, image_id: str) -> None:
        if not image_id.isdecimal():
            return
        try:
            await self._client.request("images.delete", "DELETE", f"{_PATH}/{image_id}")
        except NotFound:
            return

    async def pages(self, region: str, *, page_size: int = PAGE_MAX) -> AsyncIterator[list[MachineImage]]:
        async for page in self._private(region, page_size):
            yield [self._read(each, region) for each in page]

    async def _begin(self, region: str, spec: MachineImageSpec, operation: str) -> None:
        """DigitalOcean refuses a second action of a droplet (`StillWorking`): a repeat after a lost answer, too."""
        machine_id = spec.machine_id
        if not machine_id.isdecimal():
            raise not_found(f"droplet {machine_id} in {region}", provider=PROVIDER, operation=operation)
        path = f"/v2/droplets/{machine_id}"
        answer = await self._client.request("droplets.get", "GET", path, region=region, wants=("droplet",))
        with self._client.reading("droplets.get"):
            is_here = answer["droplet"]["region"]["slug"] == region
        if not is_here:
            raise not_found(f"droplet {machine_id} in {region}", provider=PROVIDER, operation=operation)
        body = {"type": "snapshot", "name": name_of(spec.token)}
        await self._client.request(operation, "POST", f"{path}/actions", region=region, document=body)

    async def _tag(self, region: str, image: Document, words: list[str]) -> None:
        """Idempotent. The token's comes first, so that an image with all tags has it."""
        there = {str(each).lower() for each in image["tags"]}
        resources = {"resources": [{"resource_id": str(image["id"]), "resource_type": "image"}]}
        for word in words:
            if word.lower() not in there:
                await self._client.request("tags.create", "POST", "/v2/tags", region=region, document={"name": word})
                path = f"/v2/tags/{quote(word)}/resources"
                await self._client.request("tags.assign", "POST", path, region=region, document=resources)

    async def _named(self, region: str, name: str) -> Document | None:
        found = [
            each
            async for page in self._private(region, PAGE_MAX)
            for each in page
            if each["name"] == name and region in each["regions"]
        ]
        return min(found, key=lambda each: int(each["id"]), default=None)

    async def _private(self, region: str, page_size: int) -> AsyncIterator[list[Document]]:
        query = {"private": "true"}
        async for page in pages_of(
            self._client, "images", _PATH, region=region, page_size=page_size, query=query
        ):  # fmt: skip
            with self._client.reading("images.list"):
                yield [each for each in page if each["type"] == "snapshot"]

    async def _is_coming(self, image_id: str, region: str) -> bool:
        """Whether it is being transferred to a region."""
        path = f"{_PATH}/{image_id}/actions"
        answer = await self._client.request(
            "images.actions", "GET", path, region=region, query={"per_page": PAGE_MAX}, wants=("actions",)
        )
        with self._client.reading("images.actions"):
            moves = [(each["type"], each["status"], each["region_slug"]) for each in answer["actions"]]
        return ("transfer", _UNDER_WAY, region) in moves

    async def _document(self, region: str, image_id: str) -> Document:
        if not image_id.isdecimal():
            raise not_found(f"image {image_id} of this account", provider=PROVIDER, operation="images.get")
        answer = await self._client.request(
            "images.get", "GET", f"{_PATH}/{image_id}", region=region, wants=("image",)
        )  # fmt: skip
        document: Document = answer["image"]
        with self._client.reading("images.get"):
            if document["regions"] is None or document["status"] is None:
                raise KeyError("regions")
        return document

    def _read(self, document: Document, region: str) -> MachineImage:
        with self._client.reading("images.get"):
            state = _STATES.get(str(document["status"]), ImageState.FAILED)
            is_here = region == GLOBAL_REGION or region in document["regions"]
            return MachineImage(
                id=str(document["id"]),
                state=ImageState.PENDING if state is ImageState.AVAILABLE and not is_here else state,
                region=region,
                machine_id=None,  # DigitalOcean does not say
                size_gib=int(document["min_disk_size"] or 0),
                captured_at=datetime.fromisoformat(document["created_at"]).astimezone(UTC),
                tags=from_words(document["tags"]),
                state_reason=str(document.get("error_message") or "") or None,
            )
