"""How are EC2 instances made, read and changed?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER, from_state_reason, problems_of
from shared.clouds.aws.images import AwsImages
from shared.clouds.aws.machine_types import machine_types
from shared.clouds.aws.times import in_utc_or_none
from shared.clouds.capabilities import Machines
from shared.clouds.errors import Conflict, IncorrectState, InvalidRequest, NotFound, StillWorking
from shared.clouds.models import AttachedVolume, CapacityType, Machine, MachineSpec, MachineState

_STATES: Mapping[str, MachineState] = {
    "pending": MachineState.PENDING,
    "running": MachineState.RUNNING,
    "stopping": MachineState.STOPPING,
    "stopped": MachineState.STOPPED,
    "shutting-down": MachineState.SHUTTING_DOWN,
    "terminated": MachineState.TERMINATED,
}

_IN_MOTION = (MachineState.PENDING, MachineState.STOPPING)
_LEAVING = (MachineState.SHUTTING_DOWN, MachineState.TERMINATED)

_SPOT_MARKET: Mapping[str, Any] = {
    "MarketType": "spot",
    "SpotOptions": {"SpotInstanceType": "one-time", "InstanceInterruptionBehavior": "terminate"},
}
"""Without a largest price it is the price on demand. One that is asked for once never comes back by itself."""
_SPOT = "spot"


class AwsMachines(Machines):
    def __init__(self, client: AwsClient, images: AwsImages) -> None:
        self._client = client
        self._images = images

    async def create(self, region: str, spec: MachineSpec) -> Machine:
        """EC2 honours the ClientToken, so the SDK call itself may be repeated after a lost answer.

        It refuses a token whose instance is terminated, or whose other parameters changed (a default image that became
        newer between two tries changes them): then the instance that carries the token tag is the answer.
        """
        parameters = await self._run_parameters(region, spec)
        try:
            answer = await self._client.call("ec2", region, "RunInstances", **parameters)
        except NotFound as error:
            raise InvalidRequest(
                error.code,
                error.message,
                provider=PROVIDER,
                operation=error.operation,
                problems=problems_of(error.code, error.message),
            ) from None
        except Conflict:
            known = await self.find_by_token(region, spec.token)
            if known is None or not _made_for(known, spec):
                raise
            return known
        return _machine(answer["Instances"][0], region)

    async def find_by_token(self, region: str, token: str) -> Machine | None:
        """Never more than one on AWS; a living one before a terminated one where a cloud ignored the token."""
        found = [
            _machine(each, region)
            async for page in self._client.pages(
                "ec2", region, "DescribeInstances", Filters=aws_tags.token_filter(token)
            )
            for each in _instances(page)
        ]
        return min(found, key=lambda each: each.state is MachineState.TERMINATED, default=None)

    async def get(self, region: str, machine_id: str) -> Machine:
        page = await self._client.call("ec2", region, "DescribeInstances", InstanceIds=[machine_id])
        found = _instances(page)
        if not found:
            raise NotFound(
                "InvalidInstanceID.NotFound",
                f"There is no instance {machine_id}",
                provider=PROVIDER,
                operation="DescribeInstances",
            )
        return _machine(found[0], region)

    async def pages(self, region: str, *, page_size: int = 1000) -> AsyncIterator[list[Machine]]:
        """EC2 pages by instance and takes 5 to 1000."""
        size = min(1000, max(5, page_size))
        async for page in self._client.pages("ec2", region, "DescribeInstances", MaxResults=size):
            yield [_machine(each, region) for each in _instances(page)]

    async def start(self, region: str, machine_id: str) -> None:
        await self._change(region, machine_id, "StartInstances")

    async def stop(self, region: str, machine_id: str) -> None:
        await self._change(region, machine_id, "StopInstances")

    async def resize(self, region: str, machine_id: str, instance_type: str) -> None:
        """EC2 calls both a wrong type and a wrong state by codes of their own; see the table in errors.py."""
        machine = await self.get(region, machine_id)
        if machine.instance_type == instance_type:
            return
        if machine.state is not MachineState.STOPPED:
            raise IncorrectState(
                "IncorrectInstanceState", f"{machine_id} is {machine.state}", provider=PROVIDER,
                operation="ModifyInstanceAttribute",
            )  # fmt: skip
        await self._client.call(
            "ec2", region, "ModifyInstanceAttribute", InstanceId=machine_id, InstanceType={"Value": instance_type}
        )

    async def terminate(self, region: str, machine_id: str) -> None:
        try:
            await self._client.call("ec2", region, "TerminateInstances", InstanceIds=[machine_id])
        except NotFound:
            return

    async def tag(self, region: str, machine_id: str, tags: Mapping[str, str]) -> None:
        listed = aws_tags.to_aws(tags, operation="CreateTags")
        await self._client.call("ec2", region, "CreateTags", Resources=[machine_id], Tags=listed)

    async def _change(self, region: str, machine_id: str, operation: str) -> None:
        """EC2 says "incorrect state" both for "not yet" and for "never again"; the state tells which."""
        try:
            await self._client.call("ec2", region, operation, InstanceIds=[machine_id])
        except IncorrectState as error:
            machine = await self.get(region, machine_id)
            if machine.state not in _IN_MOTION:
                raise
            raise StillWorking(
                error.code, f"{machine_id} is {machine.state}", provider=PROVIDER, operation=operation
            ) from None

    async def _run_parameters(self, region: str, spec: MachineSpec) -> dict[str, Any]:
        marked = aws_tags.specification(("instance", "volume"), spec.tags, spec.token, operation="RunInstances")
        known = machine_types().get(spec.instance_type)
        architecture = "x86_64" if known is None else known.architecture
        image = spec.image or (await self._images.newest_default(region, architecture=architecture)).id
        parameters: dict[str, Any] = {
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": spec.token,
            "ImageId": image,
            "InstanceType": spec.instance_type,
            "Monitoring": {"Enabled": spec.detailed_monitoring},
            "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"},  # no token, no role credentials
            "TagSpecifications": marked,
        }
        if spec.zone is not None:
            parameters["Placement"] = {"AvailabilityZone": spec.zone}
        if spec.subnet_id is not None:
            parameters["SubnetId"] = spec.subnet_id
        if spec.security_groups:
            parameters["SecurityGroupIds"] = list(spec.security_groups)
        if spec.capacity_type is CapacityType.SPOT:
            parameters["InstanceMarketOptions"] = _SPOT_MARKET
        if spec.root_volume_gib is not None:
            parameters["BlockDeviceMappings"] = [await self._root(region, image, spec.root_volume_gib)]
        return parameters

    async def _root(self, region: str, image_id: str, size_gib: int) -> dict[str, Any]:
        image = await self._images.get(region, image_id)
        return {
            "DeviceName": image.root_device_name or "/dev/xvda",
            "Ebs": {"VolumeSize": size_gib, "DeleteOnTermination": True},
        }


def _made_for(machine: Machine, spec: MachineSpec) -> bool:
    wanted = (spec.instance_type, spec.capacity_type)
    return (machine.instance_type, machine.capacity_type) == wanted and spec.image in {None, machine.image}


def _instances(page: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for reservation in page.get("Reservations", []) for each in reservation.get("Instances", [])]


def _machine(instance: Mapping[str, Any], region: str) -> Machine:
    monitoring = instance.get("Monitoring", {}).get("State")
    state, reason = _STATES[instance["State"]["Name"]], instance.get("StateReason", {})
    return Machine(
        id=instance["InstanceId"],
        state=state,
        instance_type=instance["InstanceType"],
        image=instance["ImageId"],
        region=region,
        zone=instance.get("Placement", {}).get("AvailabilityZone"),
        tags=aws_tags.from_aws(instance.get("Tags")),
        private_ip=instance.get("PrivateIpAddress") or None,
        public_ip=instance.get("PublicIpAddress") or None,
        subnet_id=instance.get("SubnetId") or None,
        network_id=instance.get("VpcId") or None,
        security_groups=tuple(each["GroupId"] for each in instance.get("SecurityGroups", [])),
        launched_at=in_utc_or_none(instance.get("LaunchTime")),
        state_reason=reason.get("Message") or None,
        failure=from_state_reason(reason, operation="RunInstances") if state in _LEAVING else None,
        architecture=instance.get("Architecture"),
        root_device_name=instance.get("RootDeviceName"),
        volumes=tuple(
            AttachedVolume(each["Ebs"]["VolumeId"], each["DeviceName"])
            for each in instance.get("BlockDeviceMappings", [])
            if "Ebs" in each
        ),
        detailed_monitoring=None if monitoring is None else monitoring in {"enabled", "pending"},
        capacity_type=CapacityType.SPOT if instance.get("InstanceLifecycle") == _SPOT else CapacityType.ON_DEMAND,
    )
