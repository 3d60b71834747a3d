"""What becomes of a change? An operation that is RUNNING and then DONE, with its errors inside.

A `requestId` that was used within the hour answers the operation of its first use. Operations are kept for 14 days.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deploy.local.clouds.gcp.accounts import key_of
from deploy.local.clouds.gcp.errors import not_found
from deploy.local.clouds.gcp.lists import listed
from deploy.local.clouds.gcp.places import number_of, stamp, url
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal
from deploy.local.clouds.world.things import GONE, Thing

OPERATION, REQUEST = "operation", "request"
KEPT_S = 14 * 86400
REQUEST_KEPT_S = 3600


@dataclass(frozen=True)
class Change:
    """What an operation says of itself: its `operationType` and the path of its target, as `zones/z/instances/n`.

    `share` of the settings' state time passes until it is DONE; `error` is (code, message) when it ends badly.
    """

    kind: str
    target: str
    target_id: str
    share: float = 0.01
    error: tuple[str, str] | None = None


def accepted(call: Call, change: Change) -> Answer:
    """The answer to a change that was accepted: its operation, zonal when the target is."""
    number = number_of(change.target, change.kind, str(call.things.last_number), repr(call.now_s))
    name = f"operation-{int(call.now_s * 1000)}-{number}"
    scope = "/".join(change.target.split("/")[:2]) if change.target.startswith(("zones/", "regions/")) else "global"
    facts: dict[str, Any] = {
        "name": name,
        "id": number,
        "scope": scope,
        "operationType": change.kind,
        "target": change.target,
        "targetId": change.target_id,
        "clientOperationId": call.query.get("requestId"),
        "user": key_of(call.account)["client_email"],
        "begun_s": call.now_s,
        "done_s": call.later(change.share),
        "error": change.error,
    }
    steps = [(call.later(change.share), "DONE"), (call.now_s + KEPT_S, GONE)]
    made = call.new(OPERATION, f"{scope}/operations/{name}", "RUNNING", facts, steps=steps)
    made.settle(call.now_s)
    _remember(call, made)
    return Answer(200, document(call, made), result_ids=(change.target,))


def failed_on_demand(call: Call, path: str) -> tuple[str, str] | None:
    """(code, message) of the operation, when a fault wants it to end badly."""
    if not call.fails_operation or call.fault is None:
        return None
    code = "INTERNAL_ERROR" if call.fault.code == "InternalError" else call.fault.code
    return code, f"The work on 'projects/{call.account.account_id}/{path}' failed: {code}"


def once(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
    """The handler, but a requestId of the last hour is answered with the operation of its first use."""

    def answer(call: Call) -> Answer:
        request_id = call.query.get("requestId")
        if request_id is None:
            return handler(call)
        try:
            UUID(request_id)
        except ValueError as error:
            raise Refusal("invalid", f"Invalid value for field 'requestId': '{request_id}'. Must be a UUID.") from error
        known = call.get(REQUEST, request_id)
        first = None if known is None else call.get(OPERATION, known.facts["operation"])
        if first is None:
            return handler(call)
        return Answer(200, document(call, first), result_ids=(first.facts["target"],), repeated=True)

    return answer


def _remember(call: Call, operation: Thing) -> None:
    request_id = call.query.get("requestId")
    if request_id is not None:
        ends = [(call.now_s + REQUEST_KEPT_S, GONE)]
        call.new(REQUEST, request_id, "KNOWN", {"operation": operation.id}, steps=ends)


def document(call: Call, thing: Thing) -> dict[str, Any]:
    facts, done = thing.facts, thing.state == "DONE"
    shown: dict[str, Any] = {
        "kind": "compute#operation",
        "id": facts["id"],
        "name": facts["name"],
        "operationType": facts["operationType"],
        "targetLink": url(call, facts["target"]),
        "targetId": facts["targetId"],
        "status": thing.state,
        "user": facts["user"],
        "progress": 100 if done else 0,
        "insertTime": stamp(facts["begun_s"]),
        "startTime": stamp(facts["begun_s"]),
        "selfLink": url(call, thing.id),
    }
    place, _, name = facts["scope"].partition("/")
    if name:
        shown[place.removesuffix("s")] = url(call, facts["scope"])
    if facts["clientOperationId"] is not None:
        shown["clientOperationId"] = facts["clientOperationId"]
    if done:
        shown["endTime"] = stamp(facts["done_s"])
    if done and facts["error"] is not None:
        code, message = facts["error"]
        shown["error"] = {"errors": [{"code": code, "message": message}]}
        shown |= {"httpErrorStatusCode": 403 if code == "QUOTA_EXCEEDED" else 503, "httpErrorMessage": "FAILED"}
    return shown


def actions() -> list[Action]:
    base = "/compute/v1/projects/{project}"
    found = []
    for family, place in (("zone", "zones/{zone}"), ("region", "regions/{region}"), ("global", "global")):
        path = f"{base}/{place}/operations"
        found += [
            Action("GET", path, f"{family}Operations.list", _list),
            Action("GET", path + "/{operation}", f"{family}Operations.get", _get),
            Action("POST", path + "/{operation}/wait", f"{family}Operations.wait", _get, mutates=False),
        ]
    return found


def _scope(call: Call) -> str:
    if "zone" in call.path:
        return f"zones/{call.path['zone']}"
    return f"regions/{call.path['region']}" if "region" in call.path else "global"


def _list(call: Call) -> Answer:
    scope = _scope(call)
    rows = [document(call, each) for each in call.list(OPERATION, call.region) if each.facts["scope"] == scope]
    return listed(call, "compute#operationList", f"{scope}/operations", rows)


def _get(call: Call) -> Answer:
    """Also `wait`, which may return before the operation is done "on a best-effort basis"."""
    path = f"{_scope(call)}/operations/{call.path['operation']}"
    found = call.get(OPERATION, path)
    if found is None:
        raise not_found(f"projects/{call.account.account_id}/{path}")
    return Answer(200, document(call, found))
