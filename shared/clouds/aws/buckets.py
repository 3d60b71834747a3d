"""How are S3 buckets made, found, changed and removed?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from typing import Any

from shared.clouds.assets import Asset, Assets, AssetSpec, AssetState
from shared.clouds.aws import bucket_policies
from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.arns import bucket_arn
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.aws.paging import pages_by, still_there
from shared.clouds.aws.times import in_utc_or_none
from shared.clouds.errors import Conflict, NotFound, PermissionDenied
from shared.clouds.models import TOKEN_TAG

_BUCKETS_A_PAGE_MAX = 10_000  # API_ListBuckets, MaxBuckets
_UNCONSTRAINED = "us-east-1"
"""The one region that CreateBucket must not be told (API_CreateBucket, LocationConstraint)."""
_ABSENT = frozenset(
    {
        "NoSuchBucketPolicy",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchTagSet",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)
_PUBLIC_ACCESS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")

_Answer = dict[str, Any]


class AwsBuckets(Assets):
    """A bucket's id is its name, which is unique in the world. Its tags come with its making, the token among them.

    S3 tells of a bucket in parts, one call each; a part that a bucket's own policy keeps from us is left out and named
    in `facts`: one such bucket must not hide the others.
    """

    resource_type = "storage"
    resource_subtype = "s3_bucket"
    is_global = False

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        aws_tags.check_token(spec.token, operation="CreateBucket")
        name = spec.configuration["name"] or aws_tags.name_of(spec.token)
        tags = aws_tags.to_aws({**spec.tags, TOKEN_TAG: spec.token}, operation="CreateBucket")
        if not await self._is_ours(region, name, spec.token):
            await self._create(region, name, spec.token, tags)
        await self._configure(region, name, spec.configuration)
        return await self.get(region, name)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        """By the name that the token gives; then, for a name of the client's, by the tags of all."""
        aws_tags.check_token(token, operation="find_by_token")
        candidates = [aws_tags.name_of(token)]
        async for page in self._listed(region, _BUCKETS_A_PAGE_MAX):
            candidates += [each["Name"] for each in page]
        for first in range(0, len(candidates), 100):
            names = candidates[first : first + 100]
            found = await asyncio.gather(*(self._token(region, each) for each in names))
            if token in found:
                return await self.get(region, names[found.index(token)])
        return None

    async def get(self, region: str, asset_id: str) -> Asset:
        """The first of all buckets whose names begin so is the one called so."""
        page = await self._client.call("s3", region, "ListBuckets", Prefix=asset_id, BucketRegion=region, MaxBuckets=1)
        found = [each for each in page.get("Buckets", []) if each["Name"] == asset_id]
        if not found:
            raise NotFound("NoSuchBucket", f"There is no bucket {asset_id}", provider=PROVIDER, operation="ListBuckets")
        return await self._read(region, found[0])

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        async for page in self._listed(region, min(_BUCKETS_A_PAGE_MAX, max(1, page_size))):
            yield await still_there(self._read(region, each) for each in page)

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        await self._configure(region, asset_id, configuration)

    async def delete(self, region: str, asset_id: str) -> None:
        try:
            await self._client.call("s3", region, "DeleteBucket", Bucket=asset_id)
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        """S3 takes all tags at once. Those that AWS itself put there have to come back unchanged."""
        known = await self._tags(region, asset_id)
        ours = {key: value for key, value in {**known, **tags}.items() if not key.startswith("aws:")}
        listed = aws_tags.to_aws(ours, operation="PutBucketTagging")
        listed += [{"Key": key, "Value": value} for key, value in known.items() if key.startswith("aws:")]
        await self._client.call("s3", region, "PutBucketTagging", Bucket=asset_id, Tagging={"TagSet": listed})

    async def _create(self, region: str, name: str, token: str, tags: list[dict[str, str]]) -> None:
        place = {} if region == _UNCONSTRAINED else {"LocationConstraint": region}
        try:
            await self._client.call(
                "s3",
                region,
                "CreateBucket",
                Bucket=name,
                CreateBucketConfiguration={**place, "Tags": tags},
            )
        except Conflict:
            if not await self._is_ours(region, name, token):
                raise _taken(name) from None

    async def _is_ours(self, region: str, name: str, token: str) -> bool:
        """False when there is none that we may see. Raises Conflict for one of another make."""
        try:
            known = await self._tags(region, name)
        except (NotFound, PermissionDenied):
            return False
        if known.get(TOKEN_TAG) != token:
            raise _taken(name)
        return True

    async def _configure(self, region: str, name: str, configuration: Mapping[str, Any]) -> None:
        status = "Enabled" if configuration["versioning"] else "Suspended"
        versioned = (await self._client.call("s3", region, "GetBucketVersioning", Bucket=name)).get("Status")
        if versioned or configuration["versioning"]:  # one that never was versioned cannot be suspended into it
            await self._client.call(
                "s3", region, "PutBucketVersioning", Bucket=name, VersioningConfiguration={"Status": status}
            )
        blocked = dict.fromkeys(_PUBLIC_ACCESS, configuration["block_public_access"])
        await self._client.call(
            "s3", region, "PutPublicAccessBlock", Bucket=name, PublicAccessBlockConfiguration=blocked
        )
        await self._client.call(
            "s3", region, "PutBucketEncryption", Bucket=name,
            ServerSideEncryptionConfiguration={"Rules": [_encryption(configuration["kms_key"])]},
        )  # fmt: skip
        await self._require_tls(region, name, required=configuration["require_tls"])

    async def _require_tls(self, region: str, name: str, *, required: bool) -> None:
        policy = await self._part(region, "GetBucketPolicy", name)
        before = bucket_policies.read(policy.get("Policy"))
        after = bucket_policies.without_statement(before, bucket_policies.REQUIRE_TLS)
        if required:
            after.append(bucket_policies.require_tls(bucket_arn(region, name)))
        await put_policy(self._client, region, name, before, after)

    def _listed(self, region: str, size: int) -> AsyncIterator[list[_Answer]]:
        return _buckets(self._client, region, size)

    async def _tags(self, region: str, name: str) -> dict[str, str]:
        return aws_tags.from_aws((await self._part(region, "GetBucketTagging", name)).get("TagSet"))

    async def _token(self, region: str, name: str) -> str | None:
        try:
            return (await self._tags(region, name)).get(TOKEN_TAG)
        except (NotFound, PermissionDenied):
            return None

    async def _part(self, region: str, operation: str, name: str) -> _Answer:
        """What the bucket has of this, empty when it has none. Raises NotFound when there is no bucket."""
        try:
            return await self._client.call("s3", region, operation, Bucket=name)
        except NotFound as error:
            if error.code not in _ABSENT:
                raise
            return {}

    async def _read(self, region: str, bucket: _Answer) -> Asset:
        name = bucket["Name"]
        operations = ("GetBucketTagging", "GetBucketVersioning", "GetPublicAccessBlock", "GetBucketEncryption",
                      "GetBucketPolicy")  # fmt: skip
        parts = await asyncio.gather(*(_or_denied(self._part(region, each, name)) for each in operations))
        tags, versioning, public, encryption, policy = parts
        denied = [each for each, part in zip(operations, parts, strict=True) if part is None]
        configuration: _Answer = {"name": name}
        if versioning is not None:
            configuration["versioning"] = versioning.get("Status") == "Enabled"
        if public is not None:
            blocked = public.get("PublicAccessBlockConfiguration", {})
            configuration["block_public_access"] = all(blocked.get(each, False) for each in _PUBLIC_ACCESS)
        if encryption is not None:
            configuration["kms_key"] = _key(encryption)
        if policy is not None:
            configuration["require_tls"] = bucket_policies.requires_tls(bucket_policies.read(policy.get("Policy")))
        return Asset(
            id=name,
            name=name,
            state=AssetState.AVAILABLE,
            region=region,
            tags=aws_tags.from_aws((tags or {}).get("TagSet")),
            configuration=configuration,
            facts={"unreadable": denied} if denied else {},
            address=f"{name}.s3.{region}.amazonaws.com",
            created_at=in_utc_or_none(bucket.get("CreationDate")),
        )


async def put_policy(
    client: AwsClient,
    region: str,
    name: str,
    before: list[bucket_policies.Statement],
    after: list[bucket_policies.Statement],
) -> None:
    """Make a bucket's policy these statements; a policy without any is none."""
    if after == before:
        return
    if after:
        await client.call("s3", region, "PutBucketPolicy", Bucket=name, Policy=bucket_policies.write(after))
    else:
        await client.call("s3", region, "DeleteBucketPolicy", Bucket=name)


async def _buckets(client: AwsClient, region: str, size: int) -> AsyncIterator[list[_Answer]]:
    async for page in pages_by(
        client, "s3", region, "ListBuckets", "ContinuationToken", lambda page: page.get("ContinuationToken"),
        BucketRegion=region, MaxBuckets=size,
    ):  # fmt: skip
        yield page.get("Buckets", [])


async def _or_denied(read: Awaitable[_Answer]) -> _Answer | None:
    try:
        return await read
    except PermissionDenied:
        return None


def _encryption(key: str | None) -> _Answer:
    """Every bucket encrypts; without a key with one that S3 keeps."""
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
    return {"ApplyServerSideEncryptionByDefault": by_key, "BucketKeyEnabled": key is not None}


def _key(encryption: Mapping[str, Any]) -> str | None:
    rules = encryption.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    found = (each.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID") for each in rules)
    return next((each for each in found if each), None)


def _taken(name: str) -> Conflict:
    return Conflict(
        "BucketAlreadyExists", f"name is taken by another bucket: {name}", provider=PROVIDER, operation="CreateBucket"
    )
