"""How is an instance walled in: a security group of the default network without any rule?"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.capabilities import Machines, Networks
from shared.clouds.errors import Conflict, NotFound, StillWorking
from shared.clouds.models import SecurityGroup


class AwsNetworks(Networks):
    """A group's name is unique in its network, so the name made of the token does what CreateSecurityGroup has no
    ClientToken for, and is what we find it by.
    """

    def __init__(self, client: AwsClient, machines: Machines) -> None:
        self._client = client
        self._machines = machines

    async def create_isolated_group(
        self, region: str, *, token: str, tags: Mapping[str, str], description: str
    ) -> SecurityGroup:
        """AWS gives a new group one rule, "everything out"; it is removed before the group is answered."""
        marked = aws_tags.specification(("security-group",), tags, token, operation="CreateSecurityGroup")
        try:
            answer = await self._client.call(
                "ec2",
                region,
                "CreateSecurityGroup",
                GroupName=aws_tags.name_of(token),
                Description=description,
                VpcId=await self._default_network(region),
                TagSpecifications=marked,
            )
            group_id = str(answer["GroupId"])
        except Conflict:
            known = await self.find_by_token(region, token)
            if known is None:
                raise
            group_id = known.id
        await self._remove_rules(region, group_id)
        return await self._confirmed(region, group_id)

    async def find_by_token(self, region: str, token: str) -> SecurityGroup | None:
        aws_tags.check_token(token, operation="find_by_token")
        names = [{"Name": "group-name", "Values": [aws_tags.name_of(token)]}]
        found = await self._described(region, Filters=names)
        return _group(found[0], region) if found else None

    async def of_machine(self, region: str, machine_id: str) -> tuple[str, ...]:
        return (await self._machines.get(region, machine_id)).security_groups

    async def delete_group(self, region: str, group_id: str) -> None:
        try:
            await self._client.call("ec2", region, "DeleteSecurityGroup", GroupId=group_id)
        except NotFound:
            return

    async def _default_network(self, region: str) -> str:
        defaults = [{"Name": "is-default", "Values": ["true"]}]
        answer = await self._client.call("ec2", region, "DescribeVpcs", Filters=defaults)
        if not answer["Vpcs"]:
            raise NotFound(
                "DefaultVpcDoesNotExist",
                f"{region} has no default network",
                provider=PROVIDER,
                operation="DescribeVpcs",
            )
        return str(answer["Vpcs"][0]["VpcId"])

    async def _remove_rules(self, region: str, group_id: str) -> None:
        [group] = await self._described(region, GroupIds=[group_id])
        for operation, rules in (
            ("RevokeSecurityGroupEgress", group["IpPermissionsEgress"]),
            ("RevokeSecurityGroupIngress", group["IpPermissions"]),
        ):
            if rules:
                with suppress(
                    NotFound
                ):  # another create of this token removed them meanwhile; what remains is looked at
                    await self._client.call("ec2", region, operation, GroupId=group_id, IpPermissions=rules)

    async def _confirmed(self, region: str, group_id: str) -> SecurityGroup:
        [group] = await self._described(region, GroupIds=[group_id])
        confirmed = _group(group, region)
        if confirmed.ingress_rules or confirmed.egress_rules:
            raise StillWorking(
                "rules_remain",
                f"{group_id} still shows rules after they were removed",
                provider=PROVIDER,
                operation="DescribeSecurityGroups",
            )
        return confirmed

    async def _described(self, region: str, **selection: Any) -> list[dict[str, Any]]:
        return [
            each
            async for page in self._client.pages("ec2", region, "DescribeSecurityGroups", **selection)
            for each in page.get("SecurityGroups", [])
        ]


def _group(group: Mapping[str, Any], region: str) -> SecurityGroup:
    return SecurityGroup(
        id=group["GroupId"],
        name=group["GroupName"],
        region=region,
        network_id=group.get("VpcId"),
        ingress_rules=len(group.get("IpPermissions", [])),
        egress_rules=len(group.get("IpPermissionsEgress", [])),
        tags=aws_tags.from_aws(group.get("Tags")),
    )
