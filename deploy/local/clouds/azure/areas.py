"""Which locations, sizes and images does Azure have? All sizes that we know of, a part of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.clouds.models import MachineType
from shared.clouds.registry import machine_types_of


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

    @property
    def has_spot(self) -> bool:
        """All but the B series and the promotions (learn.microsoft.com/azure/virtual-machines/spot-vms)."""
        return not self.name.startswith("Standard_B") and not self.name.endswith("_Promo")

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
            "LowPriorityCapable": str(self.has_spot),
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

_CLOSED_IN = {
    "Standard_D8s_v5": ("francecentral/2", "swedencentral/1"),
    "Standard_F4s_v2": ("swedencentral",),
}
_QUOTAS = {"standardMSFamily": 0}
"""Families of which a new subscription may have none."""


def _size_of(each: MachineType) -> Size:
    """The family of cores is named as Azure names it: standardDSv5Family."""
    letters, _, version = each.family.removeprefix("Standard_").partition("_")
    family = f"standard{letters.upper()}{version}Family"
    architecture = "Arm64" if each.architecture == "arm64" else "x64"
    return Size(
        each.name, family, each.vcpu, each.memory_gib, _QUOTAS.get(family, 100_000), architecture,
        _CLOSED_IN.get(each.name, ()),
    )  # fmt: skip


SIZES = {each.name: _size_of(each) for each in machine_types_of("azure").values()}
"""All sizes that we know of."""

# (publisher, offer, sku) of platform images, in lower case, with their versions, the oldest first.
PLATFORM_IMAGES = {
    ("canonical", "ubuntu-24_04-lts", "server"): ("24.04.202609100", "24.04.202610210", "24.04.202611120"),
    ("canonical", "ubuntu-24_04-lts", "server-arm64"): ("24.04.202610210", "24.04.202611120"),
    ("canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2"): ("22.04.202609160", "22.04.202611040"),
    ("debian", "debian-12", "12-gen2"): ("0.20260911.2231", "0.20261106.2287"),
}
ROOT_GIB = 30
"""The size of the operating system's disk of every platform image."""
