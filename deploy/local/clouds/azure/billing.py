"""What does a subscription of the simulated Azure pay for, and under which names does a bill tell it?

A machine pays while it is allocated: not when it is deallocated, but when it was only stopped. A disk pays for the tier
that its size, as it is now, is rounded up to. A deleted machine is on the bills of the time before; a deleted disk is
on none any more. The first 100 GB that a subscription sends in a month are free at Azure, and paid for here.

Sizes cost what the price list says, disks in every location what Azure asks in East US. What has no price (ultra disks,
ZRS, sizes and locations that are not on the list) is on no bill.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.areas import AREAS
from deploy.local.clouds.bills import COMPUTE, STORAGE, TRAFFIC, Billed, Volume
from deploy.local.clouds.world.controls import MACHINE, VOLUME
from deploy.local.clouds.world.lives import was_on
from deploy.local.clouds.world.provider import Call
from deploy.local.clouds.world.things import Thing
from shared.clouds.registry import list_prices_of

_TIERS_GIB = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
# azure.microsoft.com/pricing/details/managed-disks: USD a month of each tier, from the first on that the kind has
_DISKS: Mapping[str, tuple[str, str, int, tuple[str, ...]]] = {
    "Standard_LRS": ("Standard HDD Managed Disks", "S", 32,
                     ("1.536", "3.008", "5.888", "11.328", "21.76", "40.96", "77.83", "143.36")),
    "StandardSSD_LRS": ("Standard SSD Managed Disks", "E", 4,
                        ("0.30", "0.60", "1.20", "2.40", "4.80", "9.60", "19.20", "38.40", "76.80", "153.60",
                         "307.20")),
    "Premium_LRS": ("Premium SSD Managed Disks", "P", 4,
                    ("0.60", "1.20", "2.40", "5.28", "10.21", "19.71", "38.01", "73.22", "135.17", "259.05", "495.57")),
}  # fmt: skip
"""Kind of a disk: subcategory of its meter, the letter of its tiers, the smallest one's GiB, prices."""
_TIER_NUMBERS = (1, 2, 3, 4, 6, 10, 15, 20, 30, 40, 50)
# azure.microsoft.com/pricing/details/bandwidth: the three zones, USD a GB after the first 100
_GIB_OUT_USD = {"US": "0.087", "Canada": "0.087", "Europe": "0.087", "Asia Pacific": "0.12"}
_GIB_OUT_ELSEWHERE_USD = "0.181"


@dataclass(frozen=True)
class Paid:
    """Something on the bill; `names` are the dimensions of each kind of its charges, tags by their lower-case names."""

    billed: Billed
    names: Mapping[str, Mapping[str, str]]
    tags: Mapping[str, str]


def paid_for(call: Call, group: str = "") -> Iterator[Paid]:
    """What the subscription, or one resource group of it, pays for: machines, then disks."""
    wanted = group.lower()
    for each in call.list(MACHINE):
        if wanted in {"", paths.group_of(each.id).lower()} and each.state != "failed":
            yield from _machine(each)
    for each in call.list(VOLUME):
        if wanted in {"", paths.group_of(each.id).lower()}:
            yield from _disk(each)


def _machine(thing: Thing) -> Iterator[Paid]:
    properties = thing.facts["properties"]
    is_spot = properties.get("priority") == "Spot"
    identifier = thing.id.partition("#")[0]
    for span in was_on(thing, properties["hardwareProfile"]["vmSize"], is_on=thing.state != "deallocated"):
        price = list_prices_of("azure").of_region(thing.region).get(f"spot:{span.size}" if is_spot else span.size)
        if price is not None:
            billed = Billed(
                id=identifier, region=thing.region, kind=span.size, hour_usd=price.usd, gib_month_usd=Decimal(0),
                gib_out_usd=_gib_out_usd(thing.region), volumes_gib=0, launched_s=span.from_s, gone_s=span.until_s,
            )  # fmt: skip
            yield Paid(billed, _machine_names(thing, identifier, span.size, is_spot=is_spot), _lower(thing))


def _machine_names(thing: Thing, identifier: str, size: str, *, is_spot: bool) -> Mapping[str, Mapping[str, str]]:
    common = _common(thing, identifier, "microsoft.compute/virtualmachines")
    common["PricingModel"] = "Spot" if is_spot else "OnDemand"
    meter = size.removeprefix("Standard_").replace("_", " ") + (" Spot" if is_spot else "")
    return {
        COMPUTE: common | _meter("Virtual Machines", f"{meter.rstrip('0123456789')} Series", meter, "Compute"),
        TRAFFIC: common | _meter("Bandwidth", "Rtn Preference: MGN", "Standard Data Transfer Out", "Networking"),
    }


def _disk(thing: Thing) -> Iterator[Paid]:
    known = _DISKS.get(thing.facts["sku"]["name"])
    if known is None:
        return
    title, letter, smallest_gib, prices = known
    size_gib = max(smallest_gib, int(thing.facts["properties"]["diskSizeGB"]))
    tier = next((number for number, gib in enumerate(_TIERS_GIB) if gib >= size_gib), None)
    if tier is None:
        return
    gib, month_usd = _TIERS_GIB[tier], Decimal(prices[tier - _TIERS_GIB.index(smallest_gib)])
    volume = Volume(thing.id, thing.region, thing.facts["sku"]["name"], gib, month_usd / gib, thing.created_s)
    meter = _meter("Storage", title, f"{letter}{_TIER_NUMBERS[tier]} LRS Disk", "Storage")
    common = _common(thing, thing.id, "microsoft.compute/disks")
    yield Paid(volume.billed(), {STORAGE: common | meter}, _lower(thing))


def _common(thing: Thing, identifier: str, kind: str) -> dict[str, str]:
    group = paths.group_of(identifier).lower()
    return {
        "SubscriptionId": thing.account, "SubscriptionName": f"Subscription {thing.account[:8]}",
        "ResourceGroup": group, "ResourceGroupName": group, "ResourceId": identifier.lower(), "ResourceType": kind,
        "ResourceLocation": AREAS[thing.region].display_name, "ConsumedService": "Microsoft.Compute",
        "ChargeType": "Usage", "PublisherType": "Microsoft", "PricingModel": "OnDemand",
    }  # fmt: skip


def _meter(category: str, subcategory: str, meter: str, family: str) -> dict[str, str]:
    return {
        "ServiceName": category, "ServiceFamily": family, "MeterCategory": category, "MeterSubcategory": subcategory,
        "Meter": meter,
    }  # fmt: skip


def _gib_out_usd(location: str) -> Decimal:
    return Decimal(_GIB_OUT_USD.get(AREAS[location].geography_group, _GIB_OUT_ELSEWHERE_USD))


def _lower(thing: Thing) -> Mapping[str, str]:
    return {name.lower(): value for name, value in thing.facts["tags"].items()}
