"""What is the resource id of a thing in Azure Resource Manager, and where is a thing by its id?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.azure.areas import AREAS
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.provider import Call, HttpRequest, Refusal
from deploy.local.clouds.world.things import Thing, Things

RESOURCE_GROUP = "resource_group"
GROUP_PATH = "/subscriptions/{sub}/resourceGroups/{rg}"
_GROUP = re.compile(r"/resource[gG]roups/([^/]+)")
_LOCATION = re.compile(r"/locations/([^/]+)")
_FILTER = re.compile(r"location eq '(\w+)'")


def in_group(kind: str, *, name: bool = True) -> str:
    """The path of things of a type (`Microsoft.Compute/disks`) in a resource group."""
    return f"{GROUP_PATH}/providers/{kind}" + ("/{name}" if name else "")


def in_subscription(kind: str) -> str:
    return f"/subscriptions/{{sub}}/providers/{kind}"


def id_of(call: Call, kind: str, name: str | None = None) -> str:
    """The id of a thing of this type in the call's resource group; `name` defaults to the path's."""
    group = f"/subscriptions/{call.path['sub']}/resourceGroups/{call.path['rg']}"
    return f"{group}/providers/{kind}/{name or call.path['name']}"


def name_of(identifier: str) -> str:
    return identifier.rsplit("/", 1)[-1]


def group_of(identifier: str) -> str:
    """The resource group in an id or a path, empty when it is in none."""
    found = _GROUP.search(identifier)
    return "" if found is None else found.group(1)


def need_group(call: Call) -> Thing:
    """The call's resource group; the same name in other letters is the same group."""
    known = call.get(RESOURCE_GROUP, call.path["rg"].lower())
    if known is None:
        raise Refusal(
            "not_found", f"Resource group '{call.path['rg']}' could not be found.", code="ResourceGroupNotFound"
        )
    return known


def need_location(document: Mapping[str, Any]) -> str:
    """The location of a document, which may be written as it is displayed ("East US")."""
    location = str(document.get("location") or "").replace(" ", "").lower()
    if not location:
        raise Refusal("invalid", "The location property is required for this definition.", code="LocationRequired")
    if location not in AREAS:
        raise Refusal(
            "invalid",
            f"The provided location '{location}' is not available for resource group.",
            code="LocationNotAvailableForResourceGroup",
        )
    return location


def region_of(request: HttpRequest, things: Things, account: Account) -> str:
    """Where a call goes. A group that does not exist (yet) is where its name ends, if that is a location.

    A DNS zone or a CDN is in no location, whatever that of its group.
    """
    if any(each in request.path.lower() for each in ("/microsoft.network/dnszones", "/microsoft.cdn/")):
        return "global"
    for text, pattern in ((request.query.get("$filter", ""), _FILTER), (request.path, _LOCATION)):
        found = pattern.search(text)
        if found is not None:
            return found.group(1)
    group = group_of(request.path) or group_of(request.body.decode(errors="replace"))
    known = things.get(account.provider, account.account_id, RESOURCE_GROUP, group.lower())
    if known is not None:
        return known.region
    ending = group.rpartition("-")[2]
    return ending if ending in AREAS else "global"
