"""Who has which role on a thing? Role assignments, as far as an application may make them."""

from __future__ import annotations

import uuid
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.operations import time_text
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import Thing

ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
_PATH = f"{paths.GROUP_PATH}/providers/{{namespace}}/{{type}}/{{thing}}/providers/{ASSIGNMENT}/{{name}}"


def actions() -> list[Action]:
    return [
        Action("PUT", _PATH, "role_assignments.create", _put),
        Action("GET", _PATH, "role_assignments.get", lambda call: Answer(200, _document(_need(call)))),
        Action("DELETE", _PATH, "role_assignments.delete", _delete),
    ]


def _scope(call: Call) -> str:
    return paths.id_of(call, f"{call.path['namespace']}/{call.path['type']}", call.path["thing"])


def _put(call: Call) -> Answer:
    """Of a thing that is there, to a principal by the id of its role; what is assigned is never changed."""
    scope, properties = _scope(call), call.document().get("properties") or {}
    if call.get(f"{call.path['namespace']}/{call.path['type']}", scope) is None:
        raise Refusal("not_found", f"The Resource '{scope}' was not found.")
    try:
        uuid.UUID(call.path["name"]), uuid.UUID(str(properties.get("principalId")))
    except ValueError as error:
        raise Refusal("invalid", "The role assignment or its principal is no GUID.", code="BadRequest") from error
    wanted = {name: properties.get(name) for name in ("roleDefinitionId", "principalId", "principalType")}
    known = call.get(ASSIGNMENT, f"{scope}/providers/{ASSIGNMENT}/{call.path['name']}")
    if known is not None:
        if {name: known.facts[name] for name in wanted} != wanted:
            raise Refusal("conflict", "Tenant ID, application ID, principal ID, and scope are not allowed to be "
                          "updated.", code="RoleAssignmentUpdateNotPermitted")  # fmt: skip
        return Answer(200, _document(known), result_ids=[known.id], repeated=True)
    for each in call.list(ASSIGNMENT):
        if each.facts["scope"] == scope and {name: each.facts[name] for name in wanted} == wanted:
            raise Refusal("conflict", "The role assignment already exists.", code="RoleAssignmentExists")
    identifier = f"{scope}/providers/{ASSIGNMENT}/{call.path['name']}"
    made = call.new(ASSIGNMENT, identifier, "ready", {**wanted, "scope": scope})
    return Answer(201, _document(made), result_ids=[made.id])


def _need(call: Call) -> Thing:
    identifier = f"{_scope(call)}/providers/{ASSIGNMENT}/{call.path['name']}"
    return call.need(ASSIGNMENT, identifier, f"The role assignment '{call.path['name']}' is not found.")


def _delete(call: Call) -> Answer:
    known = call.get(ASSIGNMENT, f"{_scope(call)}/providers/{ASSIGNMENT}/{call.path['name']}")
    if known is None:
        return Answer(204)
    call.things.remove(known)
    return Answer(200, _document(known), result_ids=[known.id])


def _document(thing: Thing) -> dict[str, Any]:
    when = time_text(thing.created_s)
    return {
        "id": thing.id,
        "name": paths.name_of(thing.id),
        "type": ASSIGNMENT,
        "properties": {**thing.facts, "createdOn": when, "updatedOn": when},
    }
