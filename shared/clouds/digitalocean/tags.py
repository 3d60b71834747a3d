"""How do our tags, pairs of any text, become DigitalOcean's: single words of letters, digits and `: - _`?

A pair of plain lower-case words is `key:value` (or `key` when the value is empty), so that it reads well in their
control panel, and what others tagged reads as such pairs. Any other pair, upper case included (their names ignore
case), is written in base32 over as many tags as it needs: `canopy:<mark of the key>:<part>-<parts>:<text>`. The token
is such a pair, in one tag, by which a droplet is found.

Source: docs.digitalocean.com/reference/api, "Tags": letters, numbers, colons, dashes, underscores; 255 characters; case
is kept as first written and ignored when compared.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.errors import FieldProblem, InvalidRequest
from shared.clouds.libcloud.tokens import check_token
from shared.clouds.models import TOKEN_TAG

# DigitalOcean counts its own tags, of which a pair may need several; these keep a machine's tags the same everywhere.
_TAGS_MAX = 50
_KEY_CHARACTERS_MAX = 128
_VALUE_CHARACTERS_MAX = 256

_PREFIX = "canopy"
_PART_CHARACTERS = 200
_PLAIN = re.compile(r"[a-z0-9_-]+")
_PLAIN_CHARACTERS_MAX = 255
_ENCODED = re.compile(rf"{_PREFIX}:([0-9a-f]{{16}}):([0-9]+)-([0-9]+):([a-z2-7]+)")


def to_digitalocean(tags: Mapping[str, str], token: str, *, operation: str) -> list[str]:
    """All tags of something we create, the token's first. `InvalidRequest` naming each that is too long, or the token.

    Limits: 50 tags, keys of 1 to 128 and values of up to 256 characters.
    """
    check_token(token, provider=PROVIDER, operation=operation)
    check(tags, operation=operation)
    return [token_tag(token), *(name for key, value in tags.items() for name in names_of(key, value))]


def check(tags: Mapping[str, str], *, operation: str) -> None:
    problems = [FieldProblem(f"tags.{key}", detail) for key, value in tags.items() for detail in _problems(key, value)]
    if len(tags) > _TAGS_MAX:
        problems.append(FieldProblem("tags", f"has {len(tags)} tags; at most {_TAGS_MAX} are possible"))
    if problems:
        message = "; ".join(f"{each.field} {each.detail}" for each in problems)
        raise InvalidRequest("invalid_tags", message, provider=PROVIDER, operation=operation, problems=tuple(problems))


def from_digitalocean(names: Iterable[str]) -> dict[str, str]:
    """The pairs that these tags say, in key order; an encoded pair whose parts are not all there is left out.

    Of two values of one key (a change was interrupted) the last in the order of their names is it.
    """
    pairs: dict[str, str] = {}
    parts: dict[tuple[str, int], dict[int, str]] = {}
    for name in sorted(names):
        encoded = _ENCODED.fullmatch(name)
        if encoded is None:
            key, _, value = name.partition(":")
            pairs[key] = value
        else:
            mark, part, count, text = encoded.groups()
            parts.setdefault((mark, int(count)), {})[int(part)] = text
    for (_, count), found in parts.items():
        pairs |= _decoded([found.get(part, "") for part in range(count)])
    return dict(sorted(pairs.items()))


def names_of(key: str, value: str) -> list[str]:
    """The DigitalOcean tags that say this pair."""
    plain = f"{key}:{value}" if value else key
    fits = len(plain) <= _PLAIN_CHARACTERS_MAX and key != _PREFIX
    if fits and _PLAIN.fullmatch(key) and (not value or _PLAIN.fullmatch(value)):
        return [plain]
    text = base64.b32encode(json.dumps([key, value], ensure_ascii=False, separators=(",", ":")).encode()).decode()
    text = text.rstrip("=").lower()
    parts = [text[first : first + _PART_CHARACTERS] for first in range(0, len(text), _PART_CHARACTERS)]
    mark = hashlib.sha256(f"{key}\x00{value}".encode()).hexdigest()[:16]
    return [f"{_PREFIX}:{mark}:{part}-{len(parts)}:{each}" for part, each in enumerate(parts)]


def replaced_by(names: Iterable[str], tags: Mapping[str, str]) -> list[str]:
    """Those of `names` that give a key of `tags` another value than `tags` does."""
    names = list(names)
    wanted = {name for key, value in tags.items() for name in names_of(key, value)}
    groups: dict[str, list[str]] = {}
    for name in names:
        encoded = _ENCODED.fullmatch(name)
        groups.setdefault(name if encoded is None else encoded[1], []).append(name)
    return [
        name
        for group in groups.values()
        for name in group
        if name not in wanted and any(key in tags for key in from_digitalocean(group))
    ]


def token_tag(token: str) -> str:
    """The one tag of a token: 64 characters and the key are at most 142 in base32."""
    [name] = names_of(TOKEN_TAG, token)
    return name


def _decoded(parts: list[str]) -> dict[str, str]:
    text = "".join(parts).upper()
    try:
        pair = json.loads(base64.b32decode(text + "=" * (-len(text) % 8)))
    except ValueError:
        return {}
    if not (all(parts) and isinstance(pair, list) and len(pair) == 2 and all(isinstance(each, str) for each in pair)):
        return {}
    return {pair[0]: pair[1]}


def _problems(key: str, value: str) -> list[str]:
    problems = []
    if not 1 <= len(key) <= _KEY_CHARACTERS_MAX:
        problems.append(f"has a key of {len(key)} characters; 1 to {_KEY_CHARACTERS_MAX} are possible")
    if len(value) > _VALUE_CHARACTERS_MAX:
        problems.append(f"has a value of {len(value)} characters; at most {_VALUE_CHARACTERS_MAX} are possible")
    return problems
