"""What is a machine of an estate at Google Cloud?"""

from __future__ import annotations

import re
import unicodedata

from deploy.local.clouds.estate import Planned
from deploy.local.clouds.gcp import disks, instances
from deploy.local.clouds.gcp.places import region_of_zone
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.things import MACHINE, Thing

_ZONES = ("us-central1-a", "us-central1-b", "europe-west1-b", "europe-west1-c", "asia-southeast1-a")
REGIONS = tuple(dict.fromkeys(region_of_zone(zone) for zone in _ZONES))
_TYPES = ("e2-small", "e2-standard-2", "e2-standard-4", "e2-standard-8")
_IMAGE = "projects/debian-cloud/global/images/family/debian-12"
_LABEL_CHARACTERS = 63


def plant(gardener: Gardener, planned: Planned) -> Thing:
    """With its disks beside it; what of the tags is no label stands in the description."""
    zone = planned.pick(_ZONES)
    region, path = region_of_zone(zone), {"zone": zone}
    labels = {_label(key): _label(value) for key, value in planned.tags.items()}
    attached = [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": _IMAGE, "diskSizeGb": "20"}}]
    for number, size_gib in enumerate(planned.volumes_gib, start=1):
        name = f"{planned.name}-data-{number}"
        disk = {"name": name, "sizeGb": str(size_gib), "labels": labels}
        disks.insert(gardener.call(disk, path, region, planned.created_s))
        attached.append({"boot": False, "autoDelete": False, "source": f"zones/{zone}/disks/{name}"})
    machine = {
        "name": planned.name, "machineType": f"zones/{zone}/machineTypes/{_TYPES[planned.size]}", "disks": attached,
        "networkInterfaces": [{"accessConfigs": [{"type": "ONE_TO_ONE_NAT"}]}], "labels": labels,
        "description": ", ".join(f"{key}: {value}" for key, value in planned.tags.items()),
    }  # fmt: skip
    call = gardener.call(machine, path, region, planned.created_s)
    instances.insert(call)
    return call.need(MACHINE, instances.path_of(call, planned.name))


def _label(text: str) -> str:
    """`Hochzeit-Süd` is `hochzeit-sud`; what has no Latin letters is written by their code points."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "backslashreplace").decode().lower()
    return re.sub(r"[^a-z0-9_-]+", "", plain)[:_LABEL_CHARACTERS]
