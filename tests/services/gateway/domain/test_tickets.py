"""A ticket opens one socket within a minute, as its principal."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.gateway.domain.opaque_tokens import RANDOM_BYTES
from services.gateway.domain.signatures import SigningKeys
from services.gateway.domain.tickets import Ticket, new_ticket, parse_ticket, redeem
from shared.kit.errors import Unauthenticated
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import Role

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
KEYS = SigningKeys("1", {"1": b"p" * 32})
TOKEN = new_ticket(bytes(range(RANDOM_BYTES)))
PRINCIPAL = Principal(
    id=UUID(int=1),
    organization=UUID(int=2),
    organization_slug="acme",
    kind=PrincipalKind.USER,
    role=Role.VIEWER,
    display_name="Vera",
    token_expires_at=NOW + timedelta(seconds=30),
)
TICKET = Ticket(TOKEN.prefix, TOKEN.digest(KEYS), PRINCIPAL, issued_at=NOW)


def test_a_fresh_ticket_gives_its_principal_with_the_end_of_its_token():
    assert redeem(parse_ticket(TOKEN.text), TICKET, KEYS, NOW) == PRINCIPAL


@pytest.mark.parametrize(
    ("ticket", "seconds_later"),
    [
        (None, 0),
        (replace(TICKET, used_at=NOW), 0),
        (replace(TICKET, digest=KEYS.sign(b"another")), 0),
        (TICKET, 30),
        (replace(TICKET, principal=PRINCIPAL.model_copy(update={"token_expires_at": None})), 60),
    ],
    ids=["unknown", "used", "forged", "token over", "too late"],
)
def test_any_other_ticket_is_refused_alike(ticket, seconds_later):
    with pytest.raises(Unauthenticated) as refusal:
        redeem(TOKEN, ticket, KEYS, NOW + timedelta(seconds=seconds_later))
    assert refusal.value.code == "invalid_ticket"


def test_a_ticket_counts_until_just_before_its_minute_is_over():
    lasting = replace(TICKET, principal=PRINCIPAL.model_copy(update={"token_expires_at": None}))
    assert redeem(TOKEN, lasting, KEYS, NOW + timedelta(seconds=59.9)) == lasting.principal
