"""Where are the tags of what has none at Vultr (snapshots, networks, block storage)? In its label or description.

It begins with the name that the token gives, by which it is found, and goes on with all tags as JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from shared.clouds.libcloud.tokens import check_token
from shared.clouds.models import TOKEN_TAG
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.tags import TAGS

_LABEL = re.compile(r"canopy-[0-9a-f]{24} (\{.*\})", re.DOTALL)


def label_of(name: str, tags: Mapping[str, str], token: str, *, operation: str) -> str:
    """`InvalidRequest` naming the token or a tag beyond the limits."""
    check_token(token, provider=PROVIDER, operation=operation)
    TAGS.check(tags, operation=operation)
    pairs = {**tags, TOKEN_TAG: token}
    return f"{name} {json.dumps(pairs, ensure_ascii=False, separators=(',', ':'), sort_keys=True)}"


def is_named(label: object, name: str) -> bool:
    return str(label or "").startswith(f"{name} ")


def tags_of(label: object) -> dict[str, str]:
    """Empty for a label that is not ours."""
    found = _LABEL.fullmatch(str(label or ""))
    try:
        pairs = json.loads(found[1]) if found is not None else {}
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in sorted(pairs.items())}
