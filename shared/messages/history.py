"""History: what reads of the accounts found changed, thing by thing. Owned by the provisioner."""

from datetime import datetime
from uuid import UUID

from shared.messages.base import Facts, ListRequest, Page
from shared.messages.resources import Change


class HistoryEntry(Facts):
    """One change between two reads of a scope. `event` is the event that told it, `version` the resource's since then.

    It became true between the read before `generation` and `observed_at`.
    """

    id: UUID
    resource_id: UUID
    version: int
    event: str
    generation: int
    observed_at: datetime
    changes: dict[str, Change]


class ListHistory(ListRequest, entity="resource", name="history", owner="provisioner", reply=Page[HistoryEntry]):
    """The newest first."""

    resource: UUID
