"""Which regions, types and images has the simulated Linode? All types that we know of, a selection of the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from shared.clouds.registry import list_prices_of, machine_types_of

_PRICED = "us-east"
"""Linode's prices are the same in all of these regions."""

MONTH_HOURS = 1 / 0.0015
"""A month costs as much as so many hours of it, 666⅔, and no more."""

# id: country, label
REGIONS = {
    "ap-south": ("sg", "Singapore, SG"), "ap-southeast": ("au", "Sydney, AU"), "ap-west": ("in", "Mumbai, IN"),
    "ca-central": ("ca", "Toronto, CA"), "eu-central": ("de", "Frankfurt, DE"), "eu-west": ("gb", "London, UK"),
    "fr-par": ("fr", "Paris, FR"), "jp-osa": ("jp", "Osaka, JP"), "us-central": ("us", "Dallas, TX"),
    "us-east": ("us", "Newark, NJ"), "us-ord": ("us", "Chicago, IL"), "us-west": ("us", "Fremont, CA"),
}  # fmt: skip

# id: label, vendor, end of life
_IMAGES = {
    "linode/debian12": ("Debian 12", "Debian", "2028-06-30T04:00:00"),
    "linode/fedora42": ("Fedora 42", "Fedora", "2026-05-13T04:00:00"),
    "linode/ubuntu22.04": ("Ubuntu 22.04 LTS", "Ubuntu", "2027-04-30T04:00:00"),
    "linode/ubuntu24.04": ("Ubuntu 24.04 LTS", "Ubuntu", "2029-04-30T04:00:00"),
    "linode/ubuntu25.04": ("Ubuntu 25.04", "Ubuntu", "2026-01-15T04:00:00"),
}


def region(code: str, *, available: bool) -> dict[str, Any]:
    country, label = REGIONS[code]
    return {
        "id": code, "label": label, "country": country, "status": "ok" if available else "outage", "site_type": "core",
        "capabilities": ["Linodes", "Block Storage", "NodeBalancers", "Cloud Firewall", "Vlans", "VPCs", "Metadata",
                         "Object Storage"],
        "resolvers": {"ipv4": "192.0.2.1,192.0.2.2", "ipv6": "2001:db8::1,2001:db8::2"},
        "placement_group_limits": {"maximum_pgs_per_customer": 100, "maximum_linodes_per_pg": 5},
    }  # fmt: skip


def gib_month_usd(region: str) -> Decimal | None:
    """Of a volume; None where it has no known price."""
    price = list_prices_of("linode").of_region(region).get("disk")
    return None if price is None else price.usd


def hour_usd(identifier: str) -> Decimal | None:
    """None for a type without a known price."""
    price = list_prices_of("linode").of_region(_PRICED).get(identifier)
    return None if price is None else price.usd


def type_(identifier: str) -> dict[str, Any] | None:
    """None for an unknown one."""
    known = machine_types_of("linode").get(identifier)
    if known is None or known.disk_gib is None:
        return None
    kind = identifier.split("-")[1]
    hourly = float(list_prices_of("linode").of_region(_PRICED)[identifier].usd)
    monthly = round(hourly * MONTH_HOURS, 2)
    return {
        "id": identifier, "label": f"{kind.capitalize()} {known.memory_gib:g}GB", "class": kind, "vcpus": known.vcpu,
        "memory": int(known.memory_gib * 1024), "disk": known.disk_gib * 1024,
        "transfer": min(20_000, int(known.memory_gib) * 1000), "network_out": min(12_000, known.vcpu * 1000),
        "gpus": 0, "successor": None, "accelerated_devices": 0,
        "price": {"monthly": monthly, "hourly": hourly}, "region_prices": [],
        "addons": {"backups": {"price": {"monthly": monthly / 2.5, "hourly": hourly / 2.5}, "region_prices": []}},
    }  # fmt: skip


def types() -> list[dict[str, Any]]:
    return [found for each in machine_types_of("linode") if (found := type_(each)) is not None]


def image(identifier: str) -> dict[str, Any] | None:
    """None for an unknown one."""
    known = _IMAGES.get(identifier)
    if known is None:
        return None
    label, vendor, end = known
    return {
        "id": identifier, "label": label, "vendor": vendor, "description": "", "created": "2024-05-01T12:00:00",
        "updated": "2024-05-01T12:00:00", "created_by": "linode", "deprecated": False, "is_public": True, "size": 3000,
        "type": "manual", "eol": end, "expiry": None, "status": "available", "capabilities": ["cloud-init"],
        "regions": [], "tags": [], "total_size": 3000,
    }  # fmt: skip


def images() -> list[dict[str, Any]]:
    return [found for each in _IMAGES if (found := image(each)) is not None]
