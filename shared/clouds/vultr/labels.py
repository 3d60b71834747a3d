"""Where are the tags of what has none at Vultr (all but instances)? In its label or description.

It begins with the name that the token gives, by which it is found (or with what somebody else called it), and goes on
with all tags as JSON. Vultr publishes no limit of its length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from shared.clouds.libcloud.tokens import check_token
from shared.clouds.models import TOKEN_TAG
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.tags import TAGS

_BEGINNING = re.compile(r"(?: |^)\{")
"""Where tags may begin."""


def label_of(name: str, tags: Mapping[str, str], token: str, *, operation: str) -> str:
    """`InvalidRequest` naming the token or a tag beyond the limits."""
    check_token(token, provider=PROVIDER, operation=operation)
    TAGS.check(tags, operation=operation)
    return _label(name, {**tags, TOKEN_TAG: token})


def relabelled(label: object, tags: Mapping[str, str], *, operation: str) -> str:
    """The label with these tags too, also of what is not ours. `InvalidRequest` naming a tag beyond the limits."""
    TAGS.check(tags, operation=operation)
    return _label(text_of(label), {**tags_of(label), **tags})


def is_named(label: object, name: str) -> bool:
    return str(label or "").startswith(f"{name} ")


def tags_of(label: object) -> dict[str, str]:
    """Empty for a label that does not end with tags."""
    return _split(label)[1]


def text_of(label: object) -> str:
    """What stands before the tags."""
    return _split(label)[0]


def _split(label: object) -> tuple[str, dict[str, str]]:
    text = str(label or "")
    for found in _BEGINNING.finditer(text):
        try:
            pairs = json.loads(text[found.end() - 1 :])
        except ValueError:
            continue
        return text[: found.start()], {str(key): str(value) for key, value in sorted(pairs.items())}
    return text, {}


def _label(text: str, pairs: Mapping[str, str]) -> str:
    return f"{text} {json.dumps(pairs, ensure_ascii=False, separators=(',', ':'), sort_keys=True)}".lstrip()
