"""What do the simulated clouds hold that carries a token of ours? By their own lists, whatever our tables say.

The token is that of the one create which made a thing, and stands on all that this create made beside it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

LISTS = ("instances", "volumes", "assets")
RECEIPT = "Microsoft.Compute/sshPublicKeys"
"""At Azure it outlives its machine, on purpose: `shared/clouds/azure/receipts.py`."""
GONE = frozenset({"terminated", "deleted", "archive", "shutting-down", "deleting"})
"""States, in small letters, of what some clouds list although it is gone or going. Google's TERMINATED is a stop."""
STOPPED_AT = {"gcp": frozenset({"terminated"})}
"""What of these words means at one cloud that a thing stands still."""


@dataclass(frozen=True, slots=True)
class Held:
    """One thing at a cloud; `kind` is the simulator's word for it."""

    cloud: str
    kind: str
    id: str
    token: str


def held_at(urls: Mapping[str, str]) -> list[Held]:
    """Everything with a token that the simulated clouds list, and that is not going away; `urls` by provider."""
    with httpx.Client(timeout=60, trust_env=False) as http:
        return [each for cloud, url in urls.items() for what in LISTS for each in _listed(http, cloud, url, what)]


def made_twice(held: Iterable[Held]) -> Iterator[tuple[Held, int]]:
    """A thing and what belongs to it have one token, but nothing is there twice: one of each that is, and how many."""
    made: dict[tuple[str, str, str], list[Held]] = {}
    for each in held:
        made.setdefault((each.cloud, each.kind, each.token), []).append(each)
    return ((things[0], len(things)) for things in made.values() if len(things) > 1)


def is_named(resource_id: str, held: Iterable[Held]) -> bool:
    """Whether one of them has this id; a simulator's may be a part of what the product calls it, or the other way."""
    return any(resource_id in each.id or each.id in resource_id for each in held)


def kinds_of(held: Iterable[Held]) -> Counter[str]:
    """What they are, and how many of each."""
    return Counter(each.kind for each in held)


def _listed(http: httpx.Client, cloud: str, url: str, what: str) -> Iterator[Held]:
    gone = GONE - STOPPED_AT.get(cloud, frozenset())
    rows: list[dict[str, Any]] = http.get(f"{url}/_sim/{what}").raise_for_status().json()[what]
    for row in rows:
        token = row.get("client_token") or row.get("token") or (row.get("tags") or {}).get("canopy:token")
        kind = str(row.get("kind", what))
        if token and kind != RECEIPT and str(row.get("state")).lower() not in gone:
            yield Held(cloud, kind, str(row["id"]), token)
