"""Which clusters and subscriptions has the simulated Object Storage? No bucket: those are not Vultr's API."""

from __future__ import annotations

import uuid
from typing import Any

from deploy.local.clouds.vultr.answers import list_of, moment, page_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

STORAGE = "object_storage"
SECRET = "hL0nJIuBcTj6HHpGkUWxXm9SRTgXe5lTMqRz0dJv"
_PATH = "/v2/object-storage"
# number: region, whether it takes new subscriptions
_CLUSTERS = {2: ("ewr", "no"), 4: ("sgp", "yes"), 6: ("ams", "yes"), 9: ("ewr", "yes"), 11: ("fra", "yes")}
# number: name, monthly price in USD, whether it is the default
_TIERS = {1: ("Legacy", 6, "no"), 2: ("Standard", 18, "yes"), 3: ("Premium", 36, "no"), 4: ("Performance", 50, "no")}


def actions() -> list[Action]:
    return [
        Action("GET", f"{_PATH}/clusters", "clusters.list", clusters),
        Action("GET", f"{_PATH}/clusters/{{cluster}}/tiers", "tiers.list", tiers),
        Action("POST", _PATH, "object_storages.create", create),
        Action("GET", _PATH, "object_storages.list", listed),
        Action("GET", f"{_PATH}/{{id}}", "object_storages.get", read),
        Action("PUT", f"{_PATH}/{{id}}", "object_storages.update", update),
        Action("DELETE", f"{_PATH}/{{id}}", "object_storages.delete", delete),
    ]


def clusters(call: Call) -> Answer:
    found = [
        {"id": number, "region": region, "hostname": _host(number), "deploy": deploy}
        for number, (region, deploy) in _CLUSTERS.items()
    ]
    return list_of(call, "clusters", found)


def tiers(call: Call) -> Answer:
    if call.path["cluster"] not in map(str, _CLUSTERS):
        raise Refusal("not_found")
    found = [
        {"id": number, "sales_name": name, "sales_desc": name, "price": price, "is_default": is_default}
        for number, (name, price, is_default) in _TIERS.items()
    ]
    return Answer(200, {"tiers": found})


def create(call: Call) -> Answer:
    wanted = call.document()
    cluster, deploy = wanted.get("cluster_id"), _CLUSTERS.get(wanted.get("cluster_id") or 0, ("", "no"))[1]
    if deploy != "yes":
        raise Refusal("invalid", "Invalid cluster ID.")
    if wanted.get("tier_id") not in _TIERS:
        raise Refusal("invalid", "Invalid tier specified for this location")
    number = call.things.last_number + 1
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"storage {call.account.account_id} {number}"))
    facts = {"label": str(wanted.get("label") or ""), "cluster": cluster, "tier": wanted["tier_id"]}
    region = _CLUSTERS[int(str(cluster))][0]
    made = call.new(STORAGE, identifier, "pending", facts, region=region, steps=[(call.later(), "active")])
    return Answer(202, {"object_storage": document(made)}, result_ids=[identifier])


def listed(call: Call) -> Answer:
    return page_of(call, "object_storages", call.list(STORAGE), lambda each: each.number, document)


def read(call: Call) -> Answer:
    return Answer(200, {"object_storage": document(call.need(STORAGE, call.path["id"]))})


def update(call: Call) -> Answer:
    """Its label, which is all that can be changed."""
    storage = call.need(STORAGE, call.path["id"])
    storage.facts["label"] = str(call.document().get("label") or "")
    call.save(storage)
    return Answer(204, result_ids=[storage.id])


def delete(call: Call) -> Answer:
    storage = call.need(STORAGE, call.path["id"])
    call.things.remove(storage)
    return Answer(204, result_ids=[storage.id])


def _host(cluster: int) -> str:
    return f"{_CLUSTERS[cluster][0]}{list(_CLUSTERS).index(cluster) + 1}.vultrobjects.com"


def document(storage: Thing) -> dict[str, Any]:
    facts, is_active = storage.facts, storage.state == "active"
    return {
        "id": storage.id, "date_created": moment(storage.created_s), "cluster_id": facts["cluster"],
        "region": storage.region, "location": storage.region, "label": facts["label"], "status": storage.state,
        "s3_hostname": _host(facts["cluster"]) if is_active else "", "s3_access_key": "A0B1C2" if is_active else "",
        "s3_secret_key": SECRET if is_active else "",
    }  # fmt: skip
