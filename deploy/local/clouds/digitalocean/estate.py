"""What is a machine of an estate at DigitalOcean?"""

from __future__ import annotations

from deploy.local.clouds.digitalocean import droplets
from deploy.local.clouds.estate import MACHINES_MAX, Planned
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.things import MACHINE, Thing
from shared.clouds.digitalocean.tags import TAGS

REGIONS = ("nyc3", "fra1", "sgp1")
_SIZES = ("s-1vcpu-1gb", "s-2vcpu-4gb", "s-4vcpu-8gb", "s-8vcpu-16gb")


def plant(gardener: Gardener, planned: Planned) -> Thing:
    """Its tags are the words that our own adapter would write for them."""
    region = planned.pick(REGIONS)
    words = [word for pair in planned.tags.items() for word in TAGS.words_of(*pair)]
    wanted = {"name": planned.name, "region": region, "size": _SIZES[planned.size], "image": "ubuntu-24-04-x64",
              "tags": words, "monitoring": True}  # fmt: skip
    call = gardener.call(wanted, {}, region, planned.created_s)
    made = droplets.create(call, MACHINES_MAX)
    return call.need(MACHINE, made.result_ids[0])
