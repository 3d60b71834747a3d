"""What do virtual machines boot from: the newest Ubuntu LTS, another image, or a snapshot?

A snapshot holds a system as it was ("specialized"): Azure boots such a one from a disk made of it, not through a
managed image, which is for systems that were prepared ("generalized"). So an image that we register is a managed image
marked `Specialized` that says which snapshot it is, and a machine made from it gets a disk of that snapshot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.clouds.azure import facts, names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.ground import AzureGround, until_provisioned
from shared.clouds.capabilities import Images
from shared.clouds.errors import FieldProblem, IncorrectState, InvalidRequest, NotFound
from shared.clouds.models import TOKEN_TAG, Image, ImageSpec, ImageState

_PUBLISHER, _OFFER = "Canonical", "ubuntu-24_04-lts"
_SKUS: Mapping[str, str] = {"x86_64": "server", "arm64": "server-arm64"}
_DEFAULT_KEPT_S = 3600.0
_STATES: Mapping[str, ImageState] = {
    "Succeeded": ImageState.AVAILABLE,
    "Creating": ImageState.PENDING,
    "Updating": ImageState.PENDING,
    "Deleting": ImageState.DEREGISTERED,
}


@dataclass(frozen=True, slots=True)
class Boot:
    """What a machine boots from: `reference` is Azure's `imageReference`; with `snapshot_id`, a disk of it."""

    image: str
    reference: Mapping[str, str]
    snapshot_id: str | None = None


class AzureImages(Images):
    """An image's name is made of its token, so a repeated PUT is the same image."""

    def __init__(
        self, client: AzureClient, ground: AzureGround, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._ground = ground
        self._monotonic_s = monotonic_s
        self._newest: dict[tuple[str, str], tuple[float, Image]] = {}

    async def newest_default(self, region: str, *, architecture: str = "x86_64") -> Image:
        """Its id is `publisher:offer:sku:version`. Kept for an hour: Canonical releases every few weeks."""
        kept = self._newest.get((region, architecture))
        now_s = self._monotonic_s()
        if kept is not None and now_s - kept[0] < _DEFAULT_KEPT_S:
            return kept[1]
        sku = _SKUS.get(architecture)
        found = [] if sku is None else await self._versions(region, sku)
        if not found:
            raise _not_found(f"No Ubuntu image for {architecture} in {region}")
        image = Image(
            id=f"{_PUBLISHER}:{_OFFER}:{sku}:{found[0]['name']}",
            state=ImageState.AVAILABLE,
            name=f"{_OFFER} {found[0]['name']}",
            region=region,
            architecture=architecture,
            root_device_name=facts.ROOT_DEVICE,
            snapshot_ids=(),
            tags={},
        )
        self._newest[region, architecture] = (now_s, image)
        return image

    async def boot(self, region: str, image: str | None, *, architecture: str) -> Boot:
        """How to boot from an image. `InvalidRequest` with field `image` for one that does not exist."""
        chosen = image or (await self.newest_default(region, architecture=architecture)).id
        if not chosen.startswith("/"):
            publisher, offer, sku, version = (chosen.split(":") + [""] * 4)[:4]
            return Boot(chosen, {"publisher": publisher, "offer": offer, "sku": sku, "version": version})
        try:
            known = await self._read(region, names.place_of(chosen, names.IMAGE), chosen)
        except NotFound as error:
            if names.IMAGE.lower() not in chosen.lower():
                return Boot(chosen, {"id": chosen})  # of a gallery: Azure says whether there is one
            problem = FieldProblem("image", error.message)
            raise InvalidRequest(
                error.code, error.message, provider=PROVIDER, operation=error.operation, problems=(problem,)
            ) from None
        root = known["properties"]["storageProfile"]["osDisk"]
        if root.get("osState") == "Specialized" and root.get("snapshot"):
            return Boot(chosen, {"id": chosen}, names.canonical(root["snapshot"]["id"]))
        return Boot(chosen, {"id": chosen})

    async def disk_from(
        self,
        region: str,
        snapshot_id: str,
        disk_name: str,
        *,
        zone: str | None,
        size_gib: int | None,
        tags: Mapping[str, str],
    ) -> str:
        """The id of a disk made of a snapshot, when Azure has it ready to boot from."""
        group = await self._ground.group(region)

        async def read() -> Any:
            return await self._client.call("compute", "disks.get", group, disk_name, region=region)

        body = {
            "location": region,
            "tags": dict(tags),
            "zones": facts.zones_for(region, zone),
            "sku": {"name": "StandardSSD_LRS"},
            "properties": {
                "creationData": {"createOption": "Copy", "sourceResourceId": snapshot_id},
                **({"diskSizeGB": size_gib} if size_gib is not None else {}),
            },
        }
        made = await self._client.call("compute", "disks.begin_create_or_update", group, disk_name, body, region=region)
        ready = await until_provisioned(made, read)
        return names.canonical(ready["id"])

    async def register(self, region: str, spec: ImageSpec) -> Image:
        """Azure makes no managed image for ARM (learn.microsoft.com/azure/virtual-machines/capture-image-resource)."""
        operation = "images.create_or_update"
        tags = azure_tags.marked(spec.tags, spec.token, operation=operation)
        tags[azure_tags.ARCHITECTURE_TAG] = spec.architecture
        name, group = names.name_of(spec.token), await self._ground.group(region)
        place = names.place_of(spec.root_snapshot_id, names.SNAPSHOT)
        snapshot = await self._client.call("compute", "snapshots.get", place.group, place.name, region=region)
        if snapshot["properties"]["provisioningState"] != "Succeeded" or not _whole(snapshot["properties"]):
            raise IncorrectState(
                "SnapshotNotReady", f"{spec.root_snapshot_id} is not completed", provider=PROVIDER, operation=operation
            )
        root = {
            "osType": snapshot["properties"].get("osType") or "Linux",
            "osState": "Specialized",
            "snapshot": {"id": spec.root_snapshot_id},
        }
        body = {
            "location": region,
            "tags": tags,
            "properties": {
                "hyperVGeneration": snapshot["properties"].get("hyperVGeneration") or "V1",
                "storageProfile": {"osDisk": root},
            },
        }
        answer = await self._client.call("compute", "images.begin_create_or_update", group, name, body, region=region)
        return _image(answer)

    async def find_by_token(self, region: str, token: str) -> Image | None:
        try:
            answer = await self._client.call(
                "compute", "images.get", names.group_of(region), names.name_of(token), region=region
            )
        except NotFound:
            return None
        image = _image(answer)
        return image if image.tags.get(TOKEN_TAG) == token else None

    async def get(self, region: str, image_id: str) -> Image:
        """Of our images and the tenant's; a platform image (`publisher:offer:sku:version`) is known by its name."""
        if not image_id.startswith("/"):
            return await self._platform(region, image_id)
        return _image(await self._read(region, names.place_of(image_id, names.IMAGE), image_id))

    async def deregister(self, region: str, image_id: str) -> None:
        try:
            place = names.place_of(image_id, names.IMAGE)
            await self._client.call("compute", "images.begin_delete", place.group, place.name, region=region)
        except NotFound:
            return

    async def _platform(self, region: str, image_id: str) -> Image:
        for architecture, sku in _SKUS.items():
            prefix = f"{_PUBLISHER}:{_OFFER}:{sku}:"
            versions = await self._versions(region, sku, top=None) if image_id.startswith(prefix) else []
            if image_id.removeprefix(prefix) in {each["name"] for each in versions}:
                return Image(image_id, ImageState.AVAILABLE, image_id, region, architecture, facts.ROOT_DEVICE, (), {})
        raise _not_found(f"There is no image {image_id[:200]} in {region}")

    async def _versions(self, region: str, sku: str, *, top: int | None = 1) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = await self._client.call(
                "compute", "virtual_machine_images.list", region, _PUBLISHER, _OFFER, sku, top=top,
                orderby="name desc", region=region,
            )  # fmt: skip
        except NotFound:
            return []
        return found

    async def _read(self, region: str, place: names.Place, image_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self._client.call(
            "compute", "images.get", place.group, place.name, region=region
        )
        if answer["location"] != region or not names.same(answer["id"], image_id):
            raise _not_found(f"There is no image {place.name} in {region}")
        return answer


def _whole(snapshot: Mapping[str, Any]) -> bool:
    return float(snapshot.get("completionPercent", 100)) >= 100


def _image(answer: Mapping[str, Any]) -> Image:
    tags = answer.get("tags") or {}
    root = answer["properties"]["storageProfile"]["osDisk"]
    snapshot = (root.get("snapshot") or {}).get("id")
    return Image(
        id=names.canonical(answer["id"]),
        state=_STATES.get(answer["properties"]["provisioningState"], ImageState.FAILED),
        name=answer["name"],
        region=answer["location"],
        architecture=tags.get(azure_tags.ARCHITECTURE_TAG, "x86_64"),
        root_device_name=facts.ROOT_DEVICE,
        snapshot_ids=() if snapshot is None else (names.canonical(snapshot),),
        tags=azure_tags.from_azure(tags),
    )


def _not_found(message: str) -> NotFound:
    return NotFound("ImageNotFound", message, provider=PROVIDER, operation="images.get")
