"""A ticket opens one socket within a minute, as its principal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.gateway.domain.opaque_tokens import RANDOM_BYTES
from services.gateway.domain.signatures import SigningKeys
from services.gateway.domain.tickets import Ticket, new_ticket, parse_ticket, redeem
from shared.kit.errors import Unauthenticated
from shared.security.principals import PrincipalKind

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
KEYS = SigningKeys("1", {"1": b"p" * 32})
TOKEN = new_ticket(bytes(range(RANDOM_BYTES)))
TICKET = Ticket(
    prefix=TOKEN.prefix,
    digest=TOKEN.digest(KEYS),
    kind=PrincipalKind.USER,
    principal=UUID(int=1),
    token=UUID(int=2),
    token_expires_at=NOW + timedelta(seconds=30),
    issued_at=NOW,
)
LASTING = replace(TICKET, token_expires_at=None)


def test_a_fresh_ticket_counts():
    assert redeem(parse_ticket(TOKEN.text), TICKET, KEYS, NOW) == TICKET


@pytest.mark.parametrize(
    ("ticket", "seconds_later"),
    [
        (None, 0),
        (replace(TICKET, used_at=NOW), 0),
        (replace(TICKET, digest=KEYS.sign(b"another")), 0),
        (TICKET, 30),
        (LASTING, 60),
    ],
    ids=["unknown", "used", "forged", "token over", "too late"],
)
def test_any_other_ticket_is_refused_alike(ticket, seconds_later):
    with pytest.raises(Unauthenticated) as refusal:
        redeem(TOKEN, ticket, KEYS, NOW + timedelta(seconds=seconds_later))
    assert refusal.value.code == "invalid_ticket"


def test_a_ticket_counts_until_just_before_its_minute_is_over():
    assert redeem(TOKEN, LASTING, KEYS, NOW + timedelta(seconds=59.9)) == LASTING
