"""How do profiles of Azure Front Door live, with what is below them: endpoints, origins, rules, routes, domains?"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.lists import page
from deploy.local.clouds.azure.operations import accepted
from deploy.local.clouds.azure.tags import checked
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

PROFILE = "Microsoft.Cdn/profiles"
_QUICK = 0.002
_SKUS = ("Standard_AzureFrontDoor", "Premium_AzureFrontDoor", "Standard_Microsoft")
_DOMAINS_MAX = 100
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]+")

Json = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A kind of thing below a profile. `path` has a name after each collection; `name` is what may be one."""

    path: tuple[str, ...]
    api: str
    listed: str
    checked: Callable[[Call, str, Json], Json]
    name: str = r"[a-zA-Z0-9]+(-*[a-zA-Z0-9]+)*"

    @property
    def kind(self) -> str:
        return "/".join((PROFILE, *self.path))

    @property
    def above(self) -> str:
        return "".join(f"/{each}/{{p{number}}}" for number, each in enumerate(self.path[:-1])) + f"/{self.path[-1]}"


def actions() -> list[Action]:
    profile = paths.in_group(PROFILE)
    found = [
        Action("PUT", profile, "profiles.create", _put),
        Action("GET", profile, "profiles.get", lambda call: Answer(200, _document(_need(call)))),
        Action("DELETE", profile, "profiles.delete", _delete),
        Action("GET", paths.in_subscription(PROFILE), "profiles.list", _list),
        Action("GET", paths.in_group(PROFILE, name=False), "profiles.list_by_resource_group", _list),
    ]
    for part in PARTS:
        one = f"{profile}{part.above}/{{part}}"
        found += [
            Action("PUT", one, f"{part.api}.create", partial(_put_part, part)),
            Action("PATCH", one, f"{part.api}.update", partial(_patch_part, part)),
            Action("GET", one, f"{part.api}.get", partial(_get_part, part)),
            Action("DELETE", one, f"{part.api}.delete", partial(_delete_part, part)),
            Action("GET", profile + part.above, f"{part.api}.{part.listed}", partial(_list_parts, part)),
        ]
    return found


def _need(call: Call) -> Thing:
    paths.need_group(call)
    message = f"The Resource '{PROFILE}/{call.path['name']}' under resource group '{call.path['rg']}' was not found."
    return call.need(PROFILE, paths.id_of(call, PROFILE), message)


def _put(call: Call) -> Answer:
    """A PUT over what is there changes its tags; its tier stays."""
    paths.need_group(call)
    body, identifier = call.document(), paths.id_of(call, PROFILE)
    sku = str((body.get("sku") or {}).get("name"))
    if sku not in _SKUS or str(body.get("location", "")).lower() != "global":
        raise Refusal("invalid", f"The sku '{sku}' or the location of the profile is invalid.", code="BadRequest")
    tags, known = checked(body.get("tags")), call.get(PROFILE, identifier)
    if known is not None:
        if known.state != "ready" or known.facts["sku"] != sku:
            raise Refusal("conflict", f"The profile {call.path['name']} is being changed.", code="Conflict")
        known.facts["tags"] = tags
        return Answer(200, _document(call.save(known)), result_ids=[known.id], repeated=True)
    facts: Json = {"tags": tags, "sku": sku, "front_door_id": str(uuid.uuid4()), "identity": None}
    if (body.get("identity") or {}).get("type") == "SystemAssigned":
        facts["identity"] = str(uuid.uuid4())
    made = call.new(PROFILE, identifier, "creating", facts, region="global", token=tags.get("canopy:token"),
                    steps=[(call.later(_QUICK), "ready")])  # fmt: skip
    return accepted(call, 202, _document(made), call.later(_QUICK), result_ids=[identifier])


def _document(thing: Thing) -> Json:
    state = {"creating": "Creating", "deleting": "Deleting"}.get(thing.state)
    shown: Json = {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": PROFILE,
        "location": "Global",
        "kind": "frontdoor",
        "tags": thing.facts["tags"],
        "sku": {"name": thing.facts["sku"]},
        "properties": {
            "provisioningState": state or "Succeeded",
            "resourceState": state or "Active",
            "frontDoorId": thing.facts["front_door_id"],
            "originResponseTimeoutSeconds": 60,
            "extendedProperties": {},
        },
    }
    if thing.facts["identity"] is not None:
        owner = {"principalId": thing.facts["identity"], "tenantId": str(uuid.UUID(int=1))}
        shown["identity"] = {"type": "SystemAssigned", **owner}
    return shown


def _delete(call: Call) -> Answer:
    """With all that is below it."""
    known = call.get(PROFILE, paths.id_of(call, PROFILE))
    if known is None:
        return Answer(204)
    for part in PARTS:
        for each in _below(call, part, known.id):
            call.things.remove(each)
    known.turn("deleting", (call.later(_QUICK), GONE))
    call.save(known)
    return accepted(call, 202, None, call.later(_QUICK), result_ids=[known.id])


def _list(call: Call) -> Answer:
    group = call.path.get("rg", "").lower()
    if group:
        paths.need_group(call)
    found = [each for each in call.list(PROFILE) if group in {"", paths.group_of(each.id).lower()}]
    return page(call, found, _document)


def _below(call: Call, part: Part, path: str) -> list[Thing]:
    return [each for each in call.list(part.kind) if each.id.startswith(f"{path}/")]


def _collection(call: Call, part: Part) -> str:
    """Where things of this kind are; raises Refusal `not_found` when what holds them is not there."""
    path = _need(call).id
    for number, each in enumerate(part.path[:-1]):
        path = f"{path}/{each}/{call.path[f'p{number}']}"
        if call.get("/".join((PROFILE, *part.path[: number + 1])), path) is None:
            raise Refusal("not_found", f"The Resource '{path}' was not found.", code="ParentResourceNotFound")
    return f"{path}/{part.path[-1]}"


def _put_part(part: Part, call: Call) -> Answer:
    profile, collection = _need(call), _collection(call, part)
    if profile.state != "ready" or "AzureFrontDoor" not in profile.facts["sku"]:
        raise Refusal("conflict", "The profile is not ready, or not of Front Door.", code="Conflict")
    name, body = call.path["part"], call.document()
    if not re.fullmatch(part.name, name):
        raise Refusal("invalid", f"The name '{name}' is not valid for {part.path[-1]}.", code="BadRequest")
    given = part.checked(call, f"{collection}/{name}", dict(body.get("properties") or {}))
    known = call.get(part.kind, f"{collection}/{name}")
    if known is not None:
        known.facts |= {"properties": {**_kept(known), **given}, "tags": checked(body.get("tags"))}
        return Answer(200, _part(part, call.save(known)), result_ids=[known.id])
    facts = {"properties": given, "tags": checked(body.get("tags"))}
    made = call.new(part.kind, f"{collection}/{name}", "ready", facts, region="global")
    return accepted(call, 201, _part(part, made), call.later(0.0), result_ids=[made.id])


def _kept(thing: Thing) -> Json:
    """What Azure decided when the thing was made."""
    own = ("hostName", "validationProperties", "domainValidationState")
    return {name: value for name, value in thing.facts["properties"].items() if name in own}


def _patch_part(part: Part, call: Call) -> Answer:
    known = _need_part(part, call)
    change = call.document().get("properties") or {}
    known.facts["properties"] = part.checked(call, known.id, {**known.facts["properties"], **change})
    return accepted(call, 202, _part(part, call.save(known)), call.later(0.0), result_ids=[known.id])


def _need_part(part: Part, call: Call) -> Thing:
    identifier = f"{_collection(call, part)}/{call.path['part']}"
    return call.need(part.kind, identifier, f"The Resource '{identifier}' was not found.")


def _get_part(part: Part, call: Call) -> Answer:
    return Answer(200, _part(part, _need_part(part, call)))


def _list_parts(part: Part, call: Call) -> Answer:
    return page(call, _below(call, part, _collection(call, part)), partial(_part, part))


def _delete_part(part: Part, call: Call) -> Answer:
    known = call.get(part.kind, f"{_collection(call, part)}/{call.path['part']}")
    if known is None:
        return Answer(204)
    users = [each for each in call.list(_ROUTE.kind) if known.id in _referred(each.facts["properties"])]
    if users:
        message = f"{call.path['part']} is used by the route {paths.name_of(users[0].id)}."
        raise Refusal("conflict", message, code="Conflict")
    for below in PARTS:
        for each in _below(call, below, known.id):
            call.things.remove(each)
    call.things.remove(known)
    return accepted(call, 202, None, call.later(0.0), result_ids=[known.id])


def _part(part: Part, thing: Thing) -> Json:
    properties = {**thing.facts["properties"], "provisioningState": "Succeeded", "deploymentStatus": "NotStarted"}
    shown: Json = {"id": thing.id, "name": paths.name_of(thing.id), "type": part.kind, "properties": properties}
    return shown | ({"location": "Global", "tags": thing.facts["tags"]} if part is _ENDPOINT else {})


def _referred(route: Mapping[str, Any]) -> set[str]:
    several = [*(route.get("customDomains") or []), *(route.get("ruleSets") or [])]
    return {each["id"] for each in (route["originGroup"], *several)}


def _endpoint(_: Call, path: str, given: Json) -> Json:
    """Its host name is made of its own and of the profile's, and is never another's."""
    name, ending = paths.name_of(path), hashlib.sha256(path.encode()).hexdigest()[:16]
    return {"enabledState": "Enabled", "autoGeneratedDomainNameLabelScope": "TenantReuse", **given,
            "hostName": f"{name}-{ending}.z01.azurefd.net"}  # fmt: skip


def _group(call: Call, _: str, given: Json) -> Json:
    if not given.get("loadBalancingSettings"):
        raise Refusal("invalid", "loadBalancingSettings is missing.", code="BadRequest")
    if given.get("authentication"):
        probe = (given.get("healthProbeSettings") or {}).get("probeProtocol")
        if _need(call).facts["identity"] is None or probe != "Https":
            raise Refusal(
                "invalid", "Origin authentication needs an identity and probes over HTTPS.", code="BadRequest"
            )
    return {"sessionAffinityState": "Disabled", **given}


def _origin(_: Call, __: str, given: Json) -> Json:
    if not given.get("hostName"):
        raise Refusal("invalid", "hostName is missing.", code="BadRequest", field="hostName")
    return {"httpPort": 80, "httpsPort": 443, "priority": 1, "weight": 1000, "enabledState": "Enabled", **given}


def _rule(_: Call, __: str, given: Json) -> Json:
    if not given.get("actions"):
        raise Refusal("invalid", "A rule has an action.", code="BadRequest")
    return {"matchProcessingBehavior": "Continue", **given}


def _domain(call: Call, path: str, given: Json) -> Json:
    """Pending until its owner shows that it is theirs, which nobody does here."""
    host = str(given.get("hostName", ""))
    known = _below(call, _DOMAIN, path.rpartition("/customDomains/")[0])
    if not _HOST.fullmatch(host):
        raise Refusal("invalid", f"The host name '{host}' is invalid.", code="BadRequest", field="hostName")
    if len(known) >= _DOMAINS_MAX:
        raise Refusal("quota", f"A profile has {_DOMAINS_MAX} domains at most.", code="CustomDomainQuotaExceeded")
    token = hashlib.sha256(path.encode()).hexdigest()[:32]
    proof = {"validationToken": token, "expirationDate": "2099-01-01T00:00:00Z"}
    return {"domainValidationState": "Pending", "validationProperties": proof, **given}


def _route(call: Call, path: str, given: Json) -> Json:
    profile = path.partition("/afdEndpoints/")[0]
    groups = {each.id: each.facts["properties"] for each in _below(call, _GROUP, profile)}
    group = groups.get(str((given.get("originGroup") or {}).get("id")))
    others = {each.id for part in (_DOMAIN, _RULES) for each in _below(call, part, profile)}
    if group is None or not _referred(given) - set(groups) <= others:
        raise Refusal("invalid", "The route refers to what is not there.", code="InvalidResourceReference")
    if not _below(call, _ORIGIN, given["originGroup"]["id"]):
        raise Refusal("invalid", "The origin group has no enabled origin.", code="BadRequest")
    if group.get("authentication") and given.get("forwardingProtocol") != "HttpsOnly":
        raise Refusal("invalid", "Origin authentication needs forwarding over HTTPS only.", code="BadRequest")
    active = [{"id": each["id"], "isActive": True} for each in given.get("customDomains") or []]
    return {"enabledState": "Enabled", **given, "customDomains": active}


def _as_given(_: Call, __: str, given: Json) -> Json:
    return given


_LETTERS = r"[a-zA-Z][a-zA-Z0-9]{0,259}"
_ENDPOINT = Part(
    ("afdEndpoints",), "afd_endpoints", "list_by_profile", _endpoint, r"(?=.{2,46}$)[a-zA-Z0-9]+(-*[a-zA-Z0-9]+)*"
)
_GROUP = Part(("originGroups",), "afd_origin_groups", "list_by_profile", _group)
_ORIGIN = Part(("originGroups", "origins"), "afd_origins", "list_by_origin_group", _origin)
_RULES = Part(("ruleSets",), "rule_sets", "list_by_profile", _as_given, _LETTERS)
_RULE = Part(("ruleSets", "rules"), "rules", "list_by_rule_set", _rule, _LETTERS)
_DOMAIN = Part(("customDomains",), "afd_custom_domains", "list_by_profile", _domain)
_ROUTE = Part(("afdEndpoints", "routes"), "routes", "list_by_endpoint", _route)
PARTS = (_ENDPOINT, _GROUP, _ORIGIN, _RULES, _RULE, _DOMAIN, _ROUTE)
