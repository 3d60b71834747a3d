"""How does Azure tell of work that takes time? `Azure-AsyncOperation`: an address to ask until it is done."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal

OPERATION = "operation"
_PATH = "/subscriptions/{sub}/providers/{namespace}/locations/{location}/operations/{name}"
RETRY_AFTER_S = 1


def actions() -> list[Action]:
    return [Action("GET", _PATH, "operations.get", _get)]


def accepted(call: Call, status: int, document: Any, due_s: float, **answer: Any) -> Answer:
    """The answer of a call whose work is done at `due_s`, or fails then when a fault says so.

    `error` is what the operation ends with in that case.
    """
    error = answer.pop("error", None) or {"code": "InternalExecutionError", "message": "An internal execution error."}
    outcome = "Failed" if call.fails_operation else "Succeeded"
    identifier = str(uuid.uuid4())
    facts = {"error": error} if call.fails_operation else {}
    call.new(OPERATION, identifier, "InProgress", facts, steps=[(due_s, outcome)])
    namespace = call.http.path.partition("/providers/")[2].partition("/")[0] or "Microsoft.Resources"
    version = call.query.get("api-version", "")
    url = (
        f"{call.http.base_url}/subscriptions/{call.account.account_id}/providers/{namespace}"
        f"/locations/{call.region}/operations/{identifier}?api-version={version}"
    )
    headers = {"Azure-AsyncOperation": url, "Retry-After": str(RETRY_AFTER_S)}
    if status == 202:
        headers["Location"] = f"{url}&monitor=true"
    return Answer(status, document, headers, **answer)


def time_text(time_s: float) -> str:
    """A time as Azure writes it."""
    return dt.datetime.fromtimestamp(time_s, dt.UTC).isoformat(timespec="microseconds")


def _get(call: Call) -> Answer:
    known = call.get(OPERATION, call.path["name"])
    if known is None:
        raise Refusal("not_found", f"The operation {call.path['name']} was not found.", code="OperationNotFound")
    body = {
        "startTime": time_text(known.created_s),
        "status": known.state,
        "name": known.id,
        **known.facts,
    }
    still = known.state == "InProgress"
    if "monitor" in call.query:
        return Answer(202 if still else 200, None, {"Retry-After": str(RETRY_AFTER_S)} if still else {})
    return Answer(200, body, {"Retry-After": str(RETRY_AFTER_S)} if still else {})
