"""How do our tags travel? As labels where they fit, and word by word where nothing is lost.

A label's key and value are at most 63 lower case letters, digits, `_` and `-`; ours hold colons, capitals and any
script. So what was asked for is kept twice: exactly, as JSON, in a machine's metadata (item `canopy-tags`) or, for what
has no metadata, in its description; and sanitised, as labels, so that Google's own cost reports can group by
`environment` or `project`. The token's label holds its hash: it is what a list is filtered by.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from shared.clouds.errors import FieldProblem, InvalidRequest
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.models import TOKEN_TAG

METADATA_TAGS = "canopy-tags"
METADATA_IMAGE = "canopy-image"
TOKEN_LABEL = "canopy-token"  # noqa: S105 - a label's name
_DESCRIPTION = "canopy-tags"
_DESCRIPTION_CHARACTERS_MAX = 2048  # cloud.google.com/compute/docs/reference/rest/v1/firewalls, "description"

# The limits of the other clouds, so that what one takes all take; Google's metadata would hold more.
_TAGS_MAX = 50
_KEY_CHARACTERS_MAX = 128
_VALUE_CHARACTERS_MAX = 256
_LABELS_MAX = 64  # cloud.google.com/compute/docs/labeling-resources
_LABEL_CHARACTERS_MAX = 63
_FIRST = ("Name", "Environment", "Project")  # cost reports need them, should there be too many

_OWN_NAME = re.compile(r"canopy-[0-9a-f]{32}")
_TOKEN = re.compile(r"[A-Za-z0-9._:/-]{1,64}")


def check(tags: Mapping[str, str], *, operation: str) -> None:
    """`InvalidRequest` naming each tag that is too long, or all when there are too many."""
    problems = [FieldProblem(f"tags.{key}", detail) for key, value in tags.items() for detail in _problems(key, value)]
    if len(tags) > _TAGS_MAX:
        problems.append(FieldProblem("tags", f"has {len(tags)} tags; at most {_TAGS_MAX} are possible"))
    if problems:
        raise _invalid("; ".join(f"{each.field} {each.detail}" for each in problems), operation, problems)


def marked(tags: Mapping[str, str], token: str, *, operation: str) -> dict[str, str]:
    """The caller's tags and the token, checked."""
    check_token(token, operation=operation)
    both = {**tags, TOKEN_TAG: token}
    check(both, operation=operation)
    return both


def to_labels(tags: Mapping[str, str]) -> dict[str, str]:
    """What of the tags fits into labels; of two keys that become the same the first stays."""
    labels: dict[str, str] = {}
    token = tags.get(TOKEN_TAG)
    if token is not None:
        labels[TOKEN_LABEL] = digest(token)
    for key in sorted(tags, key=lambda each: (each not in _FIRST, each)):
        name = _plain(key).lstrip("0123456789-_")[:_LABEL_CHARACTERS_MAX]
        if name and key != TOKEN_TAG and name not in labels and len(labels) < _LABELS_MAX:
            labels[name] = _plain(tags[key])[:_LABEL_CHARACTERS_MAX]
    return labels


def merged(exact: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, str]:
    """All tags of a thing: ours word by word, and the labels that somebody else gave it."""
    ours = to_labels(exact)
    return {**{key: value for key, value in labels.items() if key not in ours}, **exact}


def to_text(tags: Mapping[str, str]) -> str:
    return json.dumps(dict(tags), ensure_ascii=False, separators=(",", ":"))


def from_text(text: str) -> dict[str, str]:
    """Empty for what is no JSON object of ours: somebody may have written there."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def to_description(tags: Mapping[str, str], words: str = "", *, operation: str, **facts: str) -> str:
    """A description that holds the tags word by word, and `facts` beside them; `InvalidRequest` when they are too long
    for one.
    """
    all_of_it = {_DESCRIPTION: dict(tags), **facts} | ({"description": words} if words else {})
    text = json.dumps(all_of_it, ensure_ascii=False, separators=(",", ":"))
    if len(text) > _DESCRIPTION_CHARACTERS_MAX:
        detail = f"take {len(text)} characters; {_DESCRIPTION_CHARACTERS_MAX} are possible for this kind of resource"
        raise _invalid(f"tags {detail}", operation, [FieldProblem("tags", detail)])
    return text


def from_description(text: str, labels: Mapping[str, str]) -> dict[str, str]:
    exact = _described(text).get(_DESCRIPTION)
    return merged(exact if isinstance(exact, dict) else {}, labels)


def fact_of(text: str, name: str) -> str | None:
    """What `to_description` was given under this name; None when it was not, or somebody else wrote the text."""
    found = _described(text).get(name)
    return found if isinstance(found, str) else None


def _described(text: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(text) if text.startswith("{") else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {}


def token_filter(token: str) -> str:
    check_token(token, operation="find_by_token")
    return f"labels.{TOKEN_LABEL}={digest(token)}"


def name_of(token: str, region: str = "") -> str:
    """A name that only this token has; with a region for what Google names for all regions at once."""
    return f"canopy-{digest(f'{region}/{token}' if region else token)}"


def is_name(name: str) -> bool:
    """Whether `name_of` may have made it."""
    return _OWN_NAME.fullmatch(name) is not None


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def check_token(token: str, *, operation: str) -> None:
    if not _TOKEN.fullmatch(token):
        detail = "is 1 to 64 letters, digits and . _ : / -"
        raise _invalid(f"token {detail}", operation, [FieldProblem("token", detail)])


def _plain(text: str) -> str:
    """`Hochzeit Müller` is `hochzeit-muller`; what has no such form goes."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_-]+", "-", ascii_only).strip("-")


def _problems(key: str, value: str) -> list[str]:
    problems = []
    if not 1 <= len(key) <= _KEY_CHARACTERS_MAX:
        problems.append(f"has a key of {len(key)} characters; 1 to {_KEY_CHARACTERS_MAX} are possible")
    if len(value) > _VALUE_CHARACTERS_MAX:
        problems.append(f"has a value of {len(value)} characters; at most {_VALUE_CHARACTERS_MAX} are possible")
    return problems


def _invalid(message: str, operation: str, problems: Sequence[FieldProblem]) -> InvalidRequest:
    return InvalidRequest("invalid_tags", message, provider=PROVIDER, operation=operation, problems=tuple(problems))
