"""How do our tags, pairs of any text, become a cloud's whose tags are single words?

A pair of plain lower-case words is `key:value` (or `key` when the value is empty), so that it reads well in the cloud's
own pages, and what others tagged reads as such pairs. Any other pair, upper case included (these clouds compare without
case), is written in base32 over as many tags as it needs: `canopy:<mark of the pair>:<part>-<parts>:<text>`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.clouds.errors import FieldProblem, InvalidRequest
from shared.clouds.libcloud.tokens import check_token
from shared.clouds.models import TOKEN_TAG

# A pair may need several of the cloud's own tags; these limits keep a machine's tags the same on every cloud.
_TAGS_MAX = 50
_KEY_CHARACTERS_MAX = 128
_VALUE_CHARACTERS_MAX = 256

_PREFIX = "canopy"
_PLAIN = re.compile(r"[a-z0-9_-]+")
_ENCODED = re.compile(rf"{_PREFIX}:([0-9a-f]{{8}}):([0-9]+)-([0-9]+):([a-z2-7]+)")
_FRAME_CHARACTERS = len(f"{_PREFIX}:01234567:99-99:")


@dataclass(frozen=True, slots=True)
class WordTags:
    """The tags of one cloud, which have so many characters: at least 25 at most, for pairs of all lengths."""

    provider: str
    shortest: int
    longest: int

    def to_words(self, tags: Mapping[str, str], token: str, *, operation: str) -> list[str]:
        """All tags of something we create, the token's first.

        `InvalidRequest` naming the token, or each tag that is too long: 50 tags, keys of 1 to 128 and values of up to
        256 characters.
        """
        check_token(token, provider=self.provider, operation=operation)
        self.check(tags, operation=operation)
        pairs = [(TOKEN_TAG, token), *tags.items()]
        return list(dict.fromkeys(word for key, value in pairs for word in self.words_of(key, value)))

    def check(self, tags: Mapping[str, str], *, operation: str) -> None:
        problems = [
            FieldProblem(f"tags.{key}", detail) for key, value in tags.items() for detail in _problems(key, value)
        ]
        if len(tags) > _TAGS_MAX:
            problems.append(FieldProblem("tags", f"has {len(tags)} tags; at most {_TAGS_MAX} are possible"))
        if problems:
            message = "; ".join(f"{each.field} {each.detail}" for each in problems)
            raise InvalidRequest(
                "invalid_tags", message, provider=self.provider, operation=operation, problems=tuple(problems)
            )

    def words_of(self, key: str, value: str) -> list[str]:
        """The cloud's tags that say this pair."""
        plain = f"{key}:{value}" if value else key
        fits = self.shortest <= len(plain) <= self.longest and key != _PREFIX
        if fits and _PLAIN.fullmatch(key) and (not value or _PLAIN.fullmatch(value)):
            return [plain]
        data = f"{len(key)}:{key}{value}".encode()
        text = base64.b32encode(data).decode().rstrip("=").lower()
        size = self.longest - _FRAME_CHARACTERS
        parts = [text[first : first + size] for first in range(0, len(text), size)]
        mark = hashlib.sha256(data).hexdigest()[:8]
        return [f"{_PREFIX}:{mark}:{part}-{len(parts)}:{each}" for part, each in enumerate(parts)]


def from_words(words: Iterable[str]) -> dict[str, str]:
    """The pairs that these tags say, in key order; an encoded pair whose parts are not all there is left out.

    Of two values of one key (a change was interrupted) the last in the order of their words is it.
    """
    pairs: dict[str, str] = {}
    parts: dict[tuple[str, int], dict[int, str]] = {}
    for word in sorted(words):
        encoded = _ENCODED.fullmatch(word)
        if encoded is None:
            key, _, value = word.partition(":")
            pairs[key] = value
        else:
            mark, part, count, text = encoded.groups()
            parts.setdefault((mark, int(count)), {})[int(part)] = text
    for (_, count), found in parts.items():
        pairs |= _decoded(found, count)
    return dict(sorted(pairs.items()))


def replaced_by(words: Iterable[str], tags: Mapping[str, str], wanted: Iterable[str]) -> list[str]:
    """Those of `words` that give a key of `tags` another value; `wanted` are the words that say `tags`."""
    keep = set(wanted)
    groups: dict[str, list[str]] = {}
    for word in words:
        encoded = _ENCODED.fullmatch(word)
        groups.setdefault(word if encoded is None else encoded[1], []).append(word)
    return [
        word
        for group in groups.values()
        for word in group
        if word not in keep and any(key in tags for key in from_words(group))
    ]


def _decoded(parts: Mapping[int, str], count: int) -> dict[str, str]:
    if set(parts) != set(range(count)):
        return {}
    text = "".join(parts[part] for part in range(count)).upper()
    try:
        length, _, rest = base64.b32decode(text + "=" * (-len(text) % 8)).decode().partition(":")
        return {rest[: int(length)]: rest[int(length) :]}
    except ValueError:
        return {}


def _problems(key: str, value: str) -> list[str]:
    problems = []
    if not 1 <= len(key) <= _KEY_CHARACTERS_MAX:
        problems.append(f"has a key of {len(key)} characters; 1 to {_KEY_CHARACTERS_MAX} are possible")
    if len(value) > _VALUE_CHARACTERS_MAX:
        problems.append(f"has a value of {len(value)} characters; at most {_VALUE_CHARACTERS_MAX} are possible")
    return problems
