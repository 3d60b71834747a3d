"""What do the tags of a found thing tell: its name, environment and project, and which are its own?"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.clouds.models import TOKEN_TAG

_RESERVED = frozenset({"name", "environment", "project"})
_OURS = TOKEN_TAG.partition(":")[0] + ":"
_PROVIDERS = "aws:"
_ENVIRONMENTS: Mapping[str, str] = {
    "development": "development",
    "dev": "development",
    "testing": "testing",
    "test": "testing",
    "qa": "testing",
    "staging": "staging",
    "stage": "staging",
    "production": "production",
    "prod": "production",
}


@dataclass(frozen=True, slots=True)
class Labels:
    """What the tags say; None where they say nothing that we know. `own`: those that are the client's."""

    name: str | None
    environment: str | None
    project: str | None
    own: dict[str, str]


def labels_of(tags: Mapping[str, str]) -> Labels:
    """Read tags; the three words are found in any case."""
    words = {key.lower(): value for key, value in sorted(tags.items(), reverse=True) if key.lower() in _RESERVED}
    return Labels(
        name=words.get("name") or None,
        environment=_ENVIRONMENTS.get(words.get("environment", "").lower()),
        project=words.get("project") or None,
        own={
            key: value
            for key, value in tags.items()
            if key.lower() not in _RESERVED and not key.startswith((_OURS, _PROVIDERS))
        },
    )


def merged(mine: str, before: str | None, after: str | None) -> str:
    """A label that changed from `before` to `after`, put onto `mine`.

    It follows where mine was what was before, or nothing was said before; what is no longer said stays.
    """
    follows = after is not None and before != after and before in {None, mine}
    return str(after) if follows else mine
