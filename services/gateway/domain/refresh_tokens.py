"""May this refresh token be exchanged? Each works once; one that comes back ends its whole family (RFC 9700, 4.14.2).

A family is what grew from one sign-in. A used token that comes back was either stolen or its thief was first: nobody
can tell, so both must sign in again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.gateway.domain.opaque_tokens import OpaqueToken, TokenKind, mint, parse
from services.gateway.domain.signatures import SigningKeys

IDLE_LIFETIME = timedelta(days=7)
FAMILY_LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it is stored; `family_started_at` is the sign-in that it descends from."""

    id: UUID
    family: UUID
    family_started_at: datetime
    user: UUID
    digest: str
    expires_at: datetime
    used_at: datetime | None = None
    family_revoked_at: datetime | None = None


class RefreshDecision(StrEnum):
    """What the caller must do, under the row's lock and committed before it answers."""

    ROTATE = "rotate"  # mark it used, store its successor in the family, answer with both new tokens
    REVOKE_FAMILY = "revoke_family"  # revoke every token of the family, audit it, answer 401
    REFUSE = "refuse"  # change nothing, answer 401


def new_refresh_token(randomness: bytes) -> OpaqueToken:
    """`cnr_<prefix>_<secret>` from 39 random bytes."""
    return mint(TokenKind.REFRESH, randomness)


def parse_refresh_token(text: str) -> OpaqueToken:
    """Read what the client presents. Raises Unauthenticated (`invalid_token`)."""
    return parse(TokenKind.REFRESH, text)


def refresh_expires_at(family_started_at: datetime, now: datetime) -> datetime:
    """The end of a token issued at `now`: 7 days unused, and 30 days after the sign-in at the latest."""
    return min(now + IDLE_LIFETIME, family_started_at + FAMILY_LIFETIME)


def judge(presented: OpaqueToken, stored: RefreshToken | None, keys: SigningKeys, now: datetime) -> RefreshDecision:
    """Decide about a presented token; `stored` is the row with its prefix, None when there is none.

    A wrong secret never revokes: else whoever saw a prefix could sign others out.
    """
    genuine = presented.matches(stored.digest if stored else None, keys)
    if stored is None or not genuine or stored.family_revoked_at is not None:
        return RefreshDecision.REFUSE
    if stored.used_at is not None:
        return RefreshDecision.REVOKE_FAMILY
    return RefreshDecision.ROTATE if now < stored.expires_at else RefreshDecision.REFUSE
