"""May this ticket open a socket? A browser cannot set headers on a WebSocket, so it trades its token for a ticket."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.gateway.domain.opaque_tokens import OpaqueToken, TokenKind, mint, parse
from services.gateway.domain.signatures import SigningKeys
from shared.kit.errors import Unauthenticated
from shared.security.principals import Principal

LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is stored. `principal` carries the end of the token it was traded for: the socket ends with it."""

    prefix: str
    digest: str
    principal: Principal
    issued_at: datetime
    used_at: datetime | None = None


def new_ticket(randomness: bytes) -> OpaqueToken:
    """`cnt_<prefix>_<secret>` from 39 random bytes."""
    return mint(TokenKind.TICKET, randomness)


def parse_ticket(text: str) -> OpaqueToken:
    """Read `?ticket=`. Raises Unauthenticated (`invalid_token`)."""
    return parse(TokenKind.TICKET, text)


def redeem(presented: OpaqueToken, stored: Ticket | None, keys: SigningKeys, now: datetime) -> Principal:
    """Return who may open the socket; the caller marks the row used in the same transaction, under its lock.

    Raises Unauthenticated (`invalid_ticket`) for an unknown, forged, used or late ticket alike.
    """
    genuine = presented.matches(stored.digest if stored else None, keys)
    fresh = stored is not None and stored.used_at is None and now < stored.issued_at + LIFETIME
    if stored is None or not genuine or not fresh or stored.principal.expired(now):
        raise Unauthenticated("the ticket is not valid", code="invalid_ticket")
    return stored.principal
