"""How do our tags travel: checked against Azure's limits, with the idempotency token?

Limits: learn.microsoft.com/azure/azure-resource-manager/management/tag-resources, "Limitations". Names may have 512
characters at Azure; ours have 128, so that a machine's tags fit every cloud.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from shared.clouds.azure.errors import PROVIDER
from shared.clouds.errors import FieldProblem, InvalidRequest
from shared.clouds.models import TOKEN_TAG

MADE_FROM_TAG = "canopy:made-from"
"""What a machine's disk was made from, where Azure shows no image: on Azure only, never among a machine's tags."""
ARCHITECTURE_TAG = "canopy:architecture"
"""The architecture of an image of ours, which Azure does not keep; never among its tags either."""

_DNS_TAGS_MAX = 15
_DNS_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_OURS, _OURS_IN_DNS = "canopy:", "canopy_"

_HIDDEN = (MADE_FROM_TAG, ARCHITECTURE_TAG)
_TAGS_MAX = 50
_NAME_CHARACTERS_MAX = 128
_VALUE_CHARACTERS_MAX = 256
_FORBIDDEN = re.compile(r"[<>%&\\?/]")
_RESERVED = ("azure", "microsoft", "windows")
_TOKEN = re.compile(r"[A-Za-z0-9._:/-]{1,64}")


def to_azure(tags: Mapping[str, str], *, operation: str) -> dict[str, str]:
    """`InvalidRequest` naming each tag that Azure would refuse."""
    spelled = Counter(name.lower() for name in tags)
    problems = [
        FieldProblem(f"tags.{name}", detail)
        for name, value in tags.items()
        for detail in (*_problems(name, value), *(["differs from another only by case"] * (spelled[name.lower()] > 1)))
    ]
    if len(tags) > _TAGS_MAX:
        problems.append(FieldProblem("tags", f"has {len(tags)} tags; at most {_TAGS_MAX} are possible"))
    if problems:
        raise _invalid("; ".join(f"{each.field} {each.detail}" for each in problems), operation, problems)
    return dict(tags)


def marked(tags: Mapping[str, str], token: str, *, operation: str) -> dict[str, str]:
    """The tags of a create: the caller's and the token."""
    check_token(token, operation=operation)
    return to_azure({**tags, TOKEN_TAG: token}, operation=operation)


def from_azure(tags: Mapping[str, str] | None) -> dict[str, str]:
    return {name: value for name, value in (tags or {}).items() if name not in _HIDDEN}


def token_of(tags: Mapping[str, str] | None) -> str | None:
    return (tags or {}).get(TOKEN_TAG)


def to_dns(tags: Mapping[str, str], *, operation: str) -> dict[str, str]:
    """For a DNS zone, which has 15 tags at most and takes neither a colon nor a space in their names: our own
    (`canopy:token`) are spelled with `_`. `InvalidRequest` naming each tag that Azure DNS would refuse.
    """
    spelled = {_in_dns(name): value for name, value in tags.items()}
    problems = [
        FieldProblem(f"tags.{name}", "is no name for a tag of a DNS zone: letters, digits and _ . - are possible")
        for name in tags
        if not _DNS_NAME.fullmatch(_in_dns(name)) or name.startswith(_OURS_IN_DNS)
    ]
    if len(tags) > _DNS_TAGS_MAX:
        problems.append(FieldProblem("tags", f"has {len(tags)} tags; at most {_DNS_TAGS_MAX} are possible"))
    if problems:
        raise _invalid("; ".join(f"{each.field} {each.detail}" for each in problems), operation, problems)
    return to_azure(spelled, operation=operation)


def from_dns(tags: Mapping[str, str] | None) -> dict[str, str]:
    read = {
        f"{_OURS}{name.removeprefix(_OURS_IN_DNS)}" if name.startswith(_OURS_IN_DNS) else name: value
        for name, value in (tags or {}).items()
    }
    return from_azure(read)


def _in_dns(name: str) -> str:
    return f"{_OURS_IN_DNS}{name.removeprefix(_OURS)}" if name.startswith(_OURS) else name


def check_token(token: str, *, operation: str) -> None:
    if not _TOKEN.fullmatch(token):
        detail = "is 1 to 64 letters, digits and . _ : / -"
        raise _invalid(f"token {detail}", operation, [FieldProblem("token", detail)])


def _problems(name: str, value: str) -> list[str]:
    problems = []
    if not 1 <= len(name) <= _NAME_CHARACTERS_MAX:
        problems.append(f"has a name of {len(name)} characters; 1 to {_NAME_CHARACTERS_MAX} are possible")
    if name.lower().startswith(_RESERVED):
        problems.append(f"begins with one of {', '.join(_RESERVED)}, which are reserved")
    if len(value) > _VALUE_CHARACTERS_MAX:
        problems.append(f"has a value of {len(value)} characters; at most {_VALUE_CHARACTERS_MAX} are possible")
    if _FORBIDDEN.search(name):
        problems.append("has one of < > % & \\ ? / in its name")
    return problems


def _invalid(message: str, operation: str, problems: Sequence[FieldProblem]) -> InvalidRequest:
    return InvalidRequest("invalid_tags", message, provider=PROVIDER, operation=operation, problems=tuple(problems))
