"""What do instances boot from: the newest Debian, or an image made of a snapshot?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from shared.clouds.capabilities import Images
from shared.clouds.errors import Conflict, FieldProblem, InvalidRequest, NotFound
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project, in_utc_or_none, last_part
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.gcp.instances import ROOT_DEVICE, architecture_of, architecture_to_google
from shared.clouds.gcp.operations import Operations
from shared.clouds.models import Image, ImageSpec, ImageState

_DEFAULT_PROJECT = "debian-cloud"
_DEFAULT_FAMILIES: Mapping[str, str] = {"x86_64": "debian-12", "arm64": "debian-12-arm64"}
_DEFAULT_KEPT_S = 3600.0

_STATES: Mapping[str, ImageState] = {
    "PENDING": ImageState.PENDING,
    "READY": ImageState.AVAILABLE,
    "FAILED": ImageState.FAILED,
    "DELETING": ImageState.DEREGISTERED,
}


class GcpImages(Images):
    """Images are global: one can be used in every region. Each of ours has a name made of its region and token, which
    makes its creation repeatable and is what we find it by. Google's images know no root device; ours keep its name.
    """

    def __init__(self, client: GcpClient, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._operations = Operations(client)
        self._monotonic_s = monotonic_s
        self._newest: dict[str, tuple[float, Any]] = {}

    async def newest_default(self, region: str, *, architecture: str = "x86_64") -> Image:
        """Kept for an hour: Debian releases every few weeks."""
        family = _DEFAULT_FAMILIES.get(architecture)
        if family is None:
            raise _not_found(f"No Debian image for {architecture}")
        kept = self._newest.get(architecture)
        now_s = self._monotonic_s()
        if kept is None or now_s - kept[0] >= _DEFAULT_KEPT_S:
            parts = ("global", "images", "family", family)
            found = await self._client.read("images.getFromFamily", region, *parts, project=_DEFAULT_PROJECT)
            kept = self._newest[architecture] = (now_s, found)
        return _image(kept[1], region)

    async def register(self, region: str, spec: ImageSpec) -> Image:
        """Stored in the region of its snapshot. Answers when Google accepted it: read until it is available."""
        tags = gcp_tags.marked(spec.tags, spec.token, operation="images.insert")
        name = gcp_tags.name_of(spec.token, region)
        body = {
            "name": name,
            "description": gcp_tags.to_description(
                tags, operation="images.insert", root_device_name=spec.root_device_name
            ),
            "labels": gcp_tags.to_labels(tags),
            "source_snapshot": f"projects/{self._client.project}/global/snapshots/{spec.root_snapshot_id}",
            "storage_locations": [region],
            "architecture": architecture_to_google(spec.architecture),
        }
        try:
            operation = await self._client.call("images", "insert_unary", region, image_resource=body)
        except Conflict as error:
            if error.code != "alreadyExists":
                raise
            operation = None
        try:
            return _image(await self._read(region, name), region)
        except NotFound:
            if operation is not None:
                await self._operations.settled(operation, region, name="images.insert")
            return self._accepted(region, name, spec, tags)

    async def find_by_token(self, region: str, token: str) -> Image | None:
        gcp_tags.check_token(token, operation="find_by_token")
        try:
            found = await self._read(region, gcp_tags.name_of(token, region))
        except NotFound:
            return None
        return _image(found, region)

    async def get(self, region: str, image_id: str) -> Image:
        project, name = _parts(image_id)
        return _image(await self._read(region, name, project), region)

    async def deregister(self, region: str, image_id: str) -> None:
        project, name = _parts(image_id)
        try:
            await self._client.call("images", "delete_unary", region, project=project, image=name)
        except NotFound:
            return

    async def root_device(self, region: str, image_id: str) -> str:
        """What the boot disk's device is to be called in a machine made of this image."""
        if not image_id.startswith(f"projects/{self._client.project}/global/images/") or "/family/" in image_id:
            return ROOT_DEVICE
        try:
            return (await self.get(region, image_id)).root_device_name or ROOT_DEVICE
        except NotFound:
            return ROOT_DEVICE  # the create that asks is told so by its own field

    async def source_snapshot(self, region: str, image: str) -> str | None:
        """The snapshot that an image of this project was made of; None for other images, and for one that is gone."""
        project, name = _parts(image)
        if project != self._client.project:
            return None
        try:
            found = await self._read(region, name)
        except NotFound:
            return None
        return last_part(found.get("sourceSnapshot", "")) or None

    async def _read(self, region: str, name: str, project: str | None = None) -> dict[str, Any]:
        return await self._client.read("images.get", region, "global", "images", name, project=project)

    def _accepted(self, region: str, name: str, spec: ImageSpec, tags: Mapping[str, str]) -> Image:
        """What was accepted may not be readable yet; then this is what we know of it."""
        return Image(
            id=f"projects/{self._client.project}/global/images/{name}",
            state=ImageState.PENDING,
            name=name,
            region=region,
            architecture=spec.architecture,
            root_device_name=spec.root_device_name,
            snapshot_ids=(spec.root_snapshot_id,),
            tags=dict(tags),
        )


def _image(image: Mapping[str, Any], region: str) -> Image:
    description, snapshot = image.get("description", ""), image.get("sourceSnapshot")
    return Image(
        id=from_project(image["selfLink"]),
        state=_STATES.get(image["status"], ImageState.FAILED),
        name=image["name"],
        region=region,
        architecture=architecture_of(image.get("architecture", "")),
        root_device_name=gcp_tags.fact_of(description, "root_device_name") or ROOT_DEVICE,
        snapshot_ids=(last_part(snapshot),) if snapshot else (),
        tags=gcp_tags.from_description(description, image.get("labels", {})),
        created_at=in_utc_or_none(image.get("creationTimestamp")),
    )


def _parts(image_id: str) -> tuple[str, str]:
    """Project and name; `InvalidRequest` for what is no image's id."""
    parts = image_id.split("/")
    if len(parts) != 5 or (parts[0], *parts[2:4]) != ("projects", "global", "images"):
        detail = "is projects/<project>/global/images/<name>"
        raise InvalidRequest(
            "invalid", f"image {detail}", provider=PROVIDER, operation="images.get",
            problems=(FieldProblem("image", detail),),
        )  # fmt: skip
    return parts[1], parts[4]


def _not_found(message: str) -> NotFound:
    return NotFound("notFound", message, provider=PROVIDER, operation="images.getFromFamily")
