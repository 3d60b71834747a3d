"""How do our tags travel: checked against AWS's limits, with the idempotency token, in AWS's list form."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.clouds.aws.errors import PROVIDER
from shared.clouds.errors import FieldProblem, InvalidRequest
from shared.clouds.models import TOKEN_TAG

# docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html, "Tag naming limits"
_TAGS_MAX = 50
_KEY_CHARACTERS_MAX = 128
_VALUE_CHARACTERS_MAX = 256
_CHARACTERS = re.compile(r"[\w\s.:/=+\-@]*")

_TOKEN = re.compile(r"[A-Za-z0-9._:/-]{1,64}")  # a ClientToken has at most 64 ASCII characters; none is a wildcard


def to_aws(tags: Mapping[str, str], *, operation: str) -> list[dict[str, str]]:
    """`InvalidRequest` naming each tag that AWS would refuse."""
    problems = [FieldProblem(f"tags.{key}", detail) for key, value in tags.items() for detail in _problems(key, value)]
    if len(tags) > _TAGS_MAX:
        problems.append(FieldProblem("tags", f"has {len(tags)} tags; at most {_TAGS_MAX} are possible"))
    if problems:
        raise _invalid("; ".join(f"{each.field} {each.detail}" for each in problems), operation, problems)
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def specification(kinds: Sequence[str], tags: Mapping[str, str], token: str, *, operation: str) -> list[dict[str, Any]]:
    """The `TagSpecifications` of a create: the caller's tags and the token, on every kind of thing that it makes."""
    check_token(token, operation=operation)
    listed = to_aws({**tags, TOKEN_TAG: token}, operation=operation)
    return [{"ResourceType": kind, "Tags": listed} for kind in kinds]


def from_aws(tags: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in tags or ()}


def token_filter(token: str) -> list[dict[str, Any]]:
    check_token(token, operation="find_by_token")
    return [{"Name": f"tag:{TOKEN_TAG}", "Values": [token]}]


def name_of(token: str) -> str:
    """A name that only this token has, for what AWS identifies by a unique name (images, security groups)."""
    return f"canopy-{hashlib.sha256(token.encode()).hexdigest()[:32]}"


def check_token(token: str, *, operation: str) -> None:
    if not _TOKEN.fullmatch(token):
        detail = "is 1 to 64 letters, digits and . _ : / -"
        raise _invalid(f"token {detail}", operation, [FieldProblem("token", detail)])


def _problems(key: str, value: str) -> list[str]:
    problems = []
    if not 1 <= len(key) <= _KEY_CHARACTERS_MAX:
        problems.append(f"has a key of {len(key)} characters; 1 to {_KEY_CHARACTERS_MAX} are possible")
    if key.lower().startswith("aws:"):
        problems.append("begins with aws:, which is reserved")
    if len(value) > _VALUE_CHARACTERS_MAX:
        problems.append(f"has a value of {len(value)} characters; at most {_VALUE_CHARACTERS_MAX} are possible")
    if not (_CHARACTERS.fullmatch(key) and _CHARACTERS.fullmatch(value)):
        problems.append("may have letters, digits, spaces and . : / = + - @ _ only")
    return problems


def _invalid(message: str, operation: str, problems: Sequence[FieldProblem]) -> InvalidRequest:
    return InvalidRequest("invalid_tags", message, provider=PROVIDER, operation=operation, problems=tuple(problems))
