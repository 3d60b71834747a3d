"""How are pull zones of Vultr's CDN made, read, changed and removed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, AssetState
from shared.clouds.vultr.labelled import LabelledAssets, Place
from shared.clouds.vultr.labels import tags_of, text_of
from shared.clouds.vultr.lists import Document, moment_of

_STATES: Mapping[str, AssetState] = {"pending": AssetState.CREATING, "active": AssetState.RUNNING}
_TEXTS = ("origin_domain", "origin_scheme")
_SWITCHES = ("cors", "gzip", "block_ai", "block_bad_bots")


class VultrDistributions(LabelledAssets):
    """A pull zone is in all of Vultr's places; its list has all at once."""

    resource_type, resource_subtype = "cdn", "cdn_pull_zone"
    is_global = True
    place = Place("/v2/cdns/pull-zones", "pull_zones", "pull_zone", change_by="PUT", is_paged=False)

    async def order(self, region: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        return {name: configuration[name] for name in (*_TEXTS, *_SWITCHES)}

    def update(self, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: wanted[name] for name in (*_TEXTS, *_SWITCHES) if wanted[name] != before[name]}

    def asset_of(self, document: Document) -> Asset:
        origin, status = str(document["origin_domain"]).lower(), str(document["status"])
        return Asset(
            id=str(document["id"]),
            name=text_of(document["label"]),
            state=_STATES.get(status, AssetState.FAILED),
            region=GLOBAL_REGION,
            tags=tags_of(document["label"]),
            configuration={
                "origin_domain": origin,
                "origin_scheme": str(document["origin_scheme"]),
                **{name: bool(document[name]) for name in _SWITCHES},
            },
            facts={"places": sorted(str(each) for each in document.get("regions") or [])},
            links=(AssetLink("origin", f"address:{origin}", hard=True),),
            address=urlsplit(str(document.get("cdn_url") or "")).hostname,
            created_at=moment_of(document["date_created"]),
            state_reason=None if status in _STATES else f"The pull zone is {status}",
        )
