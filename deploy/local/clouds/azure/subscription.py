"""What does a subscription offer: its locations, sizes, usage, platform images, resource groups and SSH keys?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.areas import AREAS, PLATFORM_IMAGES, SIZES, Area, Size
from deploy.local.clouds.azure.lists import page
from deploy.local.clouds.azure.tags import checked
from deploy.local.clouds.world.controls import MACHINE
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

SPOT_QUOTA = 100_000
"""Cores of spot machines in a location, of all families together."""
KEY = "Microsoft.Compute/sshPublicKeys"
_LOCATION_PATH = paths.in_subscription("Microsoft.Compute") + "/locations/{location}"
_IMAGE_PATH = _LOCATION_PATH + "/publishers/{publisher}/artifacttypes/vmimage/offers/{offer}/skus/{sku}/versions"


def actions() -> list[Action]:
    """Resource groups are asked for in both spellings, by this SDK or that."""
    groups = [
        Action(method, f"/subscriptions/{{sub}}/{spelling}/{{rg}}", f"resource_groups.{name}", handler)
        for spelling in ("resourceGroups", "resourcegroups")
        for method, name, handler in (("PUT", "create_or_update", put_group), ("GET", "get", _get_group))
    ]
    key = paths.in_group(KEY)
    return [
        Action("GET", "/subscriptions/{sub}", "subscriptions.get", _subscription),
        Action("GET", "/subscriptions/{sub}/locations", "subscriptions.list_locations", _locations),
        *groups,
        Action("GET", paths.in_subscription("Microsoft.Compute/skus"), "resource_skus.list", _sizes),
        Action("GET", _LOCATION_PATH + "/usages", "usage.list", _usage),
        Action("GET", _IMAGE_PATH, "virtual_machine_images.list", _platform_images),
        Action("PUT", key, "ssh_public_keys.create", _put_key),
        Action("GET", key, "ssh_public_keys.get", _get_key),
        Action("PATCH", key, "ssh_public_keys.update", _patch_key),
        Action("DELETE", key, "ssh_public_keys.delete", _delete_key),
        Action("GET", paths.in_subscription(KEY), "ssh_public_keys.list_by_subscription", _keys),
    ]


def _subscription(call: Call) -> Answer:
    sub = call.path["sub"]
    body = {
        "id": f"/subscriptions/{sub}",
        "subscriptionId": sub,
        "displayName": f"Subscription {sub[:8]}",
        "state": "Enabled",
        "tenantId": call.account.credentials["tenant_id"],
        "authorizationSource": "RoleBased",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "spendingLimit": "Off"},
    }
    return Answer(200, body)


def _locations(call: Call) -> Answer:
    return Answer(200, {"value": [area.document(call.path["sub"]) for area in AREAS.values()]})


def put_group(call: Call) -> Answer:
    body = call.document()
    location, identifier = paths.need_location(body), call.path["rg"].lower()
    known = call.get(paths.RESOURCE_GROUP, identifier)
    if known is not None and known.region != location:
        raise Refusal(
            "conflict", f"The resource group '{call.path['rg']}' already exists in location '{known.region}'.",
            code="InvalidResourceGroupLocation",
        )  # fmt: skip
    facts = {"name": call.path["rg"], "tags": checked(body.get("tags"))}
    made = known or call.new(paths.RESOURCE_GROUP, identifier, "Succeeded", facts, region=location)
    if known is not None:
        known.facts["tags"] = facts["tags"]
        call.save(known)
    return Answer(201 if known is None else 200, _group(made, call), result_ids=[identifier])


def _get_group(call: Call) -> Answer:
    return Answer(200, _group(paths.need_group(call), call))


def _group(thing: Thing, call: Call) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{call.path['sub']}/resourceGroups/{thing.facts['name']}",
        "name": thing.facts["name"],
        "type": "Microsoft.Resources/resourceGroups",
        "location": thing.region,
        "tags": thing.facts["tags"],
        "properties": {"provisioningState": thing.state},
    }


def _sizes(call: Call) -> Answer:
    chosen = tuple(area for area in AREAS.values() if call.region in {area.name, "global"})
    return Answer(200, body=_sizes_in(chosen))


@cache
def _sizes_in(areas: tuple[Area, ...]) -> bytes:
    """Written once: a location has more than a thousand."""
    return json.dumps({"value": [size.document(area) for area in areas for size in SIZES.values()]}).encode()


def cores_in_use(call: Call, family: str) -> int:
    """The cores of a family's machines on demand in the call's region."""
    return sum(size.cores for size in _sizes_of_machines(call, is_spot=False) if size.family == family)


def spot_cores_in_use(call: Call) -> int:
    """The cores of spot machines there, of whatever family: they have a quota of their own."""
    return sum(size.cores for size in _sizes_of_machines(call, is_spot=True))


def _sizes_of_machines(call: Call, *, is_spot: bool) -> Iterator[Size]:
    for each in call.list(MACHINE, call.region):
        properties = each.facts["properties"]
        if each.state != "deleted" and ("priority" in properties) == is_spot:
            yield SIZES[properties["hardwareProfile"]["vmSize"]]


def _usage(call: Call) -> Answer:
    if call.path["location"] not in AREAS:
        raise Refusal("invalid", f"No registered resource provider found for location '{call.path['location']}'.",
                      code="NoRegisteredProviderFound")  # fmt: skip
    families = {size.family: size.quota for size in SIZES.values()}
    rows = [_use(family, f"{family} vCPUs", cores_in_use(call, family), quota) for family, quota in families.items()]
    rows.append(_use("lowPriorityCores", "Total Regional Spot vCPUs", spot_cores_in_use(call), SPOT_QUOTA))
    return Answer(200, {"value": rows})


def _use(name: str, title: str, used: int, limit: int) -> dict[str, Any]:
    return {
        "unit": "Count", "currentValue": used, "limit": limit, "name": {"value": name, "localizedValue": title},
    }  # fmt: skip


def _platform_images(call: Call) -> Answer:
    publisher, offer, sku = (call.path[name] for name in ("publisher", "offer", "sku"))
    versions = PLATFORM_IMAGES.get((publisher.lower(), offer.lower(), sku.lower()))
    if versions is None:
        raise Refusal("not_found", f"Artifact: VMImage was not found: {publisher} {offer} {sku}.", code="NotFound")
    ordered = sorted(versions, reverse=call.query.get("$orderby") == "name desc")
    top = int(call.query.get("$top", str(len(ordered))))
    return Answer(200, [_platform_image(call, version) for version in ordered[:top]])


def _platform_image(call: Call, version: str) -> dict[str, Any]:
    path = call.http.path.replace("/artifacttypes/vmimage", "/ArtifactTypes/VMImage")
    return {"id": f"{path}/{version}", "name": version, "location": call.path["location"]}


def _put_key(call: Call) -> Answer:
    group, body = paths.need_group(call), call.document()
    identifier = paths.id_of(call, KEY)
    text = str((body.get("properties") or {}).get("publicKey") or "")
    if text and not text.startswith("ssh-rsa "):
        raise Refusal("invalid", "The public key is not in ssh-rsa format.", field="publicKey")
    facts = {"tags": checked(body.get("tags")), "properties": {"publicKey": text} if text else {}}
    known = call.get(KEY, identifier)
    if known is not None:
        known.facts = facts
        return Answer(200, _key(call.save(known)), result_ids=[identifier])
    made = call.new(KEY, identifier, "Succeeded", facts, region=group.region)
    return Answer(201, _key(made), result_ids=[identifier])


def _need_key(call: Call) -> Thing:
    paths.need_group(call)
    return call.need(KEY, paths.id_of(call, KEY), f"The Resource '{KEY}/{call.path['name']}' was not found.")


def _get_key(call: Call) -> Answer:
    return Answer(200, _key(_need_key(call)))


def _patch_key(call: Call) -> Answer:
    """A PATCH of tags puts these in the place of all others, as everywhere in Microsoft.Compute."""
    known, body = _need_key(call), call.document()
    if "tags" in body:
        known.facts["tags"] = checked(body["tags"])
    known.facts["properties"] |= body.get("properties") or {}
    return Answer(200, _key(call.save(known)), result_ids=[known.id])


def _delete_key(call: Call) -> Answer:
    known = call.get(KEY, paths.id_of(call, KEY))
    if known is None:
        return Answer(204)
    call.things.remove(known)
    return Answer(200, result_ids=[known.id])


def _keys(call: Call) -> Answer:
    return page(call, call.list(KEY), _key)


def _key(thing: Thing) -> dict[str, Any]:
    return {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": KEY,
        "location": thing.region,
        "tags": thing.facts["tags"],
        "properties": thing.facts["properties"],
    }
