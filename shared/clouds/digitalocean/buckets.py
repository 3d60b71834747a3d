"""How are Spaces buckets made, found, changed and removed?"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from shared.clouds.assets import Asset, Assets, AssetSpec, AssetState
from shared.clouds.digitalocean.distributions import endpoint_before
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.notes import marked
from shared.clouds.digitalocean.regions import WITH_SPACES
from shared.clouds.digitalocean.spaces import CDN_NOTE, TAGS_NOTE, Spaces
from shared.clouds.digitalocean.spaces_driver import host_of
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.errors import CloudError, Conflict, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import invalid, not_found
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.models import TOKEN_TAG

_CREATE = "spaces.put_bucket"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class DigitalOceanBuckets(Assets):
    """A bucket's id is its name, which nobody else can have. Spaces knows no tags, so a private object of ours in the
    bucket, `.canopy/tags.json`, holds them; it is no content, and goes with the bucket.

    A bucket is made in two steps, and one of that name in between could be anybody's of the account. So before the
    first there is a tag of the account, made of token and name, that says that we are at it; it goes after the second.
    """

    resource_type, resource_subtype = "storage", "spaces_bucket"
    is_global = False

    def __init__(self, client: LibcloudClient, spaces: Spaces) -> None:
        self._client = client
        self._spaces = spaces

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        check_token(spec.token, provider=PROVIDER, operation=_CREATE)
        tags = marked(spec.tags, spec.token, operation=_CREATE)
        if region not in WITH_SPACES:
            raise invalid("region", f"{region} has no Spaces", provider=PROVIDER, operation=_CREATE)
        name = spec.configuration["name"] or name_of(spec.token)
        async with self._client.one_create_of(f"bucket {name}"):
            note = await self._spaces.note(region, name, TAGS_NOTE) if await self._is_there(region, name) else None
            if note is None:
                await self._make(region, name, spec.token)
            elif note.get(TOKEN_TAG) != spec.token and (note or not await self._are_at_it(spec.token, name)):
                detail = f"{name} is taken by something else"
                raise Conflict("BucketAlreadyExists", detail, provider=PROVIDER, operation=_CREATE)
            if not note:
                await self._spaces.put_note(region, name, TAGS_NOTE, tags)
            await self.change(region, name, spec.configuration)
            await self._forget(spec.token, name)
        return await self.get(region, name)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        async for page in self.pages(region):
            for each in page:
                if each.token == token or (not each.tags and await self._are_at_it(token, each.id)):
                    return each
        return None

    async def get(self, region: str, asset_id: str) -> Asset:
        if region in WITH_SPACES and _NAME.fullmatch(asset_id):
            made_at = (await self._spaces.buckets(region)).get(asset_id)
            if made_at is not None:
                return await self._read(region, asset_id, made_at)
        raise not_found(f"bucket {asset_id[:100]} in {region}", provider=PROVIDER, operation="spaces.get_bucket")

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """Spaces lists all of a region at once; two calls more for each bucket."""
        listed = sorted((await self._spaces.buckets(region)).items()) if region in WITH_SPACES else []
        size = max(1, page_size)
        for first in range(0, len(listed), size):
            part = listed[first : first + size]
            found = await asyncio.gather(*(self._read_if_there(region, *each) for each in part))
            yield [each for each in found if each is not None]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        await self._need(region, asset_id)
        if await self._spaces.is_versioned(region, asset_id) != configuration["versioning"]:
            await self._spaces.put_versioning(region, asset_id, on=configuration["versioning"])

    async def delete(self, region: str, asset_id: str) -> None:
        """Looked through first, so that a bucket that stays keeps its tags."""
        try:
            await self._need(region, asset_id)
            await self._check_unused(region, asset_id)
            await self._spaces.drop_note(region, asset_id, CDN_NOTE)
            note = await self._spaces.note(region, asset_id, TAGS_NOTE)
            await self._spaces.drop_note(region, asset_id, TAGS_NOTE)
            try:
                await self._spaces.remove(region, asset_id)
            except Conflict:  # something came to lie in it, or older versions do
                await self._spaces.put_note(region, asset_id, TAGS_NOTE, note)
                raise
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        TAGS.check(tags, operation="spaces.put_object")
        await self._need(region, asset_id)
        note = await self._spaces.note(region, asset_id, TAGS_NOTE)
        await self._spaces.put_note(region, asset_id, TAGS_NOTE, {**note, **tags})

    async def _check_unused(self, region: str, asset_id: str) -> None:
        reason = None
        if await self._spaces.holds_others(region, asset_id):
            reason = "BucketNotEmpty", f"{asset_id} is not empty"
        elif await endpoint_before(self._client, f"{asset_id}.{host_of(region)}") is not None:
            reason = "cdn_enabled", f"A CDN endpoint stands before {asset_id}"
        if reason is not None:
            raise Conflict(*reason, provider=PROVIDER, operation="spaces.delete_bucket")

    async def _need(self, region: str, asset_id: str) -> None:
        if not (_NAME.fullmatch(asset_id) and await self._is_there(region, asset_id)):
            raise not_found(f"bucket {asset_id[:100]} in {region}", provider=PROVIDER, operation="spaces.get_bucket")

    async def _is_there(self, region: str, name: str) -> bool:
        return region in WITH_SPACES and name in await self._spaces.buckets(region)

    async def _make(self, region: str, name: str, token: str) -> None:
        body = {"name": _mark(token, name)}
        await self._client.request("tags.create", "POST", "/v2/tags", region=region, document=body)
        try:
            await self._spaces.make(region, name)
        except CloudError as error:
            if not error.outcome_unknown:
                await self._forget(token, name)
            raise

    async def _are_at_it(self, token: str, name: str) -> bool:
        try:
            await self._client.request("tags.get", "GET", f"/v2/tags/{_mark(token, name)}")
        except NotFound:
            return False
        return True

    async def _forget(self, token: str, name: str) -> None:
        """What is left says no more than that a bucket which has its note was made."""
        with suppress(CloudError):
            await self._client.request("tags.delete", "DELETE", f"/v2/tags/{_mark(token, name)}")

    async def _read_if_there(self, region: str, name: str, made_at: str) -> Asset | None:
        try:
            return await self._read(region, name, made_at)
        except NotFound:
            return None

    async def _read(self, region: str, name: str, made_at: str) -> Asset:
        note, versioning = await asyncio.gather(
            self._spaces.note(region, name, TAGS_NOTE), self._spaces.is_versioned(region, name)
        )
        with self._client.reading("spaces.list_buckets"):
            return Asset(
                id=name,
                name=name,
                state=AssetState.AVAILABLE,
                region=region,
                tags=note,
                configuration={"name": name, "versioning": versioning},
                address=f"{name}.{host_of(region)}",
                created_at=datetime.fromisoformat(made_at).astimezone(UTC),
            )


def _mark(token: str, name: str) -> str:
    return f"canopy-bucket-{hashlib.sha256(f'{token} {name}'.encode()).hexdigest()[:24]}"
