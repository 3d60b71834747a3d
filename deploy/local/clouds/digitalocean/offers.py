"""Which regions, sizes and images has the simulated DigitalOcean?

Slugs, shapes and prices as docs.digitalocean.com and slugs.do-api.dev list them; a selection.
"""

from __future__ import annotations

from typing import Any

REGIONS = {
    "ams3": "Amsterdam 3", "blr1": "Bangalore 1", "fra1": "Frankfurt 1", "lon1": "London 1", "nyc1": "New York 1",
    "nyc3": "New York 3", "sfo3": "San Francisco 3", "sgp1": "Singapore 1", "syd1": "Sydney 1", "tor1": "Toronto 1",
}  # fmt: skip

# slug: vCPUs, memory MiB, disk GiB, transfer TiB, USD a month, USD an hour
_SIZES = {
    "s-1vcpu-512mb-10gb": (1, 512, 10, 0.5, 4.0, 0.00595),
    "s-1vcpu-1gb": (1, 1024, 25, 1.0, 6.0, 0.00893),
    "s-1vcpu-2gb": (1, 2048, 50, 2.0, 12.0, 0.01786),
    "s-2vcpu-2gb": (2, 2048, 60, 3.0, 18.0, 0.02679),
    "s-2vcpu-4gb": (2, 4096, 80, 4.0, 24.0, 0.03571),
    "s-4vcpu-8gb": (4, 8192, 160, 5.0, 48.0, 0.07143),
    "s-8vcpu-16gb": (8, 16384, 320, 6.0, 96.0, 0.14286),
    "c-2": (2, 4096, 25, 4.0, 42.0, 0.0625),
    "c-4": (4, 8192, 50, 5.0, 84.0, 0.125),
    "g-2vcpu-8gb": (2, 8192, 25, 4.0, 63.0, 0.09375),
    "m-2vcpu-16gb": (2, 16384, 50, 4.0, 84.0, 0.125),
}

# slug: number, name, distribution
_IMAGES = {
    "debian-12-x64": (153848190, "12 x64", "Debian"),
    "fedora-42-x64": (184304013, "42 x64", "Fedora"),
    "ubuntu-22-04-x64": (155133621, "22.04 (LTS) x64", "Ubuntu"),
    "ubuntu-24-04-x64": (195932981, "24.04 (LTS) x64", "Ubuntu"),
    "ubuntu-25-04-x64": (184289117, "25.04 x64", "Ubuntu"),
}


def size(slug: str) -> dict[str, Any] | None:
    """None for an unknown one."""
    known = _SIZES.get(slug)
    if known is None:
        return None
    vcpus, memory, disk, transfer, monthly, hourly = known
    return {
        "slug": slug, "memory": memory, "vcpus": vcpus, "disk": disk, "transfer": transfer, "price_monthly": monthly,
        "price_hourly": hourly, "regions": sorted(REGIONS), "available": True, "description": "Basic",
        "networking_throughput": 2000, "disk_info": [{"type": "local", "size": {"amount": disk, "unit": "gib"}}],
    }  # fmt: skip


def sizes() -> list[dict[str, Any]]:
    return [found for slug in _SIZES if (found := size(slug)) is not None]


def region(slug: str, *, available: bool = True) -> dict[str, Any]:
    return {
        "slug": slug, "name": REGIONS[slug], "available": available, "sizes": sorted(_SIZES),
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
