"""Quotas: how much an account may have, and how much of it has it? Asked of the provider, owned by the provisioner."""

from datetime import datetime
from uuid import UUID

from shared.messages.base import Facts, Request
from shared.messages.texts import Line

GLOBAL = "global"
"""What belongs to no region."""


class ProviderQuota(Facts):
    """A limit in the provider's own words; a count where `unit` is null.

    `limit` null: there is none. `used` and `used_ratio` (of the limit) null: the provider does not tell, which is no 0.
    """

    quota_code: str
    quota_name: str
    service: str
    region: str
    limit: float | None
    used: float | None
    used_ratio: float | None
    unit: str | None


class ProviderQuotas(Facts):
    """All that hold in one region, or with `global` those that belong to none; by service and name.

    `used` is as of the last hours before `asked_at`: providers count now and then.
    """

    provider_id: UUID
    region: str
    asked_at: datetime
    items: list[ProviderQuota]


class ListQuotas(Request, entity="provider", name="list_quotas", owner="provisioner", reply=ProviderQuotas):
    """Asks the cloud while the caller waits. `NotFound`; `InvalidInput` for a region that the account does not have."""

    provider_id: UUID
    region: Line = GLOBAL
