"""How are VPCs made, found, changed and removed, with a private subnet in each of some zones?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from ipaddress import IPv4Network
from itertools import islice
from typing import Any

from shared.clouds.assets import Asset, Assets, AssetSpec, AssetState
from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.asset_models import subnet_prefix
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.database_subnets import remove_subnet_group
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.errors import CloudError, Conflict, FieldProblem, InvalidRequest, NotFound, StillWorking
from shared.clouds.models import TOKEN_TAG

_STATES: Mapping[str, AssetState] = {"pending": AssetState.CREATING, "available": AssetState.AVAILABLE}


class AwsPrivateNetworks(Assets):
    """CreateVpc knows no token of a client, and a VPC no unique name: who makes one looks for its tag first.

    So a repeat after another makes one VPC. At the same time within a process a lock sees to it, and between processes
    the lease of the saga that creates: two that never ran at once cannot make two. A subnet says by its place in the
    network's addresses which one it is, so that a repeat makes the missing ones. There is no way to the internet.
    """

    resource_type = "network"
    resource_subtype = "vpc"
    is_global = False

    def __init__(self, client: AwsClient) -> None:
        self._client = client
        self._making = asyncio.Lock()

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        marked = aws_tags.specification(("vpc",), spec.tags, spec.token, operation="CreateVpc")
        async with self._making:
            known = await self._by_token(region, spec.token)
            if known is None:
                block = spec.configuration["cidr_block"]
                answer = await self._client.call("ec2", region, "CreateVpc", CidrBlock=block, TagSpecifications=marked)
                known = answer["Vpc"]
            try:
                return await self._complete(region, known["VpcId"], spec)
            except NotFound as error:  # EC2 shows a new thing to other calls only after a while
                raise _not_yet(error) from None

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        found = await self._by_token(region, token)
        return None if found is None else (await self._read(region, [found]))[0]

    async def get(self, region: str, asset_id: str) -> Asset:
        answer = await self._client.call("ec2", region, "DescribeVpcs", VpcIds=[asset_id])
        return (await self._read(region, answer["Vpcs"]))[0]

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """EC2 pages networks by 5 to 1000."""
        size = min(1000, max(5, page_size))
        async for page in self._client.pages("ec2", region, "DescribeVpcs", MaxResults=size):
            yield await self._read(region, page["Vpcs"])

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        hostnames = {"Value": configuration["dns_hostnames"]}
        await self._client.call("ec2", region, "ModifyVpcAttribute", VpcId=asset_id, EnableDnsHostnames=hostnames)

    async def delete(self, region: str, asset_id: str) -> None:
        """First is looked whether something has an address in it: a network half taken down helps nobody."""
        try:
            [network] = (await self._client.call("ec2", region, "DescribeVpcs", VpcIds=[asset_id]))["Vpcs"]
        except NotFound:
            return
        inside = [{"Name": "vpc-id", "Values": [asset_id]}]
        found = await self._client.call("ec2", region, "DescribeNetworkInterfaces", Filters=inside, MaxResults=5)
        if found["NetworkInterfaces"]:
            raise Conflict(
                "DependencyViolation", f"{asset_id} is in use", provider=PROVIDER, operation="DescribeNetworkInterfaces"
            )
        token = aws_tags.from_aws(network.get("Tags")).get(TOKEN_TAG)
        if token is not None:
            await self._remove_made_beside(region, asset_id, token)
        try:
            await self._client.call("ec2", region, "DeleteVpc", VpcId=asset_id)
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        listed = aws_tags.to_aws(tags, operation="CreateTags")
        await self._client.call("ec2", region, "CreateTags", Resources=[asset_id], Tags=listed)

    async def _by_token(self, region: str, token: str) -> dict[str, Any] | None:
        async for page in self._client.pages("ec2", region, "DescribeVpcs", Filters=aws_tags.token_filter(token)):
            for each in page["Vpcs"]:
                return dict(each)
        return None

    async def _complete(self, region: str, network_id: str, spec: AssetSpec) -> Asset:
        wanted = subnets_of(spec.configuration["cidr_block"], spec.configuration["zones"])
        there = {each["CidrBlock"] for each in await self._subnets(region, [network_id])}
        missing = [(number, block) for number, block in enumerate(wanted) if block not in there]
        if missing:
            zones = await self._zones(region, len(wanted))
            marked = aws_tags.specification(("subnet",), spec.tags, spec.token, operation="CreateSubnet")
            for number, block in missing:
                await self._client.call(
                    "ec2", region, "CreateSubnet", VpcId=network_id, CidrBlock=block, AvailabilityZone=zones[number],
                    TagSpecifications=marked,
                )  # fmt: skip
        await self.change(region, network_id, spec.configuration)
        return await self.get(region, network_id)

    async def _zones(self, region: str, count: int) -> list[str]:
        """The first of the region's zones that take things now."""
        wanted = [{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
        answer = await self._client.call("ec2", region, "DescribeAvailabilityZones", Filters=wanted)
        names = sorted(each["ZoneName"] for each in answer["AvailabilityZones"])
        if len(names) < count:
            detail = f"is at most {len(names)} in {region}"
            raise InvalidRequest(
                "too_many_zones", f"zones {detail}", provider=PROVIDER, operation="CreateSubnet",
                problems=(FieldProblem("zones", detail),),
            )  # fmt: skip
        return names[:count]

    async def _subnets(self, region: str, network_ids: Sequence[str]) -> list[dict[str, Any]]:
        inside = [{"Name": "vpc-id", "Values": list(network_ids)}]
        return [
            each
            async for page in self._client.pages("ec2", region, "DescribeSubnets", Filters=inside)
            for each in page["Subnets"]
        ]

    async def _remove_made_beside(self, region: str, network_id: str, token: str) -> None:
        await remove_subnet_group(self._client, region, network_id)
        for subnet in await self._subnets(region, [network_id]):
            if aws_tags.from_aws(subnet.get("Tags")).get(TOKEN_TAG) == token:
                try:
                    await self._client.call("ec2", region, "DeleteSubnet", SubnetId=subnet["SubnetId"])
                except NotFound:
                    continue

    async def _read(self, region: str, networks: Sequence[Mapping[str, Any]]) -> list[Asset]:
        if not networks:
            return []
        ids = [each["VpcId"] for each in networks]
        subnets, *hostnames = await asyncio.gather(
            self._subnets(region, ids), *(self._hostnames(region, each) for each in ids)
        )
        return [
            _network(each, region, [subnet for subnet in subnets if subnet["VpcId"] == each["VpcId"]], has)
            for each, has in zip(networks, hostnames, strict=True)
        ]

    async def _hostnames(self, region: str, network_id: str) -> dict[str, bool]:
        """As the configuration has it; nothing for one that went meanwhile."""
        try:
            answer = await self._client.call(
                "ec2", region, "DescribeVpcAttribute", VpcId=network_id, Attribute="enableDnsHostnames"
            )
        except NotFound:
            return {}
        return {"dns_hostnames": bool(answer["EnableDnsHostnames"]["Value"])}


def subnets_of(block: str, count: int) -> list[str]:
    """The first `count` parts of a network's addresses, a sixteenth each (a /28 is the smallest subnet there is)."""
    network = IPv4Network(block)
    return [str(each) for each in islice(network.subnets(new_prefix=subnet_prefix(network)), count)]


def _network(
    network: Mapping[str, Any], region: str, subnets: Sequence[Mapping[str, Any]], hostnames: Mapping[str, bool]
) -> Asset:
    tags = aws_tags.from_aws(network.get("Tags"))
    shown = sorted(
        ({"id": each["SubnetId"], "zone": each["AvailabilityZone"], "cidr_block": each["CidrBlock"]}
         for each in subnets if "CidrBlock" in each),
        key=lambda each: str(each["id"]),
    )  # fmt: skip
    zones = len({each["zone"] for each in shown})
    return Asset(
        id=network["VpcId"],
        name=tags.get("Name", network["VpcId"]),
        state=_STATES.get(network.get("State", ""), AssetState.AVAILABLE),
        region=region,
        tags=tags,
        configuration={"cidr_block": network["CidrBlock"], "zones": zones, **hostnames},
        facts={"is_default": bool(network.get("IsDefault")), "subnets": shown},
    )


def _not_yet(error: CloudError) -> StillWorking:
    return StillWorking(error.code, error.message, provider=PROVIDER, operation=error.operation)
