"""What is a machine of an estate at Vultr?"""

from __future__ import annotations

from deploy.local.clouds.estate import MACHINES_MAX, Planned
from deploy.local.clouds.vultr import instances
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.things import MACHINE, Thing
from shared.clouds.libcloud.tags import WordTags

REGIONS = ("ewr", "fra", "sgp")
_PLANS = ("vc2-1c-1gb", "vc2-2c-4gb", "vc2-4c-8gb", "vc2-6c-16gb")
_TAGS = WordTags("vultr", shortest=1, longest=50)
_UBUNTU = 2284


def plant(gardener: Gardener, planned: Planned) -> Thing:
    """Its tags are the words that our own adapter would write for them."""
    region = planned.pick(REGIONS)
    words = [word for pair in planned.tags.items() for word in _TAGS.words_of(*pair)]
    wanted = {"label": planned.name, "region": region, "plan": _PLANS[planned.size], "os_id": _UBUNTU, "tags": words}
    call = gardener.call(wanted, {}, region, planned.created_s)
    made = instances.create(call, MACHINES_MAX)
    return call.need(MACHINE, made.result_ids[0])
