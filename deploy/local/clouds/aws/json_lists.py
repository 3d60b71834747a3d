"""How do the services that speak JSON page a list? By an opaque token that says where the next page begins."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Any, TypeVar

from deploy.local.clouds.aws.errors import Refusal

T = TypeVar("T")


def next_page(things: Sequence[T], token: Any, size: int, error: str) -> tuple[Sequence[T], str | None]:
    """A page and the token of the next, None after the last. Raises Refusal `error` for a token that is none."""
    try:
        first = int(urlsafe_b64decode(str(token))) if token else 0
    except ValueError:
        raise Refusal(error, "The token is invalid.") from None
    page = things[first : first + size]
    return page, urlsafe_b64encode(str(first + size).encode()).decode() if first + size < len(things) else None
