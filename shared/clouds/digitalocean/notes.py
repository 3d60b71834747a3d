"""How are tags kept of what DigitalOcean gives no tags: as JSON, where a text may stand?"""

from __future__ import annotations

import json
from collections.abc import Mapping

from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.libcloud.refusals import invalid
from shared.clouds.libcloud.tokens import check_token
from shared.clouds.models import TOKEN_TAG


def marked(tags: Mapping[str, str], token: str, *, operation: str) -> dict[str, str]:
    """The tags with that of the token, first; `InvalidRequest` as of `WordTags.to_words`."""
    check_token(token, provider=PROVIDER, operation=operation)
    TAGS.check(tags, operation=operation)
    return {TOKEN_TAG: token, **tags}


def to_note(tags: Mapping[str, str], *, characters_max: int, operation: str) -> str:
    """`InvalidRequest` with field `tags` when they are too long in sum."""
    text = json.dumps(dict(tags), ensure_ascii=False, separators=(",", ":"))
    if len(text) > characters_max:
        detail = f"take {len(text)} characters; {characters_max} are possible for this kind of resource"
        raise invalid("tags", detail, provider=PROVIDER, operation=operation)
    return text


def from_note(text: str) -> dict[str, str]:
    """In key order; empty for what is no note of ours: somebody may have written there."""
    try:
        found = json.loads(text) if text.startswith("{") else None
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in sorted(found.items())} if isinstance(found, dict) else {}
