"""What is said of resources that were ordered together."""

from typing import Any
from uuid import UUID

import pytest

from services.provisioner.domain.fleets import ALL_OR_NOTHING, BEST_EFFORT, Part, failure_of, result_of

REFUSED = {"code": "InvalidInstanceType", "title": "InvalidRequest", "detail": "there is no such type " + "x" * 400}
CANCELLED = {"code": "cancelled", "detail": "given up"}


def part(**fields: Any) -> Part:
    return Part(
        **{"resource": UUID(int=1), "resource_name": "a", "resource_id": "i-1", "operation": UUID(int=2), **fields}
    )


PLACED = part()
FAILED = part(resource_id=None, error=REFUSED)
FAILED_AND_REMOVED = part(resource_id=None, error=REFUSED, is_removed=True)
CANCELLED_AND_REMOVED = part(resource_id=None, error=CANCELLED, is_removed=True)
REMOVED = part(is_removed=True)
LEFT = part(removal_error={"code": "AuthFailure", "detail": "not allowed"})


@pytest.mark.parametrize(
    ("policy", "parts", "statuses", "code"),
    [
        (ALL_OR_NOTHING, [PLACED, PLACED], ["placed", "placed"], None),
        (BEST_EFFORT, [PLACED, FAILED], ["placed", "failed"], None),
        (BEST_EFFORT, [FAILED, FAILED], ["failed", "failed"], "nothing_placed"),
        (ALL_OR_NOTHING, [REMOVED, FAILED_AND_REMOVED, CANCELLED_AND_REMOVED], ["removed", "failed", "removed"],
         "rolled_back"),
        (ALL_OR_NOTHING, [LEFT, FAILED_AND_REMOVED], ["not_removed", "failed"], "rollback_incomplete"),
        (ALL_OR_NOTHING, [PLACED, REMOVED], ["placed", "removed"], None),
    ],
    ids=["all there", "one not to be had", "none to be had", "taken back", "not to be removed", "removed by somebody"],
)  # fmt: skip
def test_an_outcome(policy: str, parts: list[Part], statuses: list[str], code: str | None) -> None:
    result = result_of(policy, parts)
    assert [item["status"] for item in result["items"]] == statuses
    assert sum(result[status] for status in ("placed", "failed", "removed", "not_removed")) == len(parts)
    failure = failure_of(result)
    assert (failure and failure[0]) == code


def test_a_cause_is_the_first_failure_and_no_cancellation_and_is_short() -> None:
    result = result_of(ALL_OR_NOTHING, [CANCELLED_AND_REMOVED, FAILED_AND_REMOVED])
    failure = failure_of(result)
    assert failure is not None
    assert failure[1].startswith("all of 2 are removed again: item 1: there is no such type")
    assert len(result["items"][1]["error"]["detail"]) == 300
