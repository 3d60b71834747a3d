"""Which scopes are fresh, which are due, and which account is read first?"""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.provisioner.domain.scopes import (
    FRESH,
    UNKNOWN,
    Account,
    Reading,
    Scope,
    age_s,
    due_accounts,
    due_at,
    is_due,
    scopes_of,
    state_of,
)
from shared.kit.ids import new_id

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVERY = timedelta(minutes=15)
SCOPE = Scope("us-east-1", "compute", "ec2_instance")

moments = st.none() | st.integers(0, 10_000).map(lambda seconds: NOW - timedelta(seconds=seconds))
readings = st.builds(Reading, st.just(SCOPE), moments, moments, st.integers(0, 5))
accounts = st.builds(
    Account, st.just(new_id()), st.builds(new_id), st.sampled_from([frozenset({"us-east-1"}), frozenset({"x", "us-east-1"})]),
    st.lists(readings, max_size=3).map(tuple),
)  # fmt: skip


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_an_account_has_every_kind_in_every_region() -> None:
    kinds = {("compute", "ec2_instance"): False, ("storage", "volume"): False, ("dns", "zone"): True}
    assert [(scope.region, scope.resource_subtype) for scope in scopes_of(["b", "a", "b"], kinds)] == [
        ("a", "ec2_instance"), ("a", "volume"), ("b", "ec2_instance"), ("b", "volume"),
        ("global", "zone"),
    ]  # fmt: skip


def test_only_a_complete_read_makes_a_scope_fresh_and_only_for_a_while() -> None:
    assert state_of(Reading(SCOPE), NOW, EVERY) == UNKNOWN
    assert state_of(Reading(SCOPE, ago(60), ago(50)), NOW, EVERY) == FRESH
    assert state_of(Reading(SCOPE, ago(60), ago(50), failures=1), NOW, EVERY) == UNKNOWN
    assert state_of(Reading(SCOPE, ago(3 * 900), ago(3 * 900)), NOW, EVERY) == FRESH
    assert state_of(Reading(SCOPE, ago(3 * 900 + 1), ago(3 * 900)), NOW, EVERY) == UNKNOWN
    assert age_s(Reading(SCOPE, ago(60)), NOW) == 60
    assert age_s(Reading(SCOPE), NOW) is None


def test_a_failed_read_is_repeated_soon_and_then_later_and_later() -> None:
    waits = [due_at(Reading(SCOPE, None, NOW, failures), EVERY) for failures in (1, 2, 3, 4, 5, 60)]
    assert [int((moment - NOW).total_seconds()) for moment in waits if moment] == [60, 120, 240, 480, 900, 900]


def test_what_was_never_read_is_due_at_once() -> None:
    assert is_due(Reading(SCOPE), NOW, EVERY)
    assert not is_due(Reading(SCOPE, ago(60), ago(50)), NOW, EVERY)
    assert is_due(Reading(SCOPE, ago(900), ago(890)), NOW, EVERY)


@given(st.lists(accounts, max_size=6), st.integers(0, 6))
def test_due_accounts_begin_with_what_is_stale_longest(found: list[Account], limit: int) -> None:
    due = due_accounts(found, NOW, EVERY, limit)
    everything = due_accounts(found, NOW, EVERY, len(found))
    assert due == everything[:limit]
    for account in found:
        has_all = account.expected <= {reading.scope.region for reading in account.readings}
        nothing_due = has_all and not any(is_due(reading, NOW, EVERY) for reading in account.readings)
        assert (account in everything) is not nothing_due
    stale = [min(reading.complete_at or datetime.min.replace(tzinfo=UTC) for reading in account.readings)
             for account in everything
             if account.expected <= {reading.scope.region for reading in account.readings}]  # fmt: skip
    assert stale == sorted(stale)
