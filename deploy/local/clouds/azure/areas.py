"""Which locations, sizes and images does Azure have? A part of each, with what the lists say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Area:
    """One location. `zones` is False where Azure has no availability zones."""

    name: str
    display_name: str
    geography: str
    geography_group: str
    physical_location: str
    paired: str
    zones: bool = True

    @property
    def zone_names(self) -> list[str]:
        return ["1", "2", "3"] if self.zones else []

    def document(self, subscription: str) -> dict[str, Any]:
        """As `GET /subscriptions/{id}/locations` shows it."""
        mappings = [{"logicalZone": zone, "physicalZone": f"{self.name}-az{4 - int(zone)}"} for zone in self.zone_names]
        return {
            "id": f"/subscriptions/{subscription}/locations/{self.name}",
            "name": self.name,
            "type": "Region",
            "displayName": self.display_name,
            "regionalDisplayName": f"({self.geography_group}) {self.display_name}",
            "metadata": {
                "regionType": "Physical",
                "regionCategory": "Recommended" if self.zones else "Other",
                "geography": self.geography,
                "geographyGroup": self.geography_group,
                "physicalLocation": self.physical_location,
                "pairedRegion": [{"name": self.paired, "id": f"/subscriptions/{subscription}/locations/{self.paired}"}],
            },
            **({"availabilityZoneMappings": mappings} if mappings else {}),
        }


@dataclass(frozen=True)
class Size:
    """One VM size; `quota` is how many cores of its family a new subscription may have in a location.

    `closed_in` are locations, or zones of one (`francecentral/2`), in which no new subscription may have it.
    """

    name: str
    family: str
    cores: int
    memory_gib: float
    quota: int = 100_000
    architecture: str = "x64"
    closed_in: tuple[str, ...] = ()

    def is_open(self, area: Area, zones: Sequence[str]) -> bool:
        """Whether it may be had there, in these zones."""
        return not {area.name, *(f"{area.name}/{zone}" for zone in zones)} & set(self.closed_in)

    def document(self, area: Area) -> dict[str, Any]:
        """As the resource SKUs API shows it for one location."""
        capabilities = {
            "vCPUs": str(self.cores),
            "MemoryGB": f"{self.memory_gib:g}",
            "CpuArchitectureType": self.architecture,
            "HyperVGenerations": "V1,V2",
            "PremiumIO": "True",
        }
        return {
            "resourceType": "virtualMachines",
            "name": self.name,
            "tier": "Standard",
            "size": self.name.removeprefix("Standard_"),
            "family": self.family,
            "locations": [area.name],
            "locationInfo": [{"location": area.name, "zones": area.zone_names, "zoneDetails": []}],
            "capabilities": [{"name": name, "value": value} for name, value in capabilities.items()],
            "restrictions": self._restrictions(area),
        }

    def _restrictions(self, area: Area) -> list[dict[str, Any]]:
        closed = [zone for zone in area.zone_names if not self.is_open(area, [zone])]
        why = {"reasonCode": "NotAvailableForSubscription"}
        info: dict[str, Any] = {"locations": [area.name]}
        if not self.is_open(area, []):
            return [{"type": "Location", "values": [area.name], "restrictionInfo": info, **why}]
        if not closed:
            return []
        return [{"type": "Zone", "values": [area.name], "restrictionInfo": {**info, "zones": closed}, **why}]


AREAS = {
    area.name: area
    for area in (
        Area("australiaeast", "Australia East", "Australia", "Asia Pacific", "New South Wales", "australiasoutheast"),
        Area("brazilsouth", "Brazil South", "Brazil", "South America", "Sao Paulo State", "southcentralus"),
        Area("canadacentral", "Canada Central", "Canada", "Canada", "Toronto", "canadaeast"),
        Area("centralindia", "Central India", "India", "Asia Pacific", "Pune", "southindia"),
        Area("centralus", "Central US", "United States", "US", "Iowa", "eastus2"),
        Area("eastus", "East US", "United States", "US", "Virginia", "westus"),
        Area("eastus2", "East US 2", "United States", "US", "Virginia", "centralus"),
        Area("francecentral", "France Central", "France", "Europe", "Paris", "francesouth"),
        Area("germanywestcentral", "Germany West Central", "Germany", "Europe", "Frankfurt", "germanynorth"),
        Area("japaneast", "Japan East", "Japan", "Asia Pacific", "Tokyo, Saitama", "japanwest"),
        Area("koreacentral", "Korea Central", "Korea", "Asia Pacific", "Seoul", "koreasouth"),
        Area("northcentralus", "North Central US", "United States", "US", "Illinois", "southcentralus", zones=False),
        Area("northeurope", "North Europe", "Europe", "Europe", "Ireland", "westeurope"),
        Area("southafricanorth", "South Africa North", "South Africa", "Africa", "Johannesburg", "southafricawest"),
        Area("southeastasia", "Southeast Asia", "Asia Pacific", "Asia Pacific", "Singapore", "eastasia"),
        Area("swedencentral", "Sweden Central", "Sweden", "Europe", "Gävle", "swedensouth"),
        Area("uaenorth", "UAE North", "UAE", "Middle East", "Dubai", "uaecentral"),
        Area("uksouth", "UK South", "United Kingdom", "Europe", "London", "ukwest"),
        Area("westeurope", "West Europe", "Europe", "Europe", "Netherlands", "northeurope"),
        Area("westus", "West US", "United States", "US", "California", "eastus", zones=False),
        Area("westus2", "West US 2", "United States", "US", "Washington", "westcentralus"),
    )
}

SIZES = {
    size.name: size
    for size in (
        Size("Standard_B1s", "standardBSFamily", 1, 1),
        Size("Standard_B1ms", "standardBSFamily", 1, 2),
        Size("Standard_B2s", "standardBSFamily", 2, 4),
        Size("Standard_B2ms", "standardBSFamily", 2, 8),
        Size("Standard_B4ms", "standardBSFamily", 4, 16),
        Size("Standard_B2ats_v2", "standardBasv2Family", 2, 1),
        Size("Standard_B2pts_v2", "standardBpsv2Family", 2, 1, architecture="Arm64"),
        Size("Standard_D2s_v5", "standardDSv5Family", 2, 8),
        Size("Standard_D4s_v5", "standardDSv5Family", 4, 16),
        Size("Standard_D8s_v5", "standardDSv5Family", 8, 32, closed_in=("francecentral/2", "swedencentral/1")),
        Size("Standard_D2ps_v5", "standardDPSv5Family", 2, 8, architecture="Arm64"),
        Size("Standard_E2s_v5", "standardESv5Family", 2, 16),
        Size("Standard_E4s_v5", "standardESv5Family", 4, 32),
        Size("Standard_F2s_v2", "standardFSv2Family", 2, 4),
        Size("Standard_F4s_v2", "standardFSv2Family", 4, 8, closed_in=("swedencentral",)),
        Size("Standard_M128s", "standardMSFamily", 128, 2048, quota=0),
    )
}

# (publisher, offer, sku) of platform images, in lower case, with their versions, the oldest first.
PLATFORM_IMAGES = {
    ("canonical", "ubuntu-24_04-lts", "server"): ("24.04.202609100", "24.04.202610210", "24.04.202611120"),
    ("canonical", "ubuntu-24_04-lts", "server-arm64"): ("24.04.202610210", "24.04.202611120"),
    ("canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2"): ("22.04.202609160", "22.04.202611040"),
    ("debian", "debian-12", "12-gen2"): ("0.20260911.2231", "0.20261106.2287"),
}
ROOT_GIB = 30
"""The size of the operating system's disk of every platform image."""
