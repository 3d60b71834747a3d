"""How is something ordered? A machine at a place, one whose place is left open, an asset, one that cannot be had."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.chaos.client import Client
from deploy.chaos.clouds import CLOUDS
from deploy.chaos.kinds import AssetKind

OFFERS = "/api/cloud/placement/offers"
GLOBAL = "global"
UNKNOWN_SIZE = {"instance_type": "z99.mega"}
"""Of AWS's form, so that nobody but AWS can say that there is no such size."""
COMPUTE = "compute"

Order = dict[str, Any]


def machine_order(cloud: str, provider_id: str, name: str, configuration: Mapping[str, Any] | None = None) -> Order:
    known = CLOUDS[cloud]
    given = {"instance_type": known.size} if configuration is None else dict(configuration)
    return _order(provider_id, known.region, name, (COMPUTE, known.subtype), given)


def asset_order(cloud: str, provider_id: str, name: str, kind: AssetKind) -> Order:
    region = GLOBAL if kind.is_global else CLOUDS[cloud].region
    return _order(provider_id, region, name, (kind.resource_type, kind.subtype), kind.configured(name))


@dataclass(frozen=True, slots=True)
class Pair:
    """A place at which no machine can be had, and a dearer one of another cloud at which one can."""

    refusing: str
    granting: str
    usd_per_hour: float

    def order(self, name: str) -> Order:
        """A machine whose place is left open: tried where it is refused, and had where it is not."""
        return {"resource_name": name, "resource_type": COMPUTE, "environment": "development", "tags": {},
                "constraints": self.constraints}  # fmt: skip

    @property
    def constraints(self) -> dict[str, Any]:
        return {
            **LEAST,
            "providers": [self.refusing, self.granting],
            "regions": [CLOUDS[self.refusing].refusing, CLOUDS[self.granting].region],
            "max_price_usd_per_hour": self.usd_per_hour,
        }


LEAST = {"min_vcpu": 1, "min_memory_gib": 1}
"""What every image can live in."""


def pairs_of(client: Client, clouds: Sequence[str]) -> list[Pair]:
    """All that the prices of the day allow, in one order."""
    refusing = {name: _cheapest(client, name, CLOUDS[name].refusing) for name in clouds}
    granting = {name: _cheapest(client, name, CLOUDS[name].region) for name in clouds}
    return [
        Pair(first, second, granting[second])
        for first in clouds
        for second in clouds
        if first != second and refusing[first] < granting[second]
    ]


def _cheapest(client: Client, cloud: str, region: str) -> float:
    asked = {"constraints": {**LEAST, "providers": [cloud], "regions": [region]}}
    return float(client.call("POST", OFFERS, asked)["offers"][0]["usd_per_hour"])


def refusals(clouds: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each simulator is told, by its cloud, so that its refusing region refuses."""
    for name in clouds:
        known = CLOUDS[name]
        match = {"action": known.creation, "region": known.refusing}
        yield name, {"match": match if name == "aws" else {**match, "service": name}, **known.refusal}


def _order(provider_id: str, region: str, name: str, kind: tuple[str, str], configuration: Mapping[str, Any]) -> Order:
    return {
        "provider_id": provider_id,
        "region": region,
        "resource_name": name,
        "resource_type": kind[0],
        "resource_subtype": kind[1],
        "configuration": dict(configuration),
        "environment": "development",
        "tags": {},
    }
