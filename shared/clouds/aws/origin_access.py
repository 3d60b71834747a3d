"""How may CloudFront read a bucket that nobody else may? By an origin access control and the bucket's policy.

The control says only that CloudFront signs what it asks of S3, so one serves all distributions of an account. It costs
nothing and stays when they go; the bucket's statement for a distribution goes with that.
"""

from __future__ import annotations

from shared.clouds.aws import bucket_policies
from shared.clouds.aws.arns import bucket_arn
from shared.clouds.aws.buckets import put_policy
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.paging import pages_by
from shared.clouds.errors import Conflict, NotFound

_CONTROL = "canopy-buckets"


class OriginAccess:
    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def control(self) -> str:
        """The control's id; made when there is none. Idempotent."""
        known = await self._known()
        if known is not None:
            return known
        wanted = {
            "Name": _CONTROL,
            "SigningProtocol": "sigv4",
            "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
        try:
            answer = await self._client.call(
                "cloudfront", self._client.default_region, "CreateOriginAccessControl", OriginAccessControlConfig=wanted
            )
        except Conflict:
            known = await self._known()
            if known is None:
                raise
            return known
        return str(answer["OriginAccessControl"]["Id"])

    async def region_of(self, bucket: str) -> str:
        """Raises NotFound for a bucket that does not exist."""
        answer = await self._client.call("s3", self._client.default_region, "GetBucketLocation", Bucket=bucket)
        place = answer.get("LocationConstraint")
        return {None: "us-east-1", "EU": "eu-west-1"}.get(place, str(place))  # API_GetBucketLocation

    async def let_read(self, bucket: str, distribution_id: str, distribution_arn: str) -> None:
        """Idempotent."""
        region = await self.region_of(bucket)
        before = await self._statements(region, bucket)
        added = bucket_policies.let_distribution_read(
            _sid(distribution_id), bucket_arn(region, bucket), distribution_arn
        )
        if added not in before:
            await put_policy(self._client, region, bucket, before, bucket_policies.with_statement(before, added))

    async def forget(self, bucket: str, distribution_id: str) -> None:
        """Idempotent, also when the bucket is gone."""
        try:
            region = await self.region_of(bucket)
            before = await self._statements(region, bucket)
            after = bucket_policies.without_statement(before, _sid(distribution_id))
            await put_policy(self._client, region, bucket, before, after)
        except NotFound:
            return

    async def _known(self) -> str | None:
        async for page in pages_by(
            self._client, "cloudfront", self._client.default_region, "ListOriginAccessControls", "Marker",
            lambda page: page["OriginAccessControlList"].get("NextMarker"),
        ):  # fmt: skip
            for each in page["OriginAccessControlList"].get("Items") or []:
                if each["Name"] == _CONTROL:
                    return str(each["Id"])
        return None

    async def _statements(self, region: str, bucket: str) -> list[bucket_policies.Statement]:
        try:
            answer = await self._client.call("s3", region, "GetBucketPolicy", Bucket=bucket)
        except NotFound as error:
            if error.code != "NoSuchBucketPolicy":
                raise
            return []
        return bucket_policies.read(answer["Policy"])


def _sid(distribution_id: str) -> str:
    """Letters and digits only, as a Sid has to be."""
    return f"CanopyDistribution{distribution_id}"
