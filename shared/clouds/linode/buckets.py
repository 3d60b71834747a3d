"""How are buckets of Linode's object storage made, read, changed and removed, with an account's token alone?

Source: techdocs.akamai.com/linode-api/reference, "Object Storage". A bucket's name is unique in its region only: an id
here is `us-east/name`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.errors import NotFound
from shared.clouds.libcloud.tokens import check_token
from shared.clouds.linode.assets import LinodeTagless, created_at
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.linode.lists import PAGE_MAX, Document, pages_of

_ID = re.compile(r"[a-z0-9-]{2,32}/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class LinodeBuckets(LinodeTagless):
    resource_type, resource_subtype = "storage", "object_storage_bucket"
    path, noun = "/v4/object-storage/buckets", "buckets"

    async def body(self, region: str, spec: AssetSpec, words: list[str]) -> dict[str, Any]:  # noqa: ARG002
        cors = spec.configuration["cors"]
        return {"label": self.label(spec.token), "region": region, "acl": "private", "cors_enabled": cors}

    def address(self, asset_id: str) -> str | None:
        return f"{self.path}/{asset_id}" if _ID.fullmatch(asset_id) else None

    async def find(self, region: str, token: str) -> Document | None:
        """By its name, and not in a list: S3's protocol shows there what it has at once."""
        check_token(token, provider=PROVIDER, operation="find_by_token")
        try:
            return await self.document(region, f"{region}/{self.label(token)}", "buckets.get")
        except NotFound:
            return None

    async def whole(self, document: Document) -> Asset:
        """One call more: who may reach it."""
        with self._client.reading("buckets.get"):
            region, name = str(document["region"]), str(document["label"])
        path = f"{self.path}/{region}/{name}/access"
        access = await self._client.request("buckets.access", "GET", path, region=region)
        with self._client.reading("buckets.get"):
            return Asset(
                id=f"{region}/{name}",
                name=name,
                state=AssetState.AVAILABLE,
                region=region,
                tags=self.tags(document),
                configuration={"cors": access.get("cors_enabled")},
                facts={"acl": access.get("acl"), "endpoint_type": document.get("endpoint_type")},
                address=str(document["hostname"]).lower(),
                created_at=created_at(document),
            )

    async def pages(self, region: str, *, page_size: int = PAGE_MAX) -> AsyncIterator[list[Asset]]:
        pages = pages_of(
            self._client, "buckets.list", f"{self.path}/{quote(region, safe='')}", region=region, page_size=page_size,
            key=lambda each: str(each["label"]),
        )  # fmt: skip
        async for page in pages:
            yield [found for each in page if (found := await self.whole_if_any(each)) is not None]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """Newer endpoints do not say it, and refuse to be told."""
        known = await self.get(region, asset_id)
        if bool(known.configuration["cors"]) != configuration["cors"]:
            path, body = f"{self.path}/{asset_id}/access", {"cors_enabled": configuration["cors"]}
            await self._client.request("buckets.update", "POST", path, region=region, document=body)
