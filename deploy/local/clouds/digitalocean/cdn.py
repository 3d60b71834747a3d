"""How do the simulated CDN endpoints stand before buckets: one before each?"""

from __future__ import annotations

import uuid
from typing import Any

from deploy.local.clouds.digitalocean import spaces
from deploy.local.clouds.digitalocean.answers import moment, page_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

ENDPOINT = "cdn_endpoint"
_HOST = "digitaloceanspaces.com"
_TTLS_S = frozenset({60, 600, 3600, 86400, 604800})


def actions() -> list[Action]:
    path = "/v2/cdn/endpoints"
    return [
        Action("POST", path, "cdn_endpoints.create", create),
        Action("GET", path, "cdn_endpoints.list", listed),
        Action("GET", path + "/{id}", "cdn_endpoints.get", read),
        Action("PUT", path + "/{id}", "cdn_endpoints.update", update),
        Action("DELETE", path + "/{id}", "cdn_endpoints.delete", delete),
    ]


def create(call: Call) -> Answer:
    wanted = call.document()
    origin = str(wanted.get("origin") or "")
    bucket, _, place = origin.partition(".")
    known = call.get(spaces.BUCKET, bucket)
    if known is None or place != f"{known.region}.{_HOST}":
        raise Refusal("invalid", "invalid origin")
    if any(each.facts["origin"] == origin for each in call.list(ENDPOINT)):
        raise Refusal("conflict", "cdn already enabled")
    facts = {"origin": origin, "endpoint": f"{bucket}.{known.region}.cdn.{_HOST}", **_settings(wanted, {})}
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"cdn {call.account.account_id} {call.things.last_number + 1}"))
    endpoint = call.new(ENDPOINT, identifier, "there", facts, region="global")
    return Answer(201, {"endpoint": _document(endpoint)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    return page_of(call, "endpoints", call.list(ENDPOINT), _document)


def read(call: Call) -> Answer:
    return Answer(200, {"endpoint": _document(call.need(ENDPOINT, call.path["id"]))})


def update(call: Call) -> Answer:
    endpoint = call.need(ENDPOINT, call.path["id"])
    endpoint.facts |= _settings(call.document(), endpoint.facts)
    call.save(endpoint)
    return Answer(202, {"endpoint": _document(endpoint)}, result_ids=[endpoint.id])


def delete(call: Call) -> Answer:
    endpoint = call.need(ENDPOINT, call.path["id"])
    call.things.remove(endpoint)
    return Answer(204, result_ids=[endpoint.id])


def _settings(wanted: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    found = {"ttl": before.get("ttl", 3600), "certificate_id": before.get("certificate_id", ""),
             "custom_domain": before.get("custom_domain", "")}  # fmt: skip
    found |= {name: wanted[name] for name in found if wanted.get(name) is not None}
    if found["ttl"] not in _TTLS_S:
        raise Refusal("invalid", f"ttl is one of {sorted(_TTLS_S)}")
    if bool(found["certificate_id"]) is not bool(found["custom_domain"]):
        raise Refusal("invalid", "certificate_id and custom_domain are given together")
    if found["certificate_id"] not in {"", "needs-cloudflare-cert"}:
        raise Refusal("invalid", f"certificate {found['certificate_id']} was not found")
    return found


def _document(endpoint: Thing) -> dict[str, Any]:
    """Without what is not set."""
    facts = {name: value for name, value in endpoint.facts.items() if value}
    return {"id": endpoint.id, "created_at": moment(endpoint.created_s), **facts}
