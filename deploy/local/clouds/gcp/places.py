"""Where can something be in the simulated Google Cloud, and which machine types are there?"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.gcp.errors import not_found
from deploy.local.clouds.gcp.lists import aggregated, listed
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from shared.clouds.registry import machine_types_of

REGIONS: Mapping[str, str] = {
    "asia-northeast1": "abc",
    "asia-southeast1": "abc",
    "australia-southeast1": "abc",
    "europe-north1": "abc",
    "europe-west1": "bcd",
    "europe-west3": "abc",
    "southamerica-east1": "abc",
    "us-central1": "abcf",
    "us-east1": "bcd",
    "us-west1": "abc",
}
"""The letters of each region's zones."""

INSTANCES_PER_REGION = 20_000
SMALL_QUOTAS: Mapping[str, int] = {"southamerica-east1": 8}
"""Regions in which a project may have few machines, so that a used-up quota can be seen without making 20,000."""

# metric: kind of things, limit of a new project (cloud.google.com/compute/quotas-limits)
REGIONAL_QUOTAS: Mapping[str, tuple[str, int]] = {
    "FORWARDING_RULES": ("forwarding_rule", 15), "TARGET_POOLS": ("target_pool", 50),
}  # fmt: skip
GLOBAL_QUOTAS: Mapping[str, tuple[str, int]] = {
    "FIREWALLS": ("group", 200), "NETWORKS": ("network", 15), "SUBNETWORKS": ("subnetwork", 275),
}  # fmt: skip
MACHINE_TYPES: Mapping[str, tuple[int, int, str]] = {
    each.name: (each.vcpu, int(each.memory_gib * 1024), "ARM64" if each.architecture == "arm64" else "X86_64")
    for each in machine_types_of("gcp").values()
}
"""Virtual processors, memory in MB and architecture by name: all that we know of."""
DELETED = "DELETED"
"""The state of a machine that has left the API and not yet the controls."""

_SINCE = "2014-05-30T18:35:16.413-07:00"


def region_of_zone(zone: str) -> str:
    return zone.rpartition("-")[0]


def zones_of(region: str) -> list[str]:
    return [f"{region}-{letter}" for letter in REGIONS.get(region, "")]


def stamp(time_s: float) -> str:
    """As Google writes times: in the zone of its headquarters."""
    pacific = dt.timezone(dt.timedelta(hours=-8))
    return dt.datetime.fromtimestamp(time_s, pacific).isoformat(timespec="milliseconds")


def number_of(*parts: str) -> str:
    """The numeric id of a thing, the same for the same parts."""
    return str(int.from_bytes(hashlib.sha256("/".join(parts).encode()).digest()[:8], "big") >> 1)


def url(call: Call, path: str) -> str:
    """The address of a resource of the call's project: `zones/us-central1-a/instances/one`."""
    return f"{call.http.base_url}/compute/v1/projects/{call.account.account_id}/{path}"


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}"
    return [
        Action("GET", base, "projects.get", get_project),
        Action("GET", f"{base}/regions", "regions.list", list_regions),
        Action("GET", f"{base}/regions/{{region}}", "regions.get", get_region),
        Action("GET", f"{base}/zones", "zones.list", list_zones),
        Action("GET", f"{base}/zones/{{zone}}", "zones.get", get_zone),
        Action("GET", f"{base}/aggregated/machineTypes", "machineTypes.aggregatedList", aggregate_types),
        Action("GET", f"{base}/zones/{{zone}}/machineTypes", "machineTypes.list", list_types),
        Action("GET", f"{base}/zones/{{zone}}/machineTypes/{{name}}", "machineTypes.get", get_type),
    ]


def quota_of(region: str) -> int:
    """How many machines a project may have there."""
    return SMALL_QUOTAS.get(region, INSTANCES_PER_REGION)


def machines_in(call: Call, region: str) -> int:
    known = call.things.of(call.account.provider, call.account.account_id, MACHINE, region)
    return sum(each.state != DELETED for each in known)


def all_scopes() -> list[str]:
    return [f"zones/{zone}" for region in sorted(REGIONS) for zone in zones_of(region)]


def check_zone(zone: str) -> str:
    """Raises Refusal `invalid` for a zone that is none."""
    if zone not in zones_of(region_of_zone(zone)):
        raise Refusal("invalid", f"Invalid value for field 'zone': '{zone}'. Unknown zone.", field="zone")
    return zone


def get_project(call: Call) -> Answer:
    name = call.account.account_id
    return Answer(
        200,
        {
            "kind": "compute#project",
            "id": number_of(name),
            "name": name,
            "creationTimestamp": _SINCE,
            "defaultNetworkTier": "PREMIUM",
            "quotas": _quotas(call, GLOBAL_QUOTAS),
            "selfLink": f"{call.http.base_url}/compute/v1/projects/{name}",
        },
    )


def list_regions(call: Call) -> Answer:
    return listed(call, "compute#regionList", "regions", [_region(call, name) for name in sorted(REGIONS)])


def get_region(call: Call) -> Answer:
    name = call.path["region"]
    if name not in REGIONS:
        raise not_found(f"projects/{call.account.account_id}/regions/{name}")
    return Answer(200, _region(call, name))


def list_zones(call: Call) -> Answer:
    zones = [zone for region in sorted(REGIONS) for zone in zones_of(region)]
    return listed(call, "compute#zoneList", "zones", [_zone(call, each) for each in zones])


def get_zone(call: Call) -> Answer:
    return Answer(200, _zone(call, check_zone(call.path["zone"])))


def list_types(call: Call) -> Answer:
    zone = check_zone(call.path["zone"])
    rows = [_type(call, zone, name) for name in sorted(MACHINE_TYPES)]
    return listed(call, "compute#machineTypeList", f"zones/{zone}/machineTypes", rows)


def aggregate_types(call: Call) -> Answer:
    scopes = {
        scope: [_type(call, scope.rpartition("/")[2], name) for name in sorted(MACHINE_TYPES)] for scope in all_scopes()
    }
    return aggregated(call, "compute#machineTypeAggregatedList", "machineTypes", scopes)


def get_type(call: Call) -> Answer:
    zone, name = check_zone(call.path["zone"]), call.path["name"]
    if name not in MACHINE_TYPES:
        raise not_found(f"projects/{call.account.account_id}/zones/{zone}/machineTypes/{name}")
    return Answer(200, _type(call, zone, name))


def _quotas(call: Call, known: Mapping[str, tuple[str, int]], region: str | None = None) -> list[dict[str, Any]]:
    """As many things as there are; they are told, and creating more is not refused."""
    account = call.account
    return [
        {
            "metric": metric,
            "limit": limit,
            "usage": len(call.things.of(account.provider, account.account_id, kind, region)),
        }
        for metric, (kind, limit) in known.items()
    ]


def _region(call: Call, name: str) -> dict[str, Any]:
    return {
        "kind": "compute#region",
        "id": number_of(name),
        "name": name,
        "description": name,
        "status": "UP",
        "creationTimestamp": _SINCE,
        "zones": [url(call, f"zones/{each}") for each in zones_of(name)],
        "quotas": [
            {"metric": "INSTANCES", "limit": quota_of(name), "usage": machines_in(call, name)},
            *_quotas(call, REGIONAL_QUOTAS, name),
        ],
        "selfLink": url(call, f"regions/{name}"),
    }


def _zone(call: Call, name: str) -> dict[str, Any]:
    return {
        "kind": "compute#zone",
        "id": number_of(name),
        "name": name,
        "description": name,
        "status": "UP",
        "creationTimestamp": _SINCE,
        "region": url(call, f"regions/{region_of_zone(name)}"),
        "selfLink": url(call, f"zones/{name}"),
    }


def _type(call: Call, zone: str, name: str) -> dict[str, Any]:
    processors, memory_mb, architecture = MACHINE_TYPES[name]
    return {
        "kind": "compute#machineType",
        "id": number_of(name),
        "name": name,
        "description": f"{processors} vCPU, {memory_mb / 1024:g} GB RAM",
        "creationTimestamp": _SINCE,
        "guestCpus": processors,
        "memoryMb": memory_mb,
        "architecture": architecture,
        "zone": zone,
        "selfLink": url(call, f"zones/{zone}/machineTypes/{name}"),
    }
