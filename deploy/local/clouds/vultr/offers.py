"""Which regions, plans and operating systems has the simulated Vultr? A selection of what api.vultr.com lists."""

from __future__ import annotations

from typing import Any

# id: city, country, continent
_REGIONS = {
    "ams": ("Amsterdam", "NL", "Europe"), "atl": ("Atlanta", "US", "North America"),
    "cdg": ("Paris", "FR", "Europe"), "ewr": ("New Jersey", "US", "North America"),
    "fra": ("Frankfurt", "DE", "Europe"), "lax": ("Los Angeles", "US", "North America"),
    "lhr": ("London", "GB", "Europe"), "nrt": ("Tokyo", "JP", "Asia"), "sao": ("São Paulo", "BR", "South America"),
    "sgp": ("Singapore", "SG", "Asia"), "syd": ("Sydney", "AU", "Oceania"),
    "yto": ("Toronto", "CA", "North America"),
}  # fmt: skip

# id: processors, memory MiB, disk GB, bandwidth GB, USD a month
_PLANS = {
    "vc2-1c-1gb": (1, 1024, 25, 1024, 5.0),
    "vc2-1c-2gb": (1, 2048, 55, 2048, 10.0),
    "vc2-2c-4gb": (2, 4096, 80, 3072, 20.0),
    "vc2-4c-8gb": (4, 8192, 160, 4096, 40.0),
    "vc2-6c-16gb": (6, 16384, 320, 5120, 80.0),
    "vhf-2c-4gb": (2, 4096, 128, 3072, 24.0),
    "voc-c-2c-4gb-75s-amd": (2, 4096, 75, 5120, 60.0),
}

# number: name, family
_SYSTEMS = {
    1743: ("Ubuntu 22.04 LTS x64", "ubuntu"),
    2136: ("Debian 12 x64 (bookworm)", "debian"),
    2284: ("Ubuntu 24.04 LTS x64", "ubuntu"),
    2465: ("Ubuntu 25.04 x64", "ubuntu"),
}


def is_region(code: object) -> bool:
    return code in _REGIONS


def regions() -> list[dict[str, Any]]:
    options = ["ddos_protection", "block_storage_high_perf", "block_storage_storage_opt", "kubernetes"]
    return [
        {"id": code, "city": city, "country": country, "continent": continent, "options": options}
        for code, (city, country, continent) in _REGIONS.items()
    ]


def plan(identifier: object) -> dict[str, Any] | None:
    """None for an unknown one."""
    known = _PLANS.get(str(identifier))
    if known is None:
        return None
    processors, memory, disk, bandwidth, monthly = known
    return {
        "id": identifier, "vcpu_count": processors, "ram": memory, "disk": disk, "disk_count": 1,
        "bandwidth": bandwidth, "monthly_cost": monthly, "hourly_cost": round(monthly / 730, 4),
        "type": str(identifier).partition("-")[0], "locations": sorted(_REGIONS), "gpu_vram_gb": 0, "gpu_type": "",
    }  # fmt: skip


def plans() -> list[dict[str, Any]]:
    return [found for each in _PLANS if (found := plan(each)) is not None]


def system(number: object) -> dict[str, Any] | None:
    """By number, which libcloud sends as text; None for an unknown one."""
    wanted = int(str(number)) if str(number).isdecimal() else 0
    known = _SYSTEMS.get(wanted)
    return None if known is None else {"id": wanted, "name": known[0], "arch": "x64", "family": known[1]}


def systems() -> list[dict[str, Any]]:
    return [found for each in _SYSTEMS if (found := system(each)) is not None]
