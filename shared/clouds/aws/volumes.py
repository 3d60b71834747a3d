"""How are EBS volumes made from snapshots, and moved between instances?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.aws.times import in_utc_or_none
from shared.clouds.capabilities import ListsVolumes, Volumes
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.models import Volume, VolumeSpec, VolumeState
from shared.clouds.restoring import RestoresVolumes

_ROOT_DEVICES = ("/dev/xvda", "/dev/sda1")


class AwsVolumes(Volumes, RestoresVolumes, ListsVolumes):
    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def create_from_snapshot(self, region: str, spec: VolumeSpec) -> Volume:
        """CreateVolume honours the ClientToken."""
        answer = await self._client.call(
            "ec2",
            region,
            "CreateVolume",
            ClientToken=spec.token,
            AvailabilityZone=spec.zone,
            SnapshotId=spec.snapshot_id,
            TagSpecifications=aws_tags.specification(("volume",), spec.tags, spec.token, operation="CreateVolume"),
        )
        return _volume(answer, region)

    async def find_by_token(self, region: str, token: str) -> Volume | None:
        found = await self._described(region, Filters=aws_tags.token_filter(token))
        return found[0] if found else None

    async def get(self, region: str, volume_id: str) -> Volume:
        found = await self._described(region, VolumeIds=[volume_id])
        if not found:
            raise NotFound(
                "InvalidVolume.NotFound",
                f"There is no volume {volume_id}",
                provider=PROVIDER,
                operation="DescribeVolumes",
            )
        return found[0]

    async def of_machine(self, region: str, machine_id: str) -> list[Volume]:
        found = await self._described(region, Filters=[{"Name": "attachment.instance-id", "Values": [machine_id]}])
        return sorted(found, key=lambda each: (each.device_name not in _ROOT_DEVICES, each.device_name or ""))

    async def attach(self, region: str, volume_id: str, machine_id: str, device_name: str) -> None:
        """Repeated after a lost answer, EC2 says that the volume is in use: by whom decides."""
        try:
            await self._client.call(
                "ec2", region, "AttachVolume", VolumeId=volume_id, InstanceId=machine_id, Device=device_name
            )
        except Conflict:
            volume = await self.get(region, volume_id)
            if (volume.machine_id, volume.device_name) != (machine_id, device_name):
                raise

    async def detach(self, region: str, volume_id: str) -> None:
        try:
            volume = await self.get(region, volume_id)
            if volume.machine_id is not None:
                await self._client.call("ec2", region, "DetachVolume", VolumeId=volume_id, InstanceId=volume.machine_id)
        except NotFound:
            return

    async def delete(self, region: str, volume_id: str) -> None:
        try:
            await self._client.call("ec2", region, "DeleteVolume", VolumeId=volume_id)
        except NotFound:
            return

    async def pages(self, region: str, *, page_size: int = 500) -> AsyncIterator[list[Volume]]:
        """EC2 takes 5 to 1000 and recommends pages."""
        size = min(1000, max(5, page_size))
        async for page in self._client.pages("ec2", region, "DescribeVolumes", MaxResults=size):
            yield [_volume(each, region) for each in page.get("Volumes", [])]

    async def _described(self, region: str, **selection: Any) -> list[Volume]:
        return [
            _volume(each, region)
            async for page in self._client.pages("ec2", region, "DescribeVolumes", **selection)
            for each in page.get("Volumes", [])
        ]


def _volume(volume: Mapping[str, Any], region: str) -> Volume:
    attached: Mapping[str, Any] = next(
        (each for each in volume.get("Attachments", []) if each.get("State") != "detached"), {}
    )
    return Volume(
        id=volume["VolumeId"],
        state=VolumeState(volume["State"].replace("-", "_")),
        size_gib=volume["Size"],
        region=region,
        zone=volume["AvailabilityZone"],
        tags=aws_tags.from_aws(volume.get("Tags")),
        snapshot_id=volume.get("SnapshotId") or None,
        machine_id=attached.get("InstanceId"),
        device_name=attached.get("Device"),
        encrypted=volume.get("Encrypted"),
        created_at=in_utc_or_none(volume.get("CreateTime")),
    )
