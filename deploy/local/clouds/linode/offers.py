"""Which regions, types and images has the simulated Linode? A selection of what api.linode.com lists to anybody."""

from __future__ import annotations

from typing import Any

# id: country, label
REGIONS = {
    "ap-south": ("sg", "Singapore, SG"), "ap-southeast": ("au", "Sydney, AU"), "ap-west": ("in", "Mumbai, IN"),
    "ca-central": ("ca", "Toronto, CA"), "eu-central": ("de", "Frankfurt, DE"), "eu-west": ("gb", "London, UK"),
    "fr-par": ("fr", "Paris, FR"), "jp-osa": ("jp", "Osaka, JP"), "us-central": ("us", "Dallas, TX"),
    "us-east": ("us", "Newark, NJ"), "us-ord": ("us", "Chicago, IL"), "us-west": ("us", "Fremont, CA"),
}  # fmt: skip

# id: label, class, processors, memory MiB, disk MiB, transfer GB, network out Mbit/s, USD a month, USD an hour
_TYPES = {
    "g6-nanode-1": ("Nanode 1GB", "nanode", 1, 1024, 25600, 1000, 1000, 5.0, 0.0075),
    "g6-standard-1": ("Linode 2GB", "standard", 1, 2048, 51200, 2000, 2000, 12.0, 0.018),
    "g6-standard-2": ("Linode 4GB", "standard", 2, 4096, 81920, 4000, 4000, 24.0, 0.036),
    "g6-standard-4": ("Linode 8GB", "standard", 4, 8192, 163840, 5000, 5000, 48.0, 0.072),
    "g6-standard-6": ("Linode 16GB", "standard", 6, 16384, 327680, 8000, 6000, 96.0, 0.144),
    "g6-dedicated-2": ("Dedicated 4GB", "dedicated", 2, 4096, 81920, 4000, 4000, 36.0, 0.054),
    "g6-dedicated-4": ("Dedicated 8GB", "dedicated", 4, 8192, 163840, 5000, 5000, 72.0, 0.108),
    "g7-highmem-1": ("Linode 24GB", "highmem", 2, 24576, 20480, 5000, 5000, 60.0, 0.09),
}

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


def type_(identifier: str) -> dict[str, Any] | None:
    """None for an unknown one."""
    known = _TYPES.get(identifier)
    if known is None:
        return None
    label, kind, processors, memory, disk, transfer, network, monthly, hourly = known
    return {
        "id": identifier, "label": label, "class": kind, "vcpus": processors, "memory": memory, "disk": disk,
        "transfer": transfer, "network_out": network, "gpus": 0, "successor": None, "accelerated_devices": 0,
        "price": {"monthly": monthly, "hourly": hourly}, "region_prices": [],
        "addons": {"backups": {"price": {"monthly": monthly / 2.5, "hourly": hourly / 2.5}, "region_prices": []}},
    }  # fmt: skip


def types() -> list[dict[str, Any]]:
    return [found for each in _TYPES if (found := type_(each)) is not None]


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
