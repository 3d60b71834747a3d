"""What does an action look like, whatever it is about?"""

from __future__ import annotations

from typing import Any

from deploy.local.clouds.digitalocean import offers
from deploy.local.clouds.digitalocean.answers import moment
from deploy.local.clouds.world.provider import Call
from deploy.local.clouds.world.things import Thing

ACTION = "action"
FIRST_NUMBER = 400_000_000


def action_document(call: Call, action: Thing) -> dict[str, Any]:
    done_s, kind = action.facts["done_s"], "image" if "image" in action.facts else "droplet"
    return {
        "id": int(action.id), "status": action.state, "type": action.facts["type"],
        "started_at": moment(action.created_s), "completed_at": moment(done_s) if done_s <= call.now_s else None,
        "resource_id": int(action.facts[kind]), "resource_type": kind,
        "region": offers.region(action.region), "region_slug": action.region,
    }  # fmt: skip
