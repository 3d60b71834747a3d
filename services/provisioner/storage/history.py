"""Every statement that reads the history of resources; reads of accounts write it (sightings.py)."""

from sqlalchemy import select

from services.provisioner.storage.tables import resource_history
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.messages.history import HistoryEntry, ListHistory

_table = resource_history.c
ORDER = Keyset(_table.id, {"observed_at": _table.observed_at}, "-observed_at")


async def page(work: Work, request: ListHistory) -> tuple[list[HistoryEntry], str | None]:
    """One page of one resource's history."""
    statement = select(*(_table[name] for name in HistoryEntry.model_fields)).where(
        _table.organization_id == work.organization, _table.resource_id == request.resource
    )
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return [HistoryEntry.model_validate(row) for row in found], cursor
