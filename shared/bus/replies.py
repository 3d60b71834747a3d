"""What does a request get back? A result or a problem, told apart by a header so that bytes can pass unread."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import BaseModel, ValidationError

from shared.kit import errors
from shared.kit.errors import CanopyError, FieldError

STATUS = "Canopy-Status"
VERSION = "Canopy-Version"

_BY_STATUS: dict[int, type[CanopyError]] = {
    401: errors.Unauthenticated,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    409: errors.Conflict,
    412: errors.Stale,
    413: errors.TooLarge,
    422: errors.InvalidInput,
    429: errors.TooManyRequests,
    503: errors.Unavailable,
    504: errors.TimedOut,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """The bytes of an answer; `status` 200 is a result, anything else a problem (kit/errors.py `as_problem`)."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def result(value: BaseModel | Reply) -> Reply:
    """A handler's return value as a reply; a model with a `version` also says it in a header (the ETag)."""
    if isinstance(value, Reply):
        return value
    version = getattr(value, "version", None)
    headers = {} if version is None else {VERSION: str(version)}
    return Reply(value.model_dump_json().encode(), 200, headers)


def problem(error: CanopyError) -> Reply:
    return Reply(msgspec.json.encode(error.as_problem()), error.status)


def invalid(error: ValidationError) -> CanopyError:
    """A message that does not fit its model, with a pointer for each field. Input values are not repeated."""
    fields = [
        FieldError("/" + "/".join(str(part) for part in item["loc"]), item["msg"])
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return errors.InvalidInput("the input does not fit", errors=fields)


def raise_problem(reply: Reply) -> None:
    """Raise the owner's error as the same CanopyError here; nothing for a result."""
    if reply.status == 200:
        return
    body: dict[str, Any] = msgspec.json.decode(reply.body)
    cls = _BY_STATUS.get(reply.status, CanopyError)
    raise cls(
        body.get("detail", ""),
        code=body.get("code"),
        errors=[FieldError(item["pointer"], item["detail"]) for item in body.get("errors", [])],
        retry_after_s=body.get("retry_after_s"),
    )
