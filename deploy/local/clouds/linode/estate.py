"""What is a machine of an estate at Linode?"""

from __future__ import annotations

from deploy.local.clouds.estate import MACHINES_MAX, Planned
from deploy.local.clouds.linode import instances
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.things import MACHINE, Thing
from shared.clouds.libcloud.tags import WordTags

REGIONS = ("us-east", "eu-central", "ap-south")
_TYPES = ("g6-nanode-1", "g6-standard-2", "g6-standard-4", "g6-standard-6")
_TAGS = WordTags("linode", shortest=3, longest=50)


def plant(gardener: Gardener, planned: Planned) -> Thing:
    """Its tags are the words that our own adapter would write for them."""
    region = planned.pick(REGIONS)
    words = [word for pair in planned.tags.items() for word in _TAGS.words_of(*pair)]
    wanted = {"label": planned.name, "region": region, "type": _TYPES[planned.size], "image": "linode/ubuntu24.04",
              "root_pass": "an estate's 0nly password", "tags": words}  # fmt: skip
    call = gardener.call(wanted, {}, region, planned.created_s)
    made = instances.create(call, MACHINES_MAX)
    return call.need(MACHINE, made.result_ids[0])
