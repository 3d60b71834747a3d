"""Which regions, plans and systems has the simulated Vultr? All plans that we know of, a selection of the rest."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from shared.clouds.registry import list_prices_of, machine_types_of

_PRICED = "ewr"
"""Vultr's prices are the same in all regions but São Paulo, which has plans of its own."""
_SAO_PAULO = "-sc1"
MONTH_HOURS = 730
"""A month costs as much as so many hours of it, and no more."""
BLOCK_GIB_MONTH_USD = Decimal("0.1")

# id: city, country, continent
_REGIONS = {
    "ams": ("Amsterdam", "NL", "Europe"), "atl": ("Atlanta", "US", "North America"),
    "cdg": ("Paris", "FR", "Europe"), "ewr": ("New Jersey", "US", "North America"),
    "fra": ("Frankfurt", "DE", "Europe"), "lax": ("Los Angeles", "US", "North America"),
    "lhr": ("London", "GB", "Europe"), "nrt": ("Tokyo", "JP", "Asia"), "sao": ("São Paulo", "BR", "South America"),
    "sgp": ("Singapore", "SG", "Asia"), "syd": ("Sydney", "AU", "Oceania"),
    "yto": ("Toronto", "CA", "North America"),
}  # fmt: skip

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


def hour_usd(identifier: str) -> Decimal | None:
    """None for a plan without a known price."""
    region = "sao" if identifier.endswith(_SAO_PAULO) else _PRICED
    price = list_prices_of("vultr").of_region(region).get(identifier)
    return None if price is None else price.usd


def plan(identifier: object) -> dict[str, Any] | None:
    """None for an unknown one."""
    known = machine_types_of("vultr").get(str(identifier))
    if known is None:
        return None
    sao_paulo = known.name.endswith(_SAO_PAULO)
    hourly = float(list_prices_of("vultr").of_region("sao" if sao_paulo else _PRICED)[known.name].usd)
    return {
        "id": identifier, "vcpu_count": known.vcpu, "ram": int(known.memory_gib * 1024), "disk": known.disk_gib,
        "disk_count": 1, "bandwidth": min(15_360, 1024 * known.vcpu), "monthly_cost": round(hourly * MONTH_HOURS, 1),
        "hourly_cost": hourly, "type": known.name.partition("-")[0],
        "locations": ["sao"] if sao_paulo else sorted(set(_REGIONS) - {"sao"}), "gpu_vram_gb": 0, "gpu_type": "",
    }  # fmt: skip


def plans() -> list[dict[str, Any]]:
    return [found for each in machine_types_of("vultr") if (found := plan(each)) is not None]


def system(number: object) -> dict[str, Any] | None:
    """By number, which libcloud sends as text; None for an unknown one."""
    wanted = int(str(number)) if str(number).isdecimal() else 0
    known = _SYSTEMS.get(wanted)
    return None if known is None else {"id": wanted, "name": known[0], "arch": "x64", "family": known[1]}


def systems() -> list[dict[str, Any]]:
    return [found for each in _SYSTEMS if (found := system(each)) is not None]
