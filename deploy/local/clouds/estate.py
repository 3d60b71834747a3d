"""Which machines would an organization have at six clouds? The same seed plans the same estate, anywhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from deploy.local.load.dice import chance

MACHINES_MAX = 20_000
"""Of one account: the most that the simulated quotas allow."""
SHARES: Mapping[str, int] = {"aws": 40, "azure": 20, "gcp": 20, "digitalocean": 8, "linode": 6, "vultr": 6}
"""Percent of an estate over six clouds."""

_FIRST_S = dt.datetime(2025, 11, 1, tzinfo=dt.UTC).timestamp()
_BUILT_FOR_S = 300 * 86_400
_ROLES = ("web", "api", "worker", "database", "cache", "search", "batch", "mail")
_ENVIRONMENTS = ("production", "production", "production", "staging", "development")
_PROJECTS = ("photos", "booking", "guests", "seating", "invoices")
_TEAMS = ("Hochzeit-Süd", "Fête", "結婚式", "Свадьба", "wedding west", "עיצוב", "planning")
_SIZES = (0, 0, 0, 1, 1, 1, 1, 2, 2, 3)
_VOLUMES_GIB = (50, 100, 200, 500)

T = TypeVar("T")


@dataclass(frozen=True)
class Planned:
    """A machine of an estate. `size` is 0 (small) to 3 (large), `lot` in [0, 1) is its own dice for places.

    `tags` are pairs of any text; `volumes_gib` are the sizes of the volumes attached beside the root volume.
    """

    number: int
    name: str
    size: int
    lot: float
    tags: Mapping[str, str]
    is_stopped: bool
    volumes_gib: tuple[int, ...]
    created_s: float

    def pick(self, choices: Sequence[T]) -> T:
        """One of them: a machine picks the same each time, and all machines pick each about as often."""
        return choices[int(self.lot * len(choices))]


@dataclass(frozen=True)
class SeedOrder:
    """What `POST /_sim/seed` asks for: an estate of `machines` over six clouds, or all of them at `provider`.

    `account` is the account id; empty means the provider's first.
    """

    seed: int
    machines: int
    provider: str = ""
    account: str = ""

    def count_at(self, provider: str) -> int:
        """How many of the machines are at this provider; the shares of the six come to the whole."""
        if self.provider:
            return self.machines if provider == self.provider else 0
        names = list(SHARES)
        before = sum(SHARES[name] for name in names[: names.index(provider)])
        return self.machines * (before + SHARES[provider]) // 100 - self.machines * before // 100


def read_order(document: Mapping[str, Any]) -> SeedOrder:
    """Raises ValueError or TypeError, naming what is wrong."""
    if set(document) - {"seed", "machines", "provider", "account"}:
        raise ValueError("a seed has seed, machines, provider and account")
    seed, machines = document.get("seed", 1), document.get("machines")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError("seed must be a whole number")
    if isinstance(machines, bool) or not isinstance(machines, int) or not 1 <= machines <= MACHINES_MAX:
        raise ValueError(f"machines must be a whole number from 1 to {MACHINES_MAX}")
    provider, account = document.get("provider", ""), document.get("account", "")
    if provider not in {"", *SHARES} or not isinstance(account, str):
        raise ValueError(f"provider is one of {', '.join(SHARES)}; account is text")
    return SeedOrder(seed, machines, provider, account)


def planned(seed: int, provider: str, count: int) -> Iterator[Planned]:
    """The machines of an estate at one provider, the same for the same arguments; the first of more are the same."""
    for number in range(1, count + 1):
        yield _planned(f"{seed}|{provider}|{number}", number)


def _planned(key: str, number: int) -> Planned:
    def one_of(what: str, choices: Sequence[T]) -> T:
        return choices[int(chance(key, what) * len(choices))]

    role, project = one_of("role", _ROLES), one_of("project", _PROJECTS)
    name = f"{role}-{number:05d}"
    tags = {"Name": name, "Environment": one_of("environment", _ENVIRONMENTS), "Project": project, "Role": role}
    if chance(key, "has a team") < 0.8:
        tags["Team"] = one_of("team", _TEAMS)
    if chance(key, "has a centre") < 0.3:
        tags["Kostenträger"] = f"{int(chance(key, 'centre') * 9000) + 1000}"
    volumes = int(chance(key, "volumes") * 5) - 2  # three of five have none
    return Planned(
        number=number,
        name=name,
        size=one_of("size", _SIZES),
        lot=chance(key, "place"),
        tags=tags,
        is_stopped=chance(key, "stopped") < 0.08,
        volumes_gib=tuple(one_of(f"volume {each}", _VOLUMES_GIB) for each in range(max(0, volumes))),
        created_s=float(int(_FIRST_S + chance(key, "created") * _BUILT_FOR_S)),
    )
