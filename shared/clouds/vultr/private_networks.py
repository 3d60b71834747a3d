"""How are VPCs made, read, tagged and removed?"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetState
from shared.clouds.vultr.labelled import LabelledAssets, Place, region_of
from shared.clouds.vultr.labels import tags_of, text_of
from shared.clouds.vultr.lists import Document, moment_of


class VultrPrivateNetworks(LabelledAssets):
    """One range of addresses in one region. Nothing of it changes but its description, where the tags are; it is not
    removed while anything is attached to it. The walls of recovery drills are VPCs too and listed with them.
    """

    resource_type, resource_subtype = "network", "vpc"
    place = Place("/v2/vpcs", "vpcs", "vpc", text="description", change_by="PUT")

    async def order(self, region: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
        if configuration["ip_range"] is None:
            return {"region": region}
        chosen = ipaddress.IPv4Network(configuration["ip_range"])
        subnet = {"v4_subnet": str(chosen.network_address), "v4_subnet_mask": chosen.prefixlen}
        return {"region": region, **subnet}

    def asset_of(self, document: Document) -> Asset:
        return Asset(
            id=str(document["id"]),
            name=text_of(document["description"]),
            state=AssetState.AVAILABLE,  # Vultr makes one at once and has no state of it
            region=region_of(document),
            tags=tags_of(document["description"]),
            configuration={"ip_range": range_of(document)},
            created_at=moment_of(document["date_created"]),
        )


def range_of(document: Document) -> str:
    """`10.64.1.0/24`"""
    return f"{document['v4_subnet']}/{document['v4_subnet_mask']}"
