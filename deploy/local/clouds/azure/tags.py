"""Which tags does Azure take, and how are they merged?

Limits: learn.microsoft.com/azure/azure-resource-manager/management/tag-resources, "Limitations".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.world.controls import GROUP, IMAGE, MACHINE, SNAPSHOT, VOLUME
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal

_TAGS_MAX, _NAME_MAX, _VALUE_MAX = 50, 512, 256
_FORBIDDEN = set("<>%&\\?/")
_DNS_TAGS_MAX = 15
_DNS_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_KINDS = {
    "profiles": "Microsoft.Cdn/profiles",
    "dnszones": "Microsoft.Network/dnszones",
    "virtualMachines": MACHINE,
    "disks": VOLUME,
    "snapshots": SNAPSHOT,
    "images": IMAGE,
    "networkSecurityGroups": GROUP,
    "storageAccounts": "Microsoft.Storage/storageAccounts",
    "virtualNetworks": "Microsoft.Network/virtualNetworks",
    "loadBalancers": "Microsoft.Network/loadBalancers",
    "servers": "Microsoft.Sql/servers",
    "servers/databases": "Microsoft.Sql/servers/databases",
}
_SCOPE = paths.GROUP_PATH + "/providers/{namespace}/{type}/{name}"
_TAGS = "/providers/Microsoft.Resources/tags/default"
_PATHS = (_SCOPE + _TAGS, _SCOPE + "/{part}/{child}" + _TAGS)


def actions() -> list[Action]:
    return [
        action
        for path in _PATHS
        for action in (
            Action("PATCH", path, "tags.update_at_scope", _patch),
            Action("GET", path, "tags.get_at_scope", _get),
        )
    ]


def checked(tags: Any) -> dict[str, str]:
    """The tags; raises Refusal `invalid` for what Azure does not take."""
    given: Mapping[str, Any] = tags or {}
    if len(given) > _TAGS_MAX:
        raise Refusal("invalid", f"The number of tags {len(given)} exceeds {_TAGS_MAX}.", code="InvalidTagCount")
    if len({name.lower() for name in given}) < len(given):
        raise Refusal("invalid", "Tag names are the same but for their case.", code="DuplicateTagNames")
    for name, value in given.items():
        if not 1 <= len(name) <= _NAME_MAX or len(str(value)) > _VALUE_MAX:
            raise Refusal("invalid", f"Tag name or value is too long: {name[:20]}.", code="InvalidTagValueLength")
        if _FORBIDDEN & set(name):
            raise Refusal("invalid", f"The tag name '{name}' has reserved characters.", code="InvalidTagNameCharacters")
    return {name: str(value) for name, value in given.items()}


def checked_for_dns(tags: Any) -> dict[str, str]:
    """A DNS zone takes fewer, and only plain names."""
    given = checked(tags)
    if len(given) > _DNS_TAGS_MAX or not all(_DNS_NAME.fullmatch(name) for name in given):
        raise Refusal("invalid", "The tags of a DNS zone are 15 at most, with plain names.", code="BadRequest")
    return given


def _thing(call: Call) -> Any:
    kind_path, identifier = call.path["type"], paths.id_of(call, f"{call.path['namespace']}/{call.path['type']}")
    if "part" in call.path:
        kind_path, identifier = (
            f"{kind_path}/{call.path['part']}",
            f"{identifier}/{call.path['part']}/{call.path['child']}",
        )
    kind = _KINDS.get(kind_path)
    known = None if kind is None else call.get(kind, identifier)
    if known is None or known.state == "deleted":
        raise Refusal("not_found", f"The Resource '{identifier}' was not found.")
    return known


def _get(call: Call) -> Answer:
    return Answer(200, _document(call, _thing(call).facts["tags"]))


def _patch(call: Call) -> Answer:
    known, body = _thing(call), call.document()
    check = checked_for_dns if call.path["type"] == "dnszones" else checked
    given = check((body.get("properties") or {}).get("tags"))
    now: dict[str, str] = known.facts["tags"]
    lower = {name.lower() for name in given}
    match body.get("operation"):
        case "Merge":
            known.facts["tags"] = check({n: v for n, v in now.items() if n.lower() not in lower} | given)
        case "Replace":
            known.facts["tags"] = given
        case "Delete":
            known.facts["tags"] = {n: v for n, v in now.items() if n.lower() not in lower}
        case _:
            raise Refusal(
                "invalid", "The operation is one of Merge, Replace, Delete.", code="InvalidTagsPatchOperation"
            )
    call.save(known)
    return Answer(200, _document(call, known.facts["tags"]), result_ids=[known.id])


def _document(call: Call, tags: dict[str, str]) -> dict[str, Any]:
    return {
        "id": call.http.path,
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": tags},
    }
