"""Decisions about accounts, without any I/O."""

import pytest

from services.provisioner.domain.providers import check_regions, health_of, invalid, refusal
from shared.clouds import errors as clouds
from shared.clouds.errors import CloudError, FieldProblem
from shared.kit.errors import Conflict, InvalidInput, TimedOut, Unavailable


def error(cls: type[CloudError]) -> CloudError:
    return cls("Code", "message", provider="aws", operation="Call")


@pytest.mark.parametrize(
    ("cls", "before", "after"),
    [
        (None, "critical", "healthy"),
        (clouds.AuthFailed, "healthy", "critical"),
        (clouds.Unreachable, "healthy", "degraded"),
        (clouds.Unreachable, "degraded", "critical"),
        (clouds.ProviderFault, "critical", "critical"),
        (clouds.RateLimited, "healthy", "healthy"),
        (clouds.RateLimited, "critical", "degraded"),
        (clouds.PermissionDenied, "healthy", "degraded"),
    ],
)
def test_health_follows_from_the_answer_and_what_was_before(
    cls: type[CloudError] | None, before: str, after: str
) -> None:
    found = health_of(None if cls is None else error(cls), before)
    assert found.status == after
    assert (found.reason is None) == (cls is None)


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
