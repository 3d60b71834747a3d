"""What came of resources that were ordered together, item by item and as a whole?"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

ALL_OR_NOTHING, BEST_EFFORT = "all_or_nothing", "best_effort"
PLACED, FAILED, REMOVED, NOT_REMOVED = "placed", "failed", "removed", "not_removed"
STATUSES = (PLACED, FAILED, REMOVED, NOT_REMOVED)

DETAIL_CHARACTERS_MAX = 300
"""Of one item's error: 200 of them travel in one message of at most 1 MB."""


@dataclass(frozen=True, slots=True)
class Part:
    """One item at its end: the error of its provisioning and of its removal, null where there was none.

    `is_removed`: it was taken back, and nothing of it is left at the cloud.
    """

    resource: UUID
    resource_name: str
    resource_id: str | None
    operation: UUID
    error: Mapping[str, Any] | None = None
    removal_error: Mapping[str, Any] | None = None
    is_removed: bool = False

    @property
    def status(self) -> str:
        if self.removal_error is not None:
            return NOT_REMOVED
        if self.error is not None and self.error.get("code") != "cancelled":
            return FAILED
        if self.is_removed:
            return REMOVED
        return PLACED if self.error is None else FAILED


def result_of(policy: str, parts: Sequence[Part]) -> dict[str, Any]:
    """The result of the whole: how many of each status, and every item in the order it was asked for."""
    counts = Counter(part.status for part in parts)
    return {
        "policy": policy,
        **{status: counts[status] for status in STATUSES},
        "items": [_item(index, part) for index, part in enumerate(parts)],
    }


def failure_of(result: Mapping[str, Any]) -> tuple[str, str] | None:
    """The code and the words with which the whole failed; None when it did what its policy promises.

    `best_effort` fails only when nothing could be had. `all_or_nothing` says whether really nothing is left.
    """
    total = len(result["items"])
    if result["policy"] == BEST_EFFORT:
        if result[PLACED]:
            return None
        return "nothing_placed", f"none of {total} could be had: {_first_cause(result)}"
    if not result[FAILED] and not result[NOT_REMOVED]:
        return None
    if result[NOT_REMOVED]:
        left = f"{result[NOT_REMOVED]} of {total} could not be removed again"
        return "rollback_incomplete", f"{left}; given up because of: {_first_cause(result)}"
    return "rolled_back", f"all of {total} are removed again: {_first_cause(result)}"


def _first_cause(result: Mapping[str, Any]) -> str:
    causes = (item for item in result["items"] if item["error"] and item["error"]["code"] != "cancelled")
    return next((f"item {item['index']}: {item['error']['detail']}" for item in causes), "its items were cancelled")


def _item(index: int, part: Part) -> dict[str, Any]:
    error = part.removal_error or part.error
    return {
        "index": index,
        "resource": str(part.resource),
        "resource_name": part.resource_name,
        "resource_id": part.resource_id,
        "operation": str(part.operation),
        "status": part.status,
        "error": None if error is None else brief(error),
    }


def brief(error: Mapping[str, Any]) -> dict[str, str]:
    """The code and the words of a problem, as much of them as a list of items can hold."""
    detail = str(error.get("detail") or error.get("title") or "")
    return {"code": str(error.get("code")), "detail": detail[:DETAIL_CHARACTERS_MAX]}
