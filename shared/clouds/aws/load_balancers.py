"""How are load balancers made with their listener and targets, found, changed and removed?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from shared.clouds.assets import Asset, AssetLink, Assets, AssetSpec, AssetState
from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.aws.paging import pages_by, still_there
from shared.clouds.aws.subnets import subnets_in
from shared.clouds.aws.target_groups import TargetGroups, listener_of
from shared.clouds.aws.times import in_utc_or_none
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.models import TOKEN_TAG

_SERVICE = "elbv2"
_NAME_CHARACTERS_MAX = 32  # API_CreateLoadBalancer, Name
_TAGGED_AT_ONCE_MAX = 20  # API_DescribeTags, ResourceArns
_STATES: Mapping[str, AssetState] = {
    "provisioning": AssetState.CREATING,
    "active": AssetState.RUNNING,
    "active_impaired": AssetState.RUNNING,
    "failed": AssetState.FAILED,
}


class AwsLoadBalancers(Assets):
    """A load balancer's id is its ARN. It, its listener and its group of targets are one thing to us.

    All three are found by a name that is unique in account and region (the listener by its port), so that a repeat
    makes what is missing. The group is called like its load balancer and goes after it.
    """

    resource_type = "load_balancer"
    resource_subtype = "load_balancer"
    is_global = False

    def __init__(self, client: AwsClient) -> None:
        self._client = client
        self._groups = TargetGroups(client)

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        aws_tags.check_token(spec.token, operation="CreateLoadBalancer")
        name = spec.configuration["name"] or name_of(spec.token)
        listed = aws_tags.to_aws({**spec.tags, TOKEN_TAG: spec.token}, operation="CreateLoadBalancer")
        balancer = await self._ours(region, name, spec.token)
        if balancer is None:
            balancer = await self._create(region, name, spec, listed)
        await self._groups.complete(region, balancer, spec.configuration, listed)
        return await self.get(region, balancer["LoadBalancerArn"])

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        """By the name that the token gives; then, for a name of the client's, among all."""
        aws_tags.check_token(token, operation="find_by_token")
        named = await self._named(region, name_of(token))
        if named is not None:
            [asset] = await self._read(region, [named])
            if asset.token == token:
                return asset
        async for balancers in self._listed(region, 400):
            tags = await self._tags(region, balancers)
            for each in balancers:
                if tags.get(each["LoadBalancerArn"], {}).get(TOKEN_TAG) == token:
                    return await self.get(region, each["LoadBalancerArn"])
        return None

    async def get(self, region: str, asset_id: str) -> Asset:
        answer = await self._client.call(_SERVICE, region, "DescribeLoadBalancers", LoadBalancerArns=[asset_id])
        found = await self._read(region, answer["LoadBalancers"])
        if not found:
            raise NotFound(
                "LoadBalancerNotFound", f"There is no {asset_id}", provider=PROVIDER, operation="DescribeLoadBalancers"
            )
        return found[0]

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """1 to 400 a page (API_DescribeLoadBalancers, PageSize)."""
        async for balancers in self._listed(region, min(400, max(1, page_size))):
            yield await self._read(region, balancers)

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        await self._groups.change(region, asset_id, configuration)

    async def delete(self, region: str, asset_id: str) -> None:
        """Its listeners go with it; the group of targets, which we made beside it, after it."""
        with suppress(NotFound):
            await self._client.call(_SERVICE, region, "DeleteLoadBalancer", LoadBalancerArn=asset_id)
        await self._groups.remove(region, asset_id)

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        listed = aws_tags.to_aws(tags, operation="AddTags")
        await self._client.call(_SERVICE, region, "AddTags", ResourceArns=[asset_id], Tags=listed)

    async def _create(
        self, region: str, name: str, spec: AssetSpec, tags: Sequence[Mapping[str, str]]
    ) -> dict[str, Any]:
        given = spec.configuration
        subnets = await subnets_in(self._client, region, given["network_id"])
        parameters: dict[str, Any] = {
            "Name": name,
            "Type": given["load_balancer_type"],
            "Scheme": given["scheme"],
            "Subnets": [each["SubnetId"] for each in subnets],
            "Tags": list(tags),
        }
        if given["security_groups"]:
            parameters["SecurityGroups"] = list(given["security_groups"])
        try:
            answer = await self._client.call(_SERVICE, region, "CreateLoadBalancer", **parameters)
        except Conflict:
            known = await self._ours(region, name, spec.token)
            if known is None:
                raise
            return known
        return dict(answer["LoadBalancers"][0])

    async def _ours(self, region: str, name: str, token: str) -> dict[str, Any] | None:
        """Raises Conflict for one of another make."""
        known = await self._named(region, name)
        if known is not None:
            tags = await self._tags(region, [known])
            if tags.get(known["LoadBalancerArn"], {}).get(TOKEN_TAG) != token:
                raise Conflict(
                    "DuplicateLoadBalancerName", f"name is taken by another load balancer: {name}",
                    provider=PROVIDER, operation="CreateLoadBalancer",
                )  # fmt: skip
        return known

    async def _named(self, region: str, name: str) -> dict[str, Any] | None:
        try:
            answer = await self._client.call(_SERVICE, region, "DescribeLoadBalancers", Names=[name])
        except NotFound:
            return None
        return next(iter(answer["LoadBalancers"]), None)

    async def _listed(self, region: str, size: int) -> AsyncIterator[list[dict[str, Any]]]:
        async for page in pages_by(
            self._client, _SERVICE, region, "DescribeLoadBalancers", "Marker", lambda page: page.get("NextMarker"),
            PageSize=size,
        ):  # fmt: skip
            yield page["LoadBalancers"]

    async def _tags(self, region: str, balancers: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
        """By ARN. One that went meanwhile would spoil the answer for all that are asked with it, so then one by one."""
        arns = [each["LoadBalancerArn"] for each in balancers]
        parts = [arns[first : first + _TAGGED_AT_ONCE_MAX] for first in range(0, len(arns), _TAGGED_AT_ONCE_MAX)]
        try:
            answers = await asyncio.gather(*(self._tags_of(region, part) for part in parts))
        except NotFound:
            answers = await still_there(self._tags_of(region, [arn]) for arn in arns)
        return {arn: tags for answer in answers for arn, tags in answer.items()}

    async def _tags_of(self, region: str, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        answer = await self._client.call(_SERVICE, region, "DescribeTags", ResourceArns=list(arns))
        return {each["ResourceArn"]: aws_tags.from_aws(each.get("Tags")) for each in answer["TagDescriptions"]}

    async def _read(self, region: str, balancers: Sequence[Mapping[str, Any]]) -> list[Asset]:
        if not balancers:
            return []
        tags = await self._tags(region, balancers)
        return await still_there(self._read_one(region, each, tags) for each in balancers)

    async def _read_one(self, region: str, balancer: Mapping[str, Any], tags: Mapping[str, dict[str, str]]) -> Asset:
        arn = balancer["LoadBalancerArn"]
        listeners, groups = await asyncio.gather(
            self._client.call(_SERVICE, region, "DescribeListeners", LoadBalancerArn=arn),
            self._groups.of(region, arn),
        )
        targets = await self._groups.machines(region, groups)
        return _balancer(balancer, region, tags.get(arn, {}), listeners["Listeners"], groups, targets)


def name_of(token: str) -> str:
    return aws_tags.name_of(token)[:_NAME_CHARACTERS_MAX]


def _balancer(
    balancer: Mapping[str, Any],
    region: str,
    tags: Mapping[str, str],
    listeners: Sequence[Mapping[str, Any]],
    groups: Sequence[Mapping[str, Any]],
    targets: Sequence[str],
) -> Asset:
    state = balancer.get("State", {})
    shown = sorted((listener_of(each) for each in listeners), key=lambda each: int(each["port"]))
    configuration = {
        "name": balancer["LoadBalancerName"],
        "load_balancer_type": balancer["Type"],
        "scheme": balancer.get("Scheme"),
        "network_id": balancer.get("VpcId"),
        "port": shown[0]["port"] if shown else None,
        "certificate": shown[0]["certificate"] if shown else None,
        "target_port": groups[0].get("Port") if groups else None,
        "targets": list(targets),
    }
    if groups and groups[0].get("HealthCheckPath") is not None:
        configuration["health_check_path"] = groups[0]["HealthCheckPath"]
    firewalls = sorted(balancer.get("SecurityGroups") or [])
    return Asset(
        id=balancer["LoadBalancerArn"],
        name=balancer["LoadBalancerName"],
        state=_STATES.get(state.get("Code", ""), AssetState.RUNNING),
        region=region,
        tags=tags,
        configuration=configuration,
        facts={
            "listeners": shown,
            "security_groups": firewalls,
            "target_groups": sorted(each["TargetGroupArn"] for each in groups),
            "zones": sorted(each["ZoneName"] for each in balancer.get("AvailabilityZones", [])),
        },
        links=_links(balancer.get("VpcId"), firewalls, targets),
        address=balancer.get("DNSName"),
        created_at=in_utc_or_none(balancer.get("CreatedTime")),
        state_reason=state.get("Reason") or None,
    )


def _links(network: str | None, firewalls: Sequence[str], targets: Sequence[str]) -> tuple[AssetLink, ...]:
    """It serves on with one target less, as long as there is another."""
    links = [AssetLink("network", f"network:{network}", hard=True)] if network else []
    links += [AssetLink("firewall", f"security_group:{each}", hard=False) for each in firewalls]
    links += [AssetLink("target", f"machine:{each}", hard=len(targets) == 1) for each in targets]
    return tuple(links)
