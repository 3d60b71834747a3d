"""How are subscriptions of Object Storage made, read, tagged and removed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetState
from shared.clouds.libcloud.refusals import invalid, not_found
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.labelled import LabelledAssets, Place, region_of
from shared.clouds.vultr.labels import tags_of, text_of
from shared.clouds.vultr.lists import Document, moment_of, pages_of

_CREATE = "object_storages.create"
_CLUSTERS = "/v2/object-storage/clusters"
_STATES: Mapping[str, AssetState] = {"pending": AssetState.CREATING, "active": AssetState.AVAILABLE}
_YES = "yes"


class VultrObjectStorages(LabelledAssets):
    """A region has one cluster or more, and each its tiers. Vultr removes a subscription with all that is in it: its
    API knows no buckets, they are reached with the subscription's keys only.
    """

    resource_type, resource_subtype = "storage", "object_storage"
    place = Place("/v2/object-storage", "object_storages", "object_storage", change_by="PUT")

    async def order(self, region: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
        cluster_id = await self._cluster(region, configuration["cluster_id"])
        tier_id = configuration["tier_id"]
        return {
            "cluster_id": cluster_id,
            "tier_id": await self._tier(cluster_id, region) if tier_id is None else tier_id,
        }

    async def _cluster(self, region: str, chosen: int | None) -> int:
        pages = pages_of(self._client, "clusters", _CLUSTERS, region=region)
        here = [each async for page in pages for each in page if region_of(each) == region]
        with self._client.reading("clusters.list"):
            known = {int(each["id"]): each["deploy"] == _YES for each in here}
        if chosen is not None and chosen not in known:
            raise invalid("cluster_id", f"is one of {region}: {sorted(known)}", provider=PROVIDER, operation=_CREATE)
        first = chosen or min((each for each, is_open in known.items() if is_open), default=None)
        if first is None:
            raise not_found(f"object storage for new subscriptions in {region}", provider=PROVIDER, operation=_CREATE)
        return first

    async def _tier(self, cluster_id: int, region: str) -> int:
        """The default of the cluster, else its cheapest."""
        path = f"{_CLUSTERS}/{cluster_id}/tiers"
        answer = await self._client.request("tiers.list", "GET", path, region=region, wants=("tiers",))
        with self._client.reading("tiers.list"):
            tiers = [(each.get("is_default") != _YES, each["price"], int(each["id"])) for each in answer["tiers"]]
            return min(tiers)[2]

    def asset_of(self, document: Document) -> Asset:
        status = str(document["status"])
        return Asset(
            id=str(document["id"]),
            name=text_of(document["label"]),
            state=_STATES.get(status, AssetState.FAILED),
            region=region_of(document),
            tags=tags_of(document["label"]),
            configuration={"cluster_id": int(document["cluster_id"])},
            # No address: all subscriptions of a cluster share it.
            facts={"s3_hostname": document.get("s3_hostname") or None},
            created_at=moment_of(document["date_created"]),
            state_reason=None if status in _STATES else f"The subscription is {status}",
        )
