"""How much may an account have, and how much of it has it?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from shared.clouds.capabilities import Cloud, without


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit that the provider holds an account to, in the provider's own words; a count when `unit` is None.

    `used` is None when the provider does not tell it, `limit` when there is none.
    """

    code: str
    name: str
    service: str
    region: str
    limit: float | None
    used: float | None = None
    unit: str | None = None


class Quotas(Protocol):
    async def read(self, region: str, now: datetime) -> list[Quota]:
        """All that hold in the region, or with `GLOBAL_REGION` for what belongs to none; by service and name.

        `used` is as of the last hours before `now`: providers count now and then.
        """
        ...


@runtime_checkable
class WithQuotas(Protocol):
    @property
    def quotas(self) -> Quotas: ...


def quotas_of(cloud: Cloud) -> Quotas:
    """`Unsupported` when the provider tells none."""
    if isinstance(cloud, WithQuotas):
        return cloud.quotas
    raise without(cloud, "quotas")
