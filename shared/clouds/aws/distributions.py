"""How are CloudFront distributions made, found, changed, switched off and on, and removed?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, Assets, AssetSpec, AssetState, StopsAssets
from shared.clouds.aws import distribution_configs as configs
from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.origin_access import OriginAccess
from shared.clouds.aws.paging import pages_by, still_there
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.models import TOKEN_TAG

_SERVICE = "cloudfront"
_DEPLOYED = "Deployed"
_STATES: Mapping[tuple[bool, bool], AssetState] = {
    (True, True): AssetState.RUNNING,
    (True, False): AssetState.CHANGING,
    (False, True): AssetState.STOPPED,
    (False, False): AssetState.STOPPING,
}
"""By whether it is enabled, and whether what it is has arrived everywhere."""


class AwsDistributions(Assets, StopsAssets):
    """A distribution's id is CloudFront's. The reference of its making and its comment are made of the token.

    It must be switched off before it can be deleted, which takes minutes: `delete` switches off one that is on, does
    nothing while that is under way, and deletes one that is off. So it is asked again until the thing is gone.
    """

    resource_type = "cdn"
    resource_subtype = "cloudfront_distribution"
    is_global = True

    def __init__(self, client: AwsClient) -> None:
        self._client = client
        self._access = OriginAccess(client)

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        aws_tags.check_token(spec.token, operation="CreateDistributionWithTags")
        listed = aws_tags.to_aws({**spec.tags, TOKEN_TAG: spec.token}, operation="CreateDistributionWithTags")
        known = await self._by_comment(spec.token)
        if known is None:
            known = await self._create(spec, listed)
        bucket = spec.configuration["bucket"]
        if bucket is not None:
            await self._access.let_read(bucket, known["Id"], known["ARN"])
        return await self.get(region, known["Id"])

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        aws_tags.check_token(token, operation="find_by_token")
        known = await self._by_comment(token)
        return None if known is None else await self.get(region, known["Id"])

    async def get(self, region: str, asset_id: str) -> Asset:  # noqa: ARG002 - they belong to none
        answer = await self._call("GetDistribution", Id=asset_id)
        distribution = answer["Distribution"]
        told = await self._call("ListTagsForResource", Resource=distribution["ARN"])
        return _distribution(distribution, aws_tags.from_aws(told["Tags"].get("Items")))

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """A list says less than a look, so each is looked at."""
        async for summaries in self._listed(max(1, page_size)):
            yield await still_there(self.get(region, each["Id"]) for each in summaries)

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:  # noqa: ARG002
        await self._update(asset_id, lambda config: configs.changed(config, configuration))

    async def start(self, region: str, asset_id: str) -> None:  # noqa: ARG002
        await self._update(asset_id, lambda config: {**config, "Enabled": True})

    async def stop(self, region: str, asset_id: str) -> None:  # noqa: ARG002
        await self._update(asset_id, lambda config: {**config, "Enabled": False})

    async def delete(self, region: str, asset_id: str) -> None:
        try:
            answer = await self._call("GetDistribution", Id=asset_id)
            distribution = answer["Distribution"]
            if distribution["DistributionConfig"]["Enabled"]:
                await self.stop(region, asset_id)
            elif distribution["Status"] == _DEPLOYED:
                bucket = configs.bucket_of(distribution["DistributionConfig"])
                if bucket is not None:
                    await self._access.forget(bucket, asset_id)
                await self._call("DeleteDistribution", Id=asset_id, IfMatch=answer["ETag"])
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:  # noqa: ARG002
        listed = aws_tags.to_aws(tags, operation="TagResource")
        answer = await self._call("GetDistribution", Id=asset_id)
        await self._call("TagResource", Resource=answer["Distribution"]["ARN"], Tags={"Items": listed})

    async def _create(self, spec: AssetSpec, tags: list[dict[str, str]]) -> dict[str, Any]:
        bucket = spec.configuration["bucket"]
        access, region = (
            (None, None)
            if bucket is None
            else await asyncio.gather(self._access.control(), self._access.region_of(bucket))
        )
        config = configs.new(spec.configuration, aws_tags.name_of(spec.token), access, region)
        try:
            answer = await self._call(
                "CreateDistributionWithTags",
                DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": tags}},
            )
        except Conflict:
            known = await self._by_comment(spec.token)
            if known is None:
                raise
            return known
        return dict(answer["Distribution"])

    async def _by_comment(self, token: str) -> dict[str, Any] | None:
        name = aws_tags.name_of(token)
        async for summaries in self._listed(100):
            for each in summaries:
                if each.get("Comment") == name:
                    return each
        return None

    async def _listed(self, size: int) -> AsyncIterator[list[dict[str, Any]]]:
        async for page in pages_by(
            self._client, _SERVICE, self._client.default_region, "ListDistributions", "Marker",
            lambda page: page["DistributionList"].get("NextMarker"), MaxItems=str(size),
        ):  # fmt: skip
            yield page["DistributionList"].get("Items") or []

    async def _update(self, asset_id: str, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """Only what nobody has changed since it was read: CloudFront refuses the others, and asking again helps."""
        answer = await self._call("GetDistributionConfig", Id=asset_id)
        config = answer["DistributionConfig"]
        wanted = changed(config)
        if wanted != config:
            await self._call("UpdateDistribution", Id=asset_id, IfMatch=answer["ETag"], DistributionConfig=wanted)

    async def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return await self._client.call(_SERVICE, self._client.default_region, operation, **parameters)


def _distribution(distribution: Mapping[str, Any], tags: Mapping[str, str]) -> Asset:
    config = distribution["DistributionConfig"]
    configuration = configs.read(config)
    target = f"storage:{configuration['bucket']}" if configuration["bucket"] else f"address:{configuration['origin']}"
    return Asset(
        id=distribution["Id"],
        name=(configuration["domains"] or [distribution["Id"]])[0],
        state=_STATES[bool(config["Enabled"]), distribution["Status"] == _DEPLOYED],
        region=GLOBAL_REGION,
        tags=tags,
        configuration=configuration,
        facts={"arn": distribution["ARN"], "comment": config.get("Comment") or None},
        links=(AssetLink("origin", target, hard=True),),
        address=distribution["DomainName"],
    )
