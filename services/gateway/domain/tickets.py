"""May this ticket open a socket? A browser cannot set headers on a WebSocket, so it trades its token for a ticket."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.gateway.domain.opaque_tokens import OpaqueToken, TokenKind, mint, parse
from services.gateway.domain.signatures import SigningKeys
from shared.kit.errors import Unauthenticated
from shared.security.principals import PrincipalKind

LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it is stored: for whom, never what they may do. That is looked up when it is redeemed.

    `token` is the access token of a user (None of a key), `token_expires_at` its end: the socket ends with it.
    """

    prefix: str
    digest: str
    kind: PrincipalKind
    principal: UUID
    token: UUID | None
    token_expires_at: datetime | None
    issued_at: datetime
    used_at: datetime | None = None


def new_ticket(randomness: bytes) -> OpaqueToken:
    """`cnt_<prefix>_<secret>` from 39 random bytes."""
    return mint(TokenKind.TICKET, randomness)


def parse_ticket(text: str) -> OpaqueToken:
    """Read `?ticket=`. Raises Unauthenticated (`invalid_token`)."""
    return parse(TokenKind.TICKET, text)


def redeem(presented: OpaqueToken, stored: Ticket | None, keys: SigningKeys, now: datetime) -> Ticket:
    """Return the ticket that counts; the caller marks the row used in the same transaction, under its lock.

    Raises Unauthenticated (`invalid_ticket`) for an unknown, forged, used or late ticket alike.
    """
    genuine = presented.matches(stored.digest if stored else None, keys)
    if stored is None or not genuine or stored.used_at is not None or now >= _end(stored):
        raise refused()
    return stored


def refused() -> Unauthenticated:
    """What every ticket that opens nothing is told, also one whose holder has lost the right to it meanwhile."""
    return Unauthenticated("the ticket is not valid", code="invalid_ticket")


def _end(ticket: Ticket) -> datetime:
    end = ticket.issued_at + LIFETIME
    return end if ticket.token_expires_at is None else min(end, ticket.token_expires_at)
