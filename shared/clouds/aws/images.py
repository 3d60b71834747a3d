"""What do EC2 instances boot from: the newest Amazon Linux, or an image made of a snapshot?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.capabilities import Images
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.models import Image, ImageSpec, ImageState

_DEFAULT_NAMES = ("al2023-ami-2023.*", "amzn2-ami-hvm-2.*")
"""Amazon Linux 2023, else 2. Minimal and ECS images begin otherwise."""

_DEFAULT_KEPT_S = 3600.0

_STATES: Mapping[str, ImageState] = {
    "available": ImageState.AVAILABLE,
    "pending": ImageState.PENDING,
    "transient": ImageState.PENDING,
    "deregistered": ImageState.DEREGISTERED,
}


class AwsImages(Images):
    """An image's name is unique in its account and region, so the name made of the token does what RegisterImage has no
    ClientToken for, and is what we find it by.
    """

    def __init__(self, client: AwsClient, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic_s = monotonic_s
        self._newest: dict[tuple[str, str], tuple[float, Image]] = {}

    async def newest_default(self, region: str, *, architecture: str = "x86_64") -> Image:
        """Kept for an hour: the answer is long, and Amazon releases every few weeks."""
        kept = self._newest.get((region, architecture))
        now_s = self._monotonic_s()
        if kept is not None and now_s - kept[0] < _DEFAULT_KEPT_S:
            return kept[1]
        for pattern in _DEFAULT_NAMES:
            found = await self._described(
                region,
                Owners=["amazon"],
                Filters=[
                    {"Name": "name", "Values": [pattern]},
                    {"Name": "architecture", "Values": [architecture]},
                    {"Name": "root-device-type", "Values": ["ebs"]},
                    {"Name": "state", "Values": ["available"]},
                ],
            )
            if found:
                newest = max(found, key=lambda each: (str(each.created_at or ""), each.name))
                self._newest[region, architecture] = (now_s, newest)
                return newest
        raise _not_found(f"No Amazon Linux image for {architecture} in {region}")

    async def register(self, region: str, spec: ImageSpec) -> Image:
        marked = aws_tags.specification(("image",), spec.tags, spec.token, operation="RegisterImage")
        try:
            answer = await self._client.call(
                "ec2",
                region,
                "RegisterImage",
                Name=aws_tags.name_of(spec.token),
                Description=f"Root volume from {spec.root_snapshot_id}",
                Architecture=spec.architecture,
                RootDeviceName=spec.root_device_name,
                VirtualizationType="hvm",
                EnaSupport=True,
                BlockDeviceMappings=[
                    {
                        "DeviceName": spec.root_device_name,
                        "Ebs": {"SnapshotId": spec.root_snapshot_id, "DeleteOnTermination": True},
                    }
                ],
                TagSpecifications=marked,
            )
        except Conflict:
            known = await self.find_by_token(region, spec.token)
            if known is None:
                raise
            return known
        return _registered(answer["ImageId"], region, spec, marked[0]["Tags"])

    async def find_by_token(self, region: str, token: str) -> Image | None:
        aws_tags.check_token(token, operation="find_by_token")
        names = [{"Name": "name", "Values": [aws_tags.name_of(token)]}]
        found = await self._described(region, Owners=["self"], Filters=names)
        return found[0] if found else None

    async def get(self, region: str, image_id: str) -> Image:
        found = await self._described(region, ImageIds=[image_id])
        if not found:
            raise _not_found(f"There is no image {image_id}")
        return found[0]

    async def deregister(self, region: str, image_id: str) -> None:
        try:
            await self._client.call("ec2", region, "DeregisterImage", ImageId=image_id)
        except NotFound:
            return

    async def _described(self, region: str, **selection: Any) -> list[Image]:
        return [
            _image(each, region)
            async for page in self._client.pages("ec2", region, "DescribeImages", **selection)
            for each in page.get("Images", [])
        ]


def _registered(image_id: str, region: str, spec: ImageSpec, listed: list[dict[str, str]]) -> Image:
    """RegisterImage answers only an id, which may not be readable yet; the rest is what we asked for."""
    return Image(
        id=image_id,
        state=ImageState.PENDING,
        name=aws_tags.name_of(spec.token),
        region=region,
        architecture=spec.architecture,
        root_device_name=spec.root_device_name,
        snapshot_ids=(spec.root_snapshot_id,),
        tags=aws_tags.from_aws(listed),
    )


def _image(image: Mapping[str, Any], region: str) -> Image:
    created_at = image.get("CreationDate")
    return Image(
        id=image["ImageId"],
        state=_STATES.get(image.get("State", "available"), ImageState.FAILED),
        name=image.get("Name", ""),
        region=region,
        architecture=image.get("Architecture"),
        root_device_name=image.get("RootDeviceName"),
        snapshot_ids=tuple(
            each["Ebs"]["SnapshotId"]
            for each in image.get("BlockDeviceMappings", [])
            if "SnapshotId" in each.get("Ebs", {})
        ),
        tags=aws_tags.from_aws(image.get("Tags")),
        created_at=None if created_at is None else datetime.fromisoformat(created_at),
    )


def _not_found(message: str) -> NotFound:
    return NotFound("InvalidAMIID.NotFound", message, provider=PROVIDER, operation="DescribeImages")
