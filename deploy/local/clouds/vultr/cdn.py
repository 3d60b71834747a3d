"""How do the simulated pull zones live?"""

from __future__ import annotations

import uuid
from typing import Any

from deploy.local.clouds.vultr.answers import moment
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

ZONE = "cdn_pull_zone"
_PATH = "/v2/cdns/pull-zones"
_SCHEMES = ("http", "https")
_FIELDS = ("label", "origin_scheme", "origin_domain", "cors", "gzip", "block_ai", "block_bad_bots")
_FIRST = {"label": "", "cors": False, "gzip": False, "block_ai": False, "block_bad_bots": False}


def actions() -> list[Action]:
    return [
        Action("POST", _PATH, "pull_zones.create", create),
        Action("GET", _PATH, "pull_zones.list", listed),
        Action("GET", f"{_PATH}/{{id}}", "pull_zones.get", read),
        Action("PUT", f"{_PATH}/{{id}}", "pull_zones.update", update),
        Action("DELETE", f"{_PATH}/{{id}}", "pull_zones.delete", delete),
    ]


def create(call: Call) -> Answer:
    facts = {**_FIRST, **_read(call.document())}
    if not facts.get("origin_domain") or not facts.get("origin_scheme"):
        raise Refusal("invalid", "Origin is required.")
    number = call.things.last_number + 1
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"pull zone {call.account.account_id} {number}"))
    made = call.new(ZONE, identifier, "pending", facts, region="global", steps=[(call.later(), "active")])
    return Answer(201, {"pull_zone": document(made)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    """All at once, whatever is asked for."""
    shown = [document(each) for each in call.list(ZONE)]
    links = {"next": "", "prev": ""}
    return Answer(200, {"pull_zones": shown, "meta": {"total": len(shown), "links": links}})


def read(call: Call) -> Answer:
    return Answer(200, {"pull_zone": document(call.need(ZONE, call.path["id"]))})


def update(call: Call) -> Answer:
    """Fields that are left out stay."""
    zone = call.need(ZONE, call.path["id"])
    zone.facts |= _read(call.document())
    call.save(zone)
    return Answer(200, {"pull_zone": document(zone)}, result_ids=[zone.id])


def delete(call: Call) -> Answer:
    zone = call.need(ZONE, call.path["id"])
    call.things.remove(zone)
    return Answer(204, result_ids=[zone.id])


def _read(wanted: dict[str, Any]) -> dict[str, Any]:
    found = {name: wanted[name] for name in _FIELDS if name in wanted}
    if found.get("origin_scheme", "https") not in _SCHEMES:
        raise Refusal("invalid", "Invalid origin scheme.")
    if "." not in found.get("origin_domain", "a.b"):
        raise Refusal("invalid", "Invalid origin domain.")
    return found


def document(zone: Thing) -> dict[str, Any]:
    facts = {name: zone.facts[name] for name in _FIELDS}
    return {
        "id": zone.id, "date_created": moment(zone.created_s)[:19].replace("T", " "), "status": zone.state, **facts,
        "cdn_url": f"https://cdn-{zone.id[:12].replace('-', '')}.vultrcdn.com", "cache_size": 0, "requests": 0,
        "in_bytes": 0, "out_bytes": 0, "packets_per_sec": 0, "last_purge": None, "regions": ["ewr", "fra", "sgp"],
    }  # fmt: skip
