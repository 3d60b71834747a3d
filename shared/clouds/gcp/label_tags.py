"""How do the tags of what has only labels travel: buckets, databases, load balancers, DNS zones?

As for machines (tags.py) twice: sanitised, so that Google's cost reports can group by them, and word by word. But where
there is neither metadata nor a description that may be changed, the exact ones are labels too: their JSON, in base 32,
cut into values of 63 characters.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from shared.clouds.errors import FieldProblem, InvalidRequest
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.errors import PROVIDER

_PART = "canopy-tags-"
_VALUE_CHARACTERS_MAX = 63
_LABELS_MAX = 50
"""Of Cloud SQL, which keeps 14 of 64 for itself (cloud.google.com/sql/docs/mysql/label-instance); others take 64."""
_PARTS_MAX = 46


def to_labels(tags: Mapping[str, str], *, operation: str) -> dict[str, str]:
    """Raises InvalidRequest for tags that are too many or too long; some 1,800 bytes of JSON have room."""
    gcp_tags.check(tags, operation=operation)
    text = base64.b32encode(gcp_tags.to_text(tags).encode()).decode().rstrip("=").lower()
    cut = [text[start : start + _VALUE_CHARACTERS_MAX] for start in range(0, len(text), _VALUE_CHARACTERS_MAX)]
    if len(cut) > _PARTS_MAX:
        most = _PARTS_MAX * _VALUE_CHARACTERS_MAX * 5 // 8
        detail = f"take {len(text) * 5 // 8} bytes; {most} are possible for this kind of resource"
        raise InvalidRequest(
            "invalid_tags", f"tags {detail}", provider=PROVIDER, operation=operation,
            problems=(FieldProblem("tags", detail),),
        )  # fmt: skip
    parts = {f"{_PART}{number:02}": each for number, each in enumerate(cut)}
    readable = list(gcp_tags.to_labels(tags).items())[: _LABELS_MAX - len(parts)]
    return dict(readable) | parts


def from_labels(labels: Mapping[str, str] | None) -> dict[str, str]:
    """All tags of a thing: ours word by word, and the labels that somebody else gave it."""
    known = labels or {}
    others = {key: value for key, value in known.items() if not key.startswith(_PART)}
    return gcp_tags.merged(_exact(known), others)


def changed(labels: Mapping[str, str] | None, tags: Mapping[str, str], *, operation: str) -> dict[str, str | None]:
    """What a merge of these tags writes over labels; None: it goes."""
    known = labels or {}
    new = to_labels({**_exact(known), **tags}, operation=operation)
    return {**{key: None for key in known if key.startswith(_PART) and key not in new}, **new}


def _exact(labels: Mapping[str, str]) -> dict[str, str]:
    """Empty when somebody else wrote what is no encoding of ours."""
    text = "".join(labels[key] for key in sorted(labels) if key.startswith(_PART)).upper()
    try:
        return gcp_tags.from_text(base64.b32decode(text + "=" * (-len(text) % 8)).decode())
    except ValueError:
        return {}
