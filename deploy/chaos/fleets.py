"""Does a fleet end as its policy says? Its order, and what its operation has to tell at the end."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BULK = "/api/cloud/resources/bulk-provision"
ALL_OR_NOTHING, BEST_EFFORT = "all_or_nothing", "best_effort"
PLANTED_SHARE = 0.6
"""Of the fleets, which have one item among them that cannot be had."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """One that was ordered: `items` of them, one of which cannot be had when it is `planted`."""

    operation: str
    policy: str
    items: int
    planted: bool

    @property
    def must_fail(self) -> bool:
        return self.planted and self.policy == ALL_OR_NOTHING

    @property
    def kind(self) -> str:
        """What it is an example of."""
        return f"{self.policy}, {'one cannot be had' if self.planted else 'all can be had'}"

    def wrong(self, ended: Mapping[str, Any]) -> list[str]:
        """What of its operation is otherwise than it has to be. What is left at the clouds is compared by tokens."""
        status = "failed" if self.must_fail else "succeeded"
        if ended["status"] != status:
            return [f"fleet {self.operation} ({self.policy}) {ended['status']}: {ended['error']}"]
        result, code = ended["result"], (ended["error"] or {}).get("code")
        counts = {each: result[each] for each in ("placed", "failed", "removed", "not_removed")}
        lines = [] if counts == self.counts else [f"fleet {self.operation} ({self.policy}) has {counts}"]
        if self.must_fail and code != "rolled_back":
            lines.append(f"fleet {self.operation} failed as {code}")
        return lines

    @property
    def counts(self) -> dict[str, int]:
        if self.must_fail:
            return {"placed": 0, "failed": 1, "removed": self.items - 1, "not_removed": 0}
        return {"placed": self.items - self.planted, "failed": int(self.planted), "removed": 0, "not_removed": 0}


def draw_policy(source: random.Random) -> tuple[str, bool]:
    """The policy, and whether one item is planted that cannot be had."""
    return source.choice((ALL_OR_NOTHING, BEST_EFFORT)), source.random() < PLANTED_SHARE
