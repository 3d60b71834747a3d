"""How are CDN endpoints made, read, changed and removed?

Source: docs.digitalocean.com/reference/api, "CDN Endpoints".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, AssetSpec, AssetState
from shared.clouds.digitalocean.assets import DigitalOceanAssets
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import Document, pages_of
from shared.clouds.digitalocean.notes import marked
from shared.clouds.digitalocean.regions import WITH_SPACES
from shared.clouds.digitalocean.spaces import CDN_NOTE, Spaces
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.errors import CloudError, Conflict, InvalidRequest, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import invalid

_CREATE = "endpoints.create"
_ORIGIN = re.compile(rf"([a-z0-9-]+)\.({'|'.join(sorted(WITH_SPACES))})\.digitaloceanspaces\.com")
_CUSTOM = ("certificate_id", "custom_domain")


class DigitalOceanDistributions(DigitalOceanAssets):
    """An endpoint stands before one bucket, and a bucket has one at most. It has no tags: they are in a private object
    in its bucket, `.canopy/cdn.json`, which is written first: by it one whose making was never answered is known.
    """

    resource_type, resource_subtype = "cdn", "cdn_endpoint"
    path, name, names = "/v2/cdn/endpoints", "endpoint", "endpoints"
    fields = {"forwarding_rules": "certificate_id"}  # noqa: RUF012 - a ClassVar above
    is_global = True

    def __init__(self, client: LibcloudClient, spaces: Spaces) -> None:
        super().__init__(client)
        self._spaces = spaces

    async def make(self, region: str, spec: AssetSpec) -> Asset:
        tags = marked(spec.tags, spec.token, operation=_CREATE)
        wanted = spec.configuration
        if await endpoint_before(self._client, wanted["origin"]) is not None:
            detail = f"{wanted['origin']} has an endpoint already"
            raise Conflict("cdn_already_enabled", detail, provider=PROVIDER, operation=_CREATE)
        await self._announce(wanted["origin"], tags)
        body = {"origin": wanted["origin"], "ttl": wanted["ttl_s"]}
        body |= {name: wanted[name] for name in _CUSTOM if wanted[name] is not None}
        try:
            answer = await self.ask("create", "POST", region, body=body, wants=(self.name,))
        except CloudError as error:
            if not error.outcome_unknown:
                await self._forget(wanted["origin"])
            raise
        return await self.whole(answer[self.name])

    async def whole(self, document: Document) -> Asset:
        origin = _ORIGIN.fullmatch(str(document["origin"]))
        note = {} if origin is None else await self._spaces.note(origin[2], origin[1], CDN_NOTE)
        return self.told({**document, "tags": note})

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        known = await self.document(region, asset_id)
        wanted = {"ttl": configuration["ttl_s"], **{name: configuration[name] or "" for name in _CUSTOM}}
        if any((known.get(name) or "") != value for name, value in wanted.items()):
            try:
                await self.ask("update", "PUT", region, asset_id, body=wanted)
            except InvalidRequest as error:
                raise self.renamed(error) from None

    async def delete(self, region: str, asset_id: str) -> None:
        try:
            known = await self.document(region, asset_id)
        except NotFound:
            return
        await self.remove(region, asset_id)
        await self._forget(str(known["origin"]))

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        TAGS.check(tags, operation="spaces.put_object")
        known = await self.whole(await self.document(region, asset_id))
        await self._announce(known.configuration["origin"], {**known.tags, **tags})

    def read(self, document: Document) -> Asset:
        origin, custom = str(document["origin"]), document.get("custom_domain") or None
        bucket, _, _ = origin.partition(".")
        return Asset(
            id=str(document["id"]),
            name=str(custom or document["endpoint"]),
            state=AssetState.AVAILABLE,  # DigitalOcean has no state of it
            region=GLOBAL_REGION,
            tags=document.get("tags") or {},
            configuration={
                "origin": origin,
                "ttl_s": int(document["ttl"]),
                "custom_domain": custom,
                "certificate_id": document.get("certificate_id") or None,
            },
            links=(AssetLink("origin", f"storage:{bucket}", hard=True),),
            address=str(document["endpoint"]),
            created_at=datetime.fromisoformat(document["created_at"]).astimezone(UTC),
        )

    async def _announce(self, origin: str, tags: Mapping[str, str]) -> None:
        """Write whose the endpoint is or will be. What another left there has no endpoint any more."""
        place = _ORIGIN.fullmatch(origin)
        try:
            if place is not None:
                await self._spaces.put_note(place[2], place[1], CDN_NOTE, tags)
                return
        except NotFound:
            pass
        raise invalid("origin", f"{origin} is no bucket of this account", provider=PROVIDER, operation=_CREATE)

    async def _forget(self, origin: str) -> None:
        place = _ORIGIN.fullmatch(origin)
        if place is not None:
            await self._spaces.drop_note(place[2], place[1], CDN_NOTE)


async def endpoint_before(client: LibcloudClient, origin: str) -> str | None:
    """The id of the endpoint that a bucket has."""
    async for page in pages_of(client, DigitalOceanDistributions.names, DigitalOceanDistributions.path):
        for each in page:
            if each.get("origin") == origin:
                return str(each["id"])
    return None
