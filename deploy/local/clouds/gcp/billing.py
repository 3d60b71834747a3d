"""What does a project of the simulated Google Cloud pay for, and under which names does a bill tell it?

A machine pays while it runs; a disk, attached or not, for the size that it has, as a pd-balanced one. A machine's type
is one SKU here, where Google's bill has cores and memory apart, whose prices are on no list of ours. Sustained use
gives no discount: the list is without it. A deleted machine is on the bill for an hour still, as it is in the
lists of the controls; a deleted disk is on none. What has no price (a type that is not on the list) is on no bill.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from deploy.local.clouds.bills import COMPUTE, STORAGE, TRAFFIC, Billed, Volume
from deploy.local.clouds.gcp.places import MACHINE_TYPES
from deploy.local.clouds.world.controls import MACHINE, VOLUME
from deploy.local.clouds.world.lives import was_on
from deploy.local.clouds.world.provider import Call
from deploy.local.clouds.world.things import Thing
from shared.clouds.registry import list_prices_of

DISK = "pd-balanced"
# cloud.google.com/vpc/network-pricing, Premium Tier to the internet, the first TiB; it depends on where it goes, too
GIB_OUT_USD = Decimal("0.12")
_RUNNING = frozenset({"PROVISIONING", "STAGING", "RUNNING"})


@dataclass(frozen=True)
class Paid:
    """Something on the bill. `system_labels` are Google's own."""

    billed: Billed
    zone: str
    labels: Mapping[str, str]
    system_labels: Mapping[str, str]
    is_spot: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """Those of its charges on each day on which it has any, in their order."""
        return (STORAGE,) if self.billed.volumes_gib else (COMPUTE, TRAFFIC)

    def sku(self, kind: str) -> tuple[str, str]:
        """Its id and what it is called."""
        spot = "Spot Preemptible " if self.is_spot else ""
        described = {
            COMPUTE: f"{spot}Instance {self.billed.kind} running in {self.billed.region}",
            STORAGE: f"Balanced PD Capacity in {self.billed.region}",
            TRAFFIC: f"Network Internet Data Transfer Out from {self.billed.region}",
        }[kind]
        return _sku_id(described), described


@lru_cache(maxsize=4096)
def _sku_id(described: str) -> str:
    digest = hashlib.sha256(described.encode()).hexdigest()[:12].upper()
    return f"{digest[:4]}-{digest[4:8]}-{digest[8:]}"


def paid_for(call: Call) -> list[Paid]:
    """What the project pays for, machines and then disks, each in the order in which they were made."""
    return [*_machines(call), *_disks(call)]


def _machines(call: Call) -> Iterator[Paid]:
    for each in call.list(MACHINE):
        is_spot = each.facts["scheduling"]["provisioningModel"] == "SPOT"
        for span in was_on(each, each.facts["machineType"], is_on=each.state in _RUNNING):
            price = _price(each.region, f"spot:{span.size}" if is_spot else span.size)
            if price is not None:
                billed = Billed(
                    id=each.facts["id"], region=each.region, kind=span.size, hour_usd=price,
                    gib_month_usd=Decimal(0), gib_out_usd=GIB_OUT_USD, volumes_gib=0, launched_s=span.from_s,
                    gone_s=span.until_s,
                )  # fmt: skip
                yield Paid(billed, _zone(each), each.facts["labels"], _machine_facts(span.size), is_spot)


@lru_cache(maxsize=4096)
def _price(region: str, item: str) -> Decimal | None:
    known = list_prices_of("gcp").of_region(region).get(item)
    return None if known is None else known.usd


@lru_cache(maxsize=1024)
def _machine_facts(machine_type: str) -> Mapping[str, str]:
    cores, memory_mb, _ = MACHINE_TYPES[machine_type]
    known = {"machine_spec": machine_type, "cores": str(cores), "memory": str(memory_mb)}
    return {f"compute.googleapis.com/{name}": value for name, value in known.items()}


def _disks(call: Call) -> Iterator[Paid]:
    for each in call.list(VOLUME):
        price = _price(each.region, f"disk:{DISK}")
        if price is not None:
            volume = Volume(
                each.facts["id"], each.region, DISK, int(each.facts["sizeGb"]), price, each.created_s
            ).billed()  # fmt: skip
            yield Paid(volume, _zone(each), each.facts["labels"], {})


def _zone(thing: Thing) -> str:
    return thing.id.split("/")[1]
