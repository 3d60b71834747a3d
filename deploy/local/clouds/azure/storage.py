"""How do storage accounts live, with their blob service and what is listed in them?"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.areas import AREAS
from deploy.local.clouds.azure.lists import page
from deploy.local.clouds.azure.operations import accepted, time_text
from deploy.local.clouds.azure.tags import checked
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

ACCOUNT = "Microsoft.Storage/storageAccounts"
_CONTENTS = {
    "blobServices/default/containers": "blob_containers",
    "fileServices/default/shares": "file_shares",
    "queueServices/default/queues": "queue",
    "tableServices/default/tables": "table",
}
_QUICK = 0.002
"""How much of a change of state the making of an account takes: seconds where a machine takes minutes."""
_ACCOUNTS_MAX = 250
_SERVICES = {
    "StorageV2": ("blobServices", "fileServices", "queueServices", "tableServices"),
    "BlockBlobStorage": ("blobServices",),
    "FileStorage": ("fileServices",),
}
_REPLICATION = ("LRS", "ZRS", "GRS", "RAGRS", "GZRS", "RAGZRS")


def actions() -> list[Action]:
    account = paths.in_group(ACCOUNT)
    service = account + "/blobServices/default"
    lists = [
        each
        for below, name in _CONTENTS.items()
        for each in (
            Action("GET", f"{account}/{below}", f"{name}.list", partial(_list_content, below)),
            Action("PUT", f"{account}/{below}/{{content}}", f"{name}.create", partial(_put_content, below)),
            Action("DELETE", f"{account}/{below}/{{content}}", f"{name}.delete", partial(_delete_content, below)),
        )
    ]
    return [
        Action("PUT", account, "storage_accounts.create", _put),
        Action("GET", account, "storage_accounts.get_properties", lambda call: Answer(200, _document(_need(call)))),
        Action("PATCH", account, "storage_accounts.update", _patch),
        Action("DELETE", account, "storage_accounts.delete", _delete),
        Action("GET", paths.in_subscription(ACCOUNT), "storage_accounts.list", _list),
        Action("GET", paths.in_group(ACCOUNT, name=False), "storage_accounts.list_by_resource_group", _list),
        Action("GET", paths.in_subscription("Microsoft.Storage") + "/locations/{location}/usages",
               "usages.list_by_location", _usage),
        Action("GET", service, "blob_services.get_service_properties",
               lambda call: Answer(200, _service(_ready(call, "blobServices")))),
        Action("PUT", service, "blob_services.set_service_properties", _put_service),
        *lists,
    ]  # fmt: skip


def _need(call: Call) -> Thing:
    paths.need_group(call)
    return call.need(ACCOUNT, paths.id_of(call, ACCOUNT),
                     f"The Resource '{ACCOUNT}/{call.path['name']}' under resource group '{call.path['rg']}' was not "
                     "found.")  # fmt: skip


def _ready(call: Call, service: str | None = None) -> Thing:
    """The account, which has this service."""
    known = _need(call)
    if service is not None and service not in _SERVICES[known.facts["kind"]]:
        raise Refusal("conflict", f"{service} is not supported for the account.", code="FeatureNotSupportedForAccount")
    if known.state != "ready":
        raise Refusal("conflict", "The storage account provisioning state must be 'Succeeded' before executing the "
                      "operation.", code="StorageAccountIsNotProvisioned")  # fmt: skip
    return known


def _put(call: Call) -> Answer:
    """A PUT over what is there changes it; only its location and kind stay. 202 without a body while it is made."""
    paths.need_group(call)
    body, name = call.document(), call.path["name"]
    if not re.fullmatch(r"[a-z0-9]{3,24}", name):
        raise Refusal("invalid", f"{name} is not a valid storage account name.", code="AccountNameInvalid")
    location = paths.need_location(body)
    known = call.get(ACCOUNT, paths.id_of(call, ACCOUNT))
    if known is not None:
        if known.state != "ready":
            raise Refusal("conflict", "An operation is currently performing on this storage account that requires "
                          "exclusive access.", code="StorageAccountOperationInProgress")  # fmt: skip
        known.facts |= _facts(call, body)
        return Answer(200, _document(call.save(known)), result_ids=[known.id], repeated=True)
    _check_free(call, name, location)
    facts = {**_facts(call, body), "service": {}, "contents": {}}
    made = call.new(ACCOUNT, paths.id_of(call, ACCOUNT), "creating", facts, region=location,
                    token=facts["tags"].get("canopy:token"), steps=[(call.later(_QUICK), "ready")])  # fmt: skip
    return accepted(call, 202, None, call.later(_QUICK), result_ids=[made.id])


def _check_free(call: Call, name: str, location: str) -> None:
    for each in call.things.everything(call.account.provider, ACCOUNT):
        if paths.name_of(each.id) != name:
            continue
        if each.account == call.account.account_id:
            raise Refusal("conflict", f"The account {name} is already in another resource group in this subscription.",
                          code="StorageAccountInAnotherResourceGroup")  # fmt: skip
        raise Refusal("conflict", f"The storage account named {name} is already taken.",
                      code="StorageAccountAlreadyTaken")  # fmt: skip
    if len(call.list(ACCOUNT, location)) >= _ACCOUNTS_MAX:
        message = f"Subscription already contains {_ACCOUNTS_MAX} storage accounts in location {location}."
        raise Refusal("quota", message, code="MaxStorageAccountsCountPerSubscriptionExceeded")


def _facts(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """What of a body is kept; raises Refusal for what Azure does not take."""
    sku, services = str((body.get("sku") or {}).get("name")), _SERVICES.get(str(body.get("kind")))
    tier, _, replication = sku.partition("_")
    if tier != ("Standard" if body.get("kind") == "StorageV2" else "Premium") or replication not in _REPLICATION:
        raise Refusal("invalid", f"The value '{sku}' of sku.name is invalid.", code="InvalidRequestPropertyValue")
    if services is None:
        raise Refusal("invalid", f"The value '{body.get('kind')}' of kind is invalid.",
                      code="InvalidRequestPropertyValue")  # fmt: skip
    properties = {"accessTier": "Hot", "allowBlobPublicAccess": False, "minimumTlsVersion": "TLS1_0",
                  **(body.get("properties") or {})}  # fmt: skip
    return {
        "tags": checked(body.get("tags")),
        "sku": {"name": sku, "tier": tier},
        "kind": body["kind"],
        "properties": _walled(call, properties),
    }


def _walled(call: Call, properties: dict[str, Any]) -> dict[str, Any]:
    """The subnets that may come in must have an endpoint for storage."""
    walls = properties.get("networkAcls") or {"bypass": "AzureServices", "defaultAction": "Allow"}
    if "defaultAction" not in walls:
        raise Refusal("invalid", "networkAcls.defaultAction is missing.", code="InvalidRequestPropertyValue")
    for rule in walls.get("virtualNetworkRules") or []:
        network = call.get("Microsoft.Network/virtualNetworks", rule["id"].rpartition("/subnets/")[0])
        subnets = [] if network is None else network.facts["properties"]["subnets"]
        found = [each for each in subnets if each["id"] == rule["id"]]
        if not found:
            raise Refusal("invalid", f"Subnet {rule['id']} was not found.", code="SubnetNotFound")
        if "Microsoft.Storage" not in {e["service"] for e in found[0]["properties"].get("serviceEndpoints") or []}:
            message = f"Subnets {paths.name_of(rule['id'])} do not have ServiceEndpoints for Microsoft.Storage."
            raise Refusal("invalid", message, code="SubnetsHaveNoServiceEndpointsConfigured")
    return {**properties, "networkAcls": {"ipRules": [], "virtualNetworkRules": [], **walls}}


def _patch(call: Call) -> Answer:
    known, body = _ready(call), call.document()
    if "tags" in body:
        known.facts["tags"] = checked(body["tags"])
    known.facts["properties"] = _walled(call, {**known.facts["properties"], **(body.get("properties") or {})})
    if body.get("sku"):
        known.facts["sku"] = {"name": body["sku"]["name"], "tier": "Standard"}
    return Answer(200, _document(call.save(known)), result_ids=[known.id])


def _delete(call: Call) -> Answer:
    """At once, with all that is in it."""
    known = call.get(ACCOUNT, paths.id_of(call, ACCOUNT))
    if known is None:
        return Answer(204)
    call.things.remove(known)
    return Answer(200, result_ids=[known.id])


def _list(call: Call) -> Answer:
    group = call.path.get("rg", "").lower()
    if group:
        paths.need_group(call)
    found = [each for each in call.list(ACCOUNT) if group in {"", paths.group_of(each.id).lower()}]
    return page(call, found, _document)


def _document(thing: Thing) -> dict[str, Any]:
    name = paths.name_of(thing.id)
    endpoints = {
        service: f"https://{name}.{service}.core.windows.net/" for service in ("blob", "dfs", "file", "queue", "table")
    }
    is_ready = thing.state == "ready"
    return {
        "id": thing.id,
        "name": name,
        "type": ACCOUNT,
        "location": thing.region,
        "kind": thing.facts["kind"],
        "sku": thing.facts["sku"],
        "tags": thing.facts["tags"],
        "properties": {
            **thing.facts["properties"],
            "provisioningState": "Succeeded" if is_ready else "Creating",
            "creationTime": time_text(thing.created_s),
            "primaryLocation": thing.region,
            "statusOfPrimary": "available",
            "encryption": {"keySource": "Microsoft.Storage", "services": {"blob": {"enabled": True}}},
            **({"primaryEndpoints": endpoints} if is_ready else {}),
        },
    }


def _service(thing: Thing) -> dict[str, Any]:
    off = {"enabled": False}
    given = {"deleteRetentionPolicy": off, "containerDeleteRetentionPolicy": off, **thing.facts["service"]}
    return {
        "id": f"{thing.id}/blobServices/default",
        "name": "default",
        "type": f"{ACCOUNT}/blobServices",
        "sku": thing.facts["sku"],
        "properties": {"cors": {"corsRules": []}, **given},
    }


def _put_service(call: Call) -> Answer:
    known, properties = _ready(call, "blobServices"), call.document().get("properties") or {}
    for name in ("deleteRetentionPolicy", "containerDeleteRetentionPolicy"):
        policy = properties.get(name) or {}
        if policy.get("enabled") and not 1 <= int(policy.get("days") or 0) <= 365:
            raise Refusal("invalid", f"The value of {name}.days is not 1 to 365.", code="InvalidRequestPropertyValue")
    known.facts["service"] = properties
    return Answer(200, _service(call.save(known)), result_ids=[known.id])


def _usage(call: Call) -> Answer:
    location = call.path["location"]
    if location not in AREAS:
        raise Refusal("invalid", f"The location '{location}' is invalid.", code="InvalidLocation")
    name = {"value": "StorageAccounts", "localizedValue": "Storage Accounts"}
    used = len(call.list(ACCOUNT, location))
    return Answer(200, {"value": [{"unit": "Count", "currentValue": used, "limit": _ACCOUNTS_MAX, "name": name}]})


def _list_content(below: str, call: Call) -> Answer:
    known = _ready(call, below.partition("/")[0])
    return Answer(200, {"value": [_content(known, below, each) for each in known.facts["contents"].get(below, [])]})


def _content(thing: Thing, below: str, name: str) -> dict[str, Any]:
    kind = f"{ACCOUNT}/{below.replace('/default', '')}"
    return {"id": f"{thing.id}/{below}/{name}", "name": name, "type": kind, "properties": {}}


def _put_content(below: str, call: Call) -> Answer:
    known, name = _ready(call, below.partition("/")[0]), call.path["content"]
    found = known.facts["contents"].setdefault(below, [])
    is_new = name not in found
    if is_new:
        found.append(name)
    call.save(known)
    made = 201 if is_new and below.startswith(("blob", "file")) else 200
    return Answer(made, _content(known, below, name), result_ids=[known.id])


def _delete_content(below: str, call: Call) -> Answer:
    known, name = _ready(call, below.partition("/")[0]), call.path["content"]
    found = known.facts["contents"].get(below, [])
    if name in found:
        found.remove(name)
        call.save(known)
    return Answer(200, result_ids=[known.id])
