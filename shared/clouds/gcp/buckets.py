"""How are buckets of Cloud Storage made, read, changed and removed?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetSpec, AssetState
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.gcp import label_tags
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import in_utc
from shared.clouds.gcp.assets import GcpAssets, Json, not_found

_CREATE = "buckets.insert"
_DAY_S = 86400
_PAGE_MAX = 1000
_TAG_ATTEMPTS = 3


class GcsBuckets(GcpAssets):
    """They belong to no region: a bucket's location may be a continent or two regions, and one list has them all."""

    resource_type, resource_subtype = "storage", "gcs_bucket"
    is_global = True

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        tags = gcp_tags.marked(spec.tags, spec.token, operation=_CREATE)
        name = spec.configuration["name"] or gcp_tags.name_of(spec.token)
        body = {
            "name": name,
            "location": spec.configuration["location"],
            "labels": label_tags.to_labels(tags, operation=_CREATE),
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": True},
                "publicAccessPrevention": "enforced",
            },
            **_changeable(spec.configuration),
        }
        try:
            made = await self._client.rest(
                "storage", _CREATE, "POST", "/b", region, body=body, project=self._client.project
            )
        except Conflict:
            return await self.made(region, name, spec.token, _CREATE)
        return _asset(made)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        """By the name that a bucket without one gets, else by the list of all."""
        found = await super().find_by_token(region, token)
        if found is not None:
            return found
        async for page in self.pages(region):
            for each in page:
                if each.token == token:
                    return each
        return None

    async def get(self, region: str, asset_id: str) -> Asset:
        return await self.look(region, asset_id)

    async def look(self, region: str, name: str) -> Asset:
        return _asset(await self._raw(region, name))

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        size = min(_PAGE_MAX, max(1, page_size))
        async for page in self._client.rest_pages(
            "storage", "buckets.list", "/b", region, project=self._client.project, maxResults=size
        ):
            yield [_asset(each) for each in page.get("items", [])]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        await self._patch(region, asset_id, _changeable(configuration))

    async def delete(self, region: str, asset_id: str) -> None:
        """Google refuses while there are objects in it."""
        try:
            await self._client.rest("storage", "buckets.delete", "DELETE", _path(region, asset_id), region)
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        """Against the version that was read, so that two at once do not mix their labels."""
        gcp_tags.check(tags, operation="buckets.patch")
        for attempt in range(1, _TAG_ATTEMPTS + 1):
            known = await self._raw(region, asset_id)
            labels = label_tags.changed(known.get("labels"), tags, operation="buckets.patch")
            try:
                await self._patch(region, asset_id, {"labels": labels}, ifMetagenerationMatch=known["metageneration"])
            except Conflict:
                if attempt == _TAG_ATTEMPTS:
                    raise
            else:
                return

    async def _raw(self, region: str, name: str) -> Json:
        return await self._client.rest("storage", "buckets.get", "GET", _path(region, name), region)

    async def _patch(self, region: str, name: str, body: Json, **parameters: Any) -> None:
        path = _path(region, name)
        await self._client.rest("storage", "buckets.patch", "PATCH", path, region, body=body, **parameters)


def _path(region: str, name: str) -> str:
    """A name goes into an address: what cannot be one is not there."""
    if not name or set(name) - set("abcdefghijklmnopqrstuvwxyz0123456789-_."):
        raise not_found(name[:100], region, "buckets.get")
    return f"/b/{name}"


def _changeable(configuration: Json) -> dict[str, Any]:
    return {
        "storageClass": configuration["storage_class"],
        "versioning": {"enabled": configuration["versioning"]},
        "softDeletePolicy": {"retentionDurationSeconds": str(configuration["soft_delete_days"] * _DAY_S)},
    }


def _asset(bucket: Json) -> Asset:
    kept_s = int((bucket.get("softDeletePolicy") or {}).get("retentionDurationSeconds", 0))
    access = bucket.get("iamConfiguration") or {}
    return Asset(
        id=bucket["name"],
        name=bucket["name"],
        state=AssetState.AVAILABLE,
        region=GLOBAL_REGION,
        tags=label_tags.from_labels(bucket.get("labels")),
        configuration={
            "name": bucket["name"],
            "location": bucket["location"],
            "storage_class": bucket["storageClass"],
            "versioning": bool((bucket.get("versioning") or {}).get("enabled")),
            "soft_delete_days": kept_s // _DAY_S,
        },
        facts={
            "location_type": bucket.get("locationType"),
            "public_access_prevention": access.get("publicAccessPrevention"),
            "uniform_access": bool((access.get("uniformBucketLevelAccess") or {}).get("enabled")),
        },
        created_at=in_utc(bucket["timeCreated"]),
    )
