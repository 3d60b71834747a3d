"""A refresh token works once; the second time ends everything that grew from its sign-in."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.gateway.domain.opaque_tokens import RANDOM_BYTES
from services.gateway.domain.refresh_tokens import (
    RefreshDecision,
    RefreshToken,
    judge,
    new_refresh_token,
    parse_refresh_token,
    refresh_expires_at,
)
from services.gateway.domain.signatures import SigningKeys

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
KEYS = SigningKeys("1", {"1": b"p" * 32})
TOKEN = new_refresh_token(bytes(range(RANDOM_BYTES)))
WRONG = parse_refresh_token(TOKEN.text[:-1] + ("a" if TOKEN.text[-1] != "a" else "b"))


def stored(**changes) -> RefreshToken:
    values = {
        "id": UUID(int=1),
        "family": UUID(int=2),
        "family_started_at": NOW,
        "user": UUID(int=3),
        "digest": TOKEN.digest(KEYS),
        "expires_at": NOW + timedelta(days=7),
    }
    return RefreshToken(**{**values, **changes})


@pytest.mark.parametrize(
    ("row", "presented", "decision"),
    [
        (stored(), TOKEN, RefreshDecision.ROTATE),
        (stored(used_at=NOW), TOKEN, RefreshDecision.REVOKE_FAMILY),
        (stored(used_at=NOW, expires_at=NOW), TOKEN, RefreshDecision.REVOKE_FAMILY),
        (stored(used_at=NOW, family_revoked_at=NOW), TOKEN, RefreshDecision.REFUSE),
        (stored(family_revoked_at=NOW), TOKEN, RefreshDecision.REFUSE),
        (stored(expires_at=NOW), TOKEN, RefreshDecision.REFUSE),
        (stored(expires_at=NOW + timedelta(microseconds=1)), TOKEN, RefreshDecision.ROTATE),
        (None, TOKEN, RefreshDecision.REFUSE),
        (stored(), WRONG, RefreshDecision.REFUSE),
        (stored(used_at=NOW), WRONG, RefreshDecision.REFUSE),
    ],
)
def test_each_state_has_its_decision(row, presented, decision):
    assert judge(presented, row, KEYS, NOW) is decision


def test_a_family_ends_30_days_after_its_sign_in_however_often_it_is_refreshed():
    assert refresh_expires_at(NOW, NOW) == NOW + timedelta(days=7)
    assert refresh_expires_at(NOW, NOW + timedelta(days=29)) == NOW + timedelta(days=30)
