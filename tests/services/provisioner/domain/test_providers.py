"""Decisions about accounts, without any I/O."""

import pytest

from services.provisioner.domain.providers import (
    Health,
    check_regions,
    health_of,
    invalid,
    is_silent,
    not_asked,
    refusal,
)
from shared.clouds import errors as clouds
from shared.clouds.errors import CloudError, FieldProblem
from shared.kit.errors import Conflict, InvalidInput, TimedOut, Unavailable


def error(cls: type[CloudError]) -> CloudError:
    return cls("Code", "message", provider="aws", operation="Call")


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        pytest.param("-", "healthy", id="one lost answer is no outage"),
        pytest.param("-.-.-.-.", "healthy", id="single lost answers never add up"),
        pytest.param("--", "degraded", id="two in a row"),
        pytest.param("----", "degraded", id="four in a row"),
        pytest.param("-----", "critical", id="five in a row"),
        pytest.param("--.", "degraded", id="one answer is no recovery"),
        pytest.param("--.-.-.-.-.", "degraded", id="who comes and goes is away"),
        pytest.param("--..", "healthy", id="two answers are one"),
        pytest.param("-----.", "critical", id="nor after an outage"),
        pytest.param("-----..", "healthy", id="after an outage"),
        pytest.param("x", "critical", id="refused credentials at once"),
        pytest.param("x--", "critical", id="and silence makes them no better"),
        pytest.param("x..", "healthy", id="accepted again"),
        pytest.param("d", "degraded", id="denied at once"),
        pytest.param("tttttt", "healthy", id="throttling says nothing"),
        pytest.param("xt", "critical", id="throttling takes nothing back"),
    ],
)
def test_health_follows_from_the_answers_in_a_row(answers: str, seen: str) -> None:
    words: dict[str, type[CloudError] | None] = {
        ".": None, "-": clouds.Unreachable, "x": clouds.AuthFailed, "d": clouds.PermissionDenied,
        "t": clouds.RateLimited,
    }  # fmt: skip
    health = Health("healthy")
    for each in answers:
        cls = words[each]
        health = health_of(None if cls is None else error(cls), health)
    assert health.status == seen
    assert health.status == "healthy" or health.reason


def test_of_an_account_that_nobody_asked_nothing_is_known_until_it_answers_or_is_silent_for_long() -> None:
    unknown = not_asked("it is not active")
    assert health_of(None, unknown) == Health("healthy")
    once = health_of(error(clouds.Unreachable), unknown)
    assert (once.status, is_silent(once)) == ("unknown", True)
    assert health_of(error(clouds.Unreachable), once).status == "degraded"
    assert not is_silent(unknown)


@pytest.mark.parametrize(
    ("cls", "problem", "code"),
    [
        (clouds.AuthFailed, InvalidInput, "invalid_credentials"),
        (clouds.PermissionDenied, InvalidInput, "insufficient_permissions"),
        (clouds.RateLimited, Unavailable, "provider_throttled"),
        (clouds.Unreachable, TimedOut, "provider_unreachable"),
        (clouds.ProviderFault, Unavailable, "provider_unavailable"),
        (clouds.InvalidRequest, InvalidInput, "invalid_input"),
        (clouds.QuotaExceeded, Conflict, "provider_refused"),
    ],
)
def test_every_refusal_of_a_cloud_has_an_answer(cls: type[CloudError], problem: type[Exception], code: str) -> None:
    told = refusal(error(cls), "/x")
    assert isinstance(told, problem)
    assert told.code == code


def test_a_clouds_fields_become_pointers() -> None:
    complaint = clouds.InvalidRequest(
        "c", "m", provider="aws", operation="o", problems=(FieldProblem("security_groups.0", "is wrong"),)
    )
    assert [field.pointer for field in invalid(complaint, "/configuration").errors] == [
        "/configuration/security_groups/0"
    ]


def test_unknown_regions_are_named_by_position() -> None:
    check_regions(["a"], ["a", "b"])
    with pytest.raises(InvalidInput) as refused:
        check_regions(["a", "x"], ["a", "b"])
    assert [field.pointer for field in refused.value.errors] == ["/regions/1"]
