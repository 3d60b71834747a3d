"""Which regions, sizes and images has the simulated DigitalOcean?

Regions and images are a selection; sizes and prices are all that we know of.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from shared.clouds.registry import list_prices_of, machine_types_of

_SLUGS = sorted(machine_types_of("digitalocean"))
_PRICED = "nyc3"
"""DigitalOcean's prices are the same in all regions."""
HOURS_PER_MONTH = 672
"""After so many hours DigitalOcean counts no more."""

REGIONS = {
    "ams3": "Amsterdam 3", "blr1": "Bangalore 1", "fra1": "Frankfurt 1", "lon1": "London 1", "nyc1": "New York 1",
    "nyc3": "New York 3", "sfo3": "San Francisco 3", "sgp1": "Singapore 1", "syd1": "Sydney 1", "tor1": "Toronto 1",
}  # fmt: skip

# slug: number, name, distribution
_IMAGES = {
    "debian-12-x64": (153848190, "12 x64", "Debian"),
    "fedora-42-x64": (184304013, "42 x64", "Fedora"),
    "ubuntu-22-04-x64": (155133621, "22.04 (LTS) x64", "Ubuntu"),
    "ubuntu-24-04-x64": (195932981, "24.04 (LTS) x64", "Ubuntu"),
    "ubuntu-25-04-x64": (184289117, "25.04 x64", "Ubuntu"),
}


def gib_month_usd(region: str) -> Decimal | None:
    """Of a volume; None where it has no known price."""
    price = list_prices_of("digitalocean").of_region(region).get("disk")
    return None if price is None else price.usd


def hour_usd(slug: str) -> Decimal | None:
    """None for a size without a known price."""
    price = list_prices_of("digitalocean").of_region(_PRICED).get(slug)
    return None if price is None else price.usd


def size(slug: str) -> dict[str, Any] | None:
    """None for an unknown one."""
    known = machine_types_of("digitalocean").get(slug)
    if known is None:
        return None
    hourly = float(list_prices_of("digitalocean").of_region(_PRICED)[slug].usd)
    return {
        "slug": slug, "memory": int(known.memory_gib * 1024), "vcpus": known.vcpu, "disk": known.disk_gib,
        "transfer": min(10.0, max(0.5, known.memory_gib)), "price_monthly": round(hourly * HOURS_PER_MONTH, 2),
        "price_hourly": hourly, "regions": sorted(REGIONS), "available": True, "description": known.family,
        "networking_throughput": 2000,
        "disk_info": [{"type": "local", "size": {"amount": known.disk_gib, "unit": "gib"}}],
    }  # fmt: skip


def sizes() -> list[dict[str, Any]]:
    return [found for slug in machine_types_of("digitalocean") if (found := size(slug)) is not None]


def region(slug: str, *, available: bool = True) -> dict[str, Any]:
    return {
        "slug": slug, "name": REGIONS[slug], "available": available, "sizes": _SLUGS,
        "features": ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"],
    }  # fmt: skip


def image(slug_or_number: str) -> dict[str, Any] | None:
    """A public image by slug or number, None for an unknown one."""
    for slug, (number, name, distribution) in _IMAGES.items():
        if slug_or_number in {slug, str(number)}:
            return {
                "id": number, "name": name, "type": "base", "distribution": distribution, "slug": slug, "public": True,
                "regions": sorted(REGIONS), "created_at": "2025-10-14T15:09:55Z", "min_disk_size": 7,
                "size_gigabytes": 0.64, "description": f"{distribution} {name}", "tags": [], "status": "available",
                "error_message": "",
            }  # fmt: skip
    return None


def images() -> list[dict[str, Any]]:
    return [found for slug in _IMAGES if (found := image(slug)) is not None]
