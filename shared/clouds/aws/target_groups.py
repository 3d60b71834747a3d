"""Where does a load balancer send what it takes? To the machines of a target group, which its listener names."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.errors import Conflict, NotFound, StillWorking
from shared.clouds.models import TOKEN_TAG

_SERVICE = "elbv2"
_TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and 1.3 only; what AWS advises ("Security policies for your Application Load Balancer")."""
_LEAVING = "draining"


class TargetGroups:
    """One group for each load balancer of ours, by its name."""

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def complete(
        self, region: str, balancer: Mapping[str, Any], configuration: Mapping[str, Any], tags: Sequence[Any]
    ) -> None:
        """Make what is missing of group, listener and targets. Idempotent, also at the same time."""
        name, arn = balancer["LoadBalancerName"], balancer["LoadBalancerArn"]
        group = await self._named(region, name)
        if group is None:
            group = await self._create(region, name, balancer["VpcId"], configuration, tags)
        listeners = await self._client.call(_SERVICE, region, "DescribeListeners", LoadBalancerArn=arn)
        if not listeners["Listeners"]:
            await self._listen(region, arn, group["TargetGroupArn"], configuration, tags)
        await self._set(region, group, configuration)

    async def of(self, region: str, balancer_arn: str) -> list[dict[str, Any]]:
        """Those that its listeners send to, by name."""
        answer = await self._client.call(_SERVICE, region, "DescribeTargetGroups", LoadBalancerArn=balancer_arn)
        return sorted(answer["TargetGroups"], key=lambda each: str(each["TargetGroupName"]))

    async def machines(self, region: str, groups: Sequence[Mapping[str, Any]]) -> list[str]:
        """The machines among the targets of the groups; those on their way out are none."""
        registered = await asyncio.gather(
            *(self._registered(region, each["TargetGroupArn"]) for each in groups if each["TargetType"] == "instance")
        )
        return sorted({machine for each in registered for machine in each})

    async def change(self, region: str, balancer_arn: str, configuration: Mapping[str, Any]) -> None:
        """Of the first group: ours have no other."""
        groups = await self.of(region, balancer_arn)
        if groups:
            await self._set(region, groups[0], configuration)

    async def remove(self, region: str, balancer_arn: str) -> None:
        """The group of a load balancer that is gone, unless another of its name has it now. Idempotent.

        `StillWorking` while AWS still counts the old listener as its user.
        """
        group = await self._named(region, balancer_arn.split("/")[-2])
        if group is None or set(group.get("LoadBalancerArns", [])) - {balancer_arn}:
            return
        arn = group["TargetGroupArn"]
        try:
            told = await self._client.call(_SERVICE, region, "DescribeTags", ResourceArns=[arn])
            if TOKEN_TAG in aws_tags.from_aws(told["TagDescriptions"][0].get("Tags")):
                await self._client.call(_SERVICE, region, "DeleteTargetGroup", TargetGroupArn=arn)
        except NotFound:
            return
        except Conflict as conflict:
            raise StillWorking(
                conflict.code, conflict.message, provider=PROVIDER, operation="DeleteTargetGroup"
            ) from None

    async def _named(self, region: str, name: str) -> dict[str, Any] | None:
        try:
            answer = await self._client.call(_SERVICE, region, "DescribeTargetGroups", Names=[name])
        except NotFound:
            return None
        return next(iter(answer["TargetGroups"]), None)

    async def _create(
        self, region: str, name: str, network_id: str, configuration: Mapping[str, Any], tags: Sequence[Any]
    ) -> dict[str, Any]:
        parameters: dict[str, Any] = {
            "Name": name,
            "Protocol": "HTTP" if configuration["load_balancer_type"] == "application" else "TCP",
            "Port": configuration["target_port"],
            "VpcId": network_id,
            "TargetType": "instance",
            "Tags": list(tags),
        }
        if configuration["load_balancer_type"] == "application":
            parameters["HealthCheckPath"] = configuration["health_check_path"]
        try:
            answer = await self._client.call(_SERVICE, region, "CreateTargetGroup", **parameters)
        except Conflict:
            known = await self._named(region, name)
            if known is None:
                raise
            return known
        return dict(answer["TargetGroups"][0])

    async def _listen(
        self, region: str, balancer_arn: str, group_arn: str, configuration: Mapping[str, Any], tags: Sequence[Any]
    ) -> None:
        certificate = configuration["certificate"]
        is_application = configuration["load_balancer_type"] == "application"
        parameters: dict[str, Any] = {
            "LoadBalancerArn": balancer_arn,
            "Port": configuration["port"] or (80 if certificate is None else 443),
            "Protocol": _protocol(is_application=is_application, is_encrypted=certificate is not None),
            "DefaultActions": [{"Type": "forward", "TargetGroupArn": group_arn}],
            "Tags": list(tags),
        }
        if certificate is not None:
            parameters |= {"Certificates": [{"CertificateArn": certificate}], "SslPolicy": _TLS_POLICY}
        try:
            await self._client.call(_SERVICE, region, "CreateListener", **parameters)
        except Conflict:  # at that port listens what an earlier try made
            return

    async def _set(self, region: str, group: Mapping[str, Any], configuration: Mapping[str, Any]) -> None:
        arn, path = group["TargetGroupArn"], configuration["health_check_path"]
        if group.get("HealthCheckPath") not in {None, path}:
            await self._client.call(_SERVICE, region, "ModifyTargetGroup", TargetGroupArn=arn, HealthCheckPath=path)
        there, wanted = set(await self._registered(region, arn)), set(configuration["targets"])
        for operation, changed in (("RegisterTargets", wanted - there), ("DeregisterTargets", there - wanted)):
            if changed:
                targets = [{"Id": each} for each in sorted(changed)]
                await self._client.call(_SERVICE, region, operation, TargetGroupArn=arn, Targets=targets)

    async def _registered(self, region: str, group_arn: str) -> list[str]:
        answer = await self._client.call(_SERVICE, region, "DescribeTargetHealth", TargetGroupArn=group_arn)
        return [
            each["Target"]["Id"]
            for each in answer["TargetHealthDescriptions"]
            if each.get("TargetHealth", {}).get("State") != _LEAVING
        ]


def listener_of(listener: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of a listener."""
    certificates = listener.get("Certificates") or []
    return {
        "port": listener.get("Port", 0),
        "protocol": listener.get("Protocol"),
        "certificate": certificates[0].get("CertificateArn") if certificates else None,
    }


def _protocol(*, is_application: bool, is_encrypted: bool) -> str:
    if is_application:
        return "HTTPS" if is_encrypted else "HTTP"
    return "TLS" if is_encrypted else "TCP"
