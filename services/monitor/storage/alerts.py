"""Alerts: at most one open per organization and fingerprint, which the unique index decides, not the reader."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Select,
    Text,
    and_,
    any_,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.monitor.domain.alerts import OPEN_STATUSES, Standing, State, link_of
from services.monitor.storage.tables import OPEN, alert, alert_state
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import NotFound
from shared.kit.ids import SYSTEM_ACTOR
from shared.messages.alerts import Alert, AlertEvent, ListAlerts
from shared.messages.context import Context

ORDER = Keyset(alert.c.id, {"triggered_at": alert.c.triggered_at, "updated_at": alert.c.updated_at}, "-triggered_at")

COST = "cost_threshold"

ROWS_PER_STATEMENT = 1000
"""PostgreSQL takes 65,535 parameters a statement; a row has some 25. An outage opens thousands at once."""

StateKey = tuple[UUID, UUID]
"""(rule, resource)"""

_SAVE_STATES = text(
    "INSERT INTO alert_state (rule_id, resource_id, organization_id, state, since) SELECT * FROM unnest("
    "CAST(:rules AS uuid[]), CAST(:resources AS uuid[]), CAST(:organizations AS uuid[]), CAST(:states AS text[]), "
    "CAST(:since AS timestamptz[])) "
    "ON CONFLICT (rule_id, resource_id) DO UPDATE SET state = excluded.state, since = excluded.since"
)
_DROP_STATES = text(
    "DELETE FROM alert_state USING unnest(CAST(:rules AS uuid[]), CAST(:resources AS uuid[])) AS gone (rule, resource) "
    "WHERE rule_id = gone.rule AND resource_id = gone.resource"
)


def alert_of(row: Mapping[str, Any]) -> Alert:
    """A row as anybody may see it."""
    return Alert.model_validate({**row, "link": link_of(row["id"])})


def emit(work: Work, event: type[AlertEvent], row: dict[str, Any]) -> Alert:
    """Emit what happened to an alert, inside its organization."""
    alert = alert_of(row)
    context = work.context
    if context.organization is None:
        context = Context.automatic(alert.organization_id)
    work.emit(event(**context.about(alert.id, alert.version, work.now), alert=alert))
    return alert


async def states_of(work: Work, resource_ids: Sequence[UUID]) -> dict[StateKey, State]:
    """The rules that are not quiet for these resources. Their telemetry rows are locked: nobody else changes them."""
    statement = text("SELECT rule_id, resource_id, state, since FROM alert_state WHERE resource_id = ANY(:resources)")
    found = rows(await work.execute(statement, {"resources": list(resource_ids)}))
    return {(row["rule_id"], row["resource_id"]): State(Standing(row["state"]), row["since"]) for row in found}


async def save_states(work: Work, changed: dict[StateKey, tuple[UUID, State | None]]) -> None:
    """Write (organization, state) by key; None makes it quiet again."""
    kept = [(key, value[0], value[1]) for key, value in changed.items() if value[1] is not None]
    gone = [key for key, value in changed.items() if value[1] is None]
    if kept:
        await work.execute(
            _SAVE_STATES,
            {
                "rules": [key[0] for key, _, _ in kept],
                "resources": [key[1] for key, _, _ in kept],
                "organizations": [organization for _, organization, _ in kept],
                "states": [state.standing.value for _, _, state in kept if state],
                "since": [state.since for _, _, state in kept if state],
            },
        )
    if gone:
        await work.execute(_DROP_STATES, {"rules": [key[0] for key in gone], "resources": [key[1] for key in gone]})


async def open_all(work: Work, values: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Open alerts; the rows of those that were not open yet."""
    opened: list[dict[str, Any]] = []
    for first in range(0, len(values), ROWS_PER_STATEMENT):
        statement = insert(alert).values(list(values[first : first + ROWS_PER_STATEMENT])).on_conflict_do_nothing(
            index_elements=[alert.c.organization_id, alert.c.fingerprint], index_where=OPEN
        )  # fmt: skip
        opened += rows(await work.execute(statement.returning(alert)))
    return opened


async def was_ever_open(work: Work, fingerprint: str) -> bool:
    """Whether the work's organization has or had an alert of this fingerprint."""
    found = exists().where(alert.c.organization_id == work.organization, alert.c.fingerprint == fingerprint)
    return bool((await work.execute(select(found))).scalar())


async def resolve_open(
    work: Work, fingerprints: Sequence[str], resolved_by: str, notes: str | None = None
) -> list[dict[str, Any]]:
    """Resolve the open alerts of these fingerprints, which name their organization; the rows that changed."""
    return await _resolve(
        work, alert.c.fingerprint == any_(literal(list(fingerprints), ARRAY(Text))), resolved_by, notes
    )


async def resolve_where(work: Work, resolved_by: str, notes: str, **equal: Any) -> list[dict[str, Any]]:
    """Resolve the open alerts of the work's organization whose columns equal these."""
    condition = alert.c.organization_id == work.organization
    for name, value in equal.items():
        condition = condition & (alert.c[name] == value)
    return await _resolve(work, condition, resolved_by, notes)


async def resolve_superseded(work: Work, budget_id: UUID, revision: int, period_start: str) -> list[dict[str, Any]]:
    """Resolve the open alerts of a budget's older revisions and earlier periods; the rows that changed."""
    values = alert.c.current_values
    older = or_(values["revision"].as_integer() < revision, values["period_start"].astext != period_start)
    return await _resolve(work, and_(_of_budget(work, budget_id), older), SYSTEM_ACTOR, "the budget begins anew")


async def resolve_ended_periods(work: Work) -> list[dict[str, Any]]:
    """Resolve the open alerts of budgets whose period is over; in background work."""
    end = func.nullif(alert.c.current_values["period_end"].astext, "").cast(DateTime(timezone=True))
    over = and_(alert.c.alert_type == COST, end <= work.now)
    return await _resolve(work, over, SYSTEM_ACTOR, "the budget's period is over")


async def open_of_budget(work: Work, budget_id: UUID) -> Sequence[dict[str, Any]]:
    """The open alerts of a budget."""
    statement = select(alert).where(_of_budget(work, budget_id), alert.c.status.in_(OPEN_STATUSES))
    return rows(await work.execute(statement))


def _of_budget(work: Work, budget_id: UUID) -> ColumnElement[bool]:
    return and_(
        alert.c.organization_id == work.organization,
        alert.c.alert_type == COST,
        alert.c.current_values["budget_id"].astext == str(budget_id),
    )


async def _resolve(work: Work, condition: Any, resolved_by: str, notes: str | None) -> list[dict[str, Any]]:
    statement = (
        update(alert)
        .where(condition, alert.c.status.in_(OPEN_STATUSES))
        .values(
            status="resolved", resolved_at=work.now, resolved_by=resolved_by, resolution_notes=notes,
            updated_at=work.now, version=alert.c.version + 1,
        )
        .returning(alert)
    )  # fmt: skip
    return list(rows(await work.execute(statement)))


async def drop_states(work: Work, **equal: Any) -> None:
    """Make rules quiet whose state's columns equal these, without a word."""
    condition = alert_state.c.organization_id == work.organization
    for name, value in equal.items():
        condition = condition & (alert_state.c[name] == value)
    await work.execute(delete(alert_state).where(condition))


async def get(work: Work, alert_id: UUID) -> dict[str, Any]:
    """All columns of an alert. Raises NotFound."""
    return await _one(work, _by_id(work, alert_id))


async def lock(work: Work, alert_id: UUID) -> dict[str, Any]:
    """The same, for change."""
    return await _one(work, _by_id(work, alert_id).with_for_update())


def _by_id(work: Work, alert_id: UUID) -> Select[Any]:
    return select(alert).where(alert.c.id == alert_id, alert.c.organization_id == work.organization)


async def _one(work: Work, statement: Select[Any]) -> dict[str, Any]:
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such alert", code="alert_not_found")
    return dict(row)


async def change(work: Work, alert_id: UUID, **values: Any) -> dict[str, Any]:
    """The row after these columns changed; the version counts it."""
    statement = (
        update(alert)
        .where(alert.c.id == alert_id, alert.c.organization_id == work.organization)
        .values(**values, updated_at=work.now, version=alert.c.version + 1)
        .returning(alert)
    )
    return dict((await work.execute(statement)).mappings().one())


async def page(work: Work, request: ListAlerts) -> tuple[list[Alert], str | None]:
    """One page and the cursor of the next."""
    statement = select(alert).where(alert.c.organization_id == work.organization)
    for name in ("status", "severity_level", "alert_type", "resource_id", "rule_id"):
        wanted = getattr(request, name)
        if wanted is not None:
            statement = statement.where(alert.c[name] == wanted)
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return [alert_of(row) for row in found], cursor


async def reactivate_due(work: Work) -> list[dict[str, Any]]:
    """End the suppressions whose time has come; in background work."""
    statement = (
        update(alert)
        .where(alert.c.status == "suppressed", alert.c.suppressed_until <= work.now)
        .values(status="active", suppressed_until=None, updated_at=work.now, version=alert.c.version + 1)
        .returning(alert)
    )
    return list(rows(await work.execute(statement)))


async def open_severities(work: Work) -> list[str]:
    """The severities of the organization's active and acknowledged alerts."""
    statement = select(alert.c.severity_level).where(
        alert.c.organization_id == work.organization, alert.c.status.in_(("active", "acknowledged"))
    )
    return [str(row.severity_level) for row in await work.execute(statement)]


async def forget_closed(work: Work, before: datetime, limit: int) -> int:
    """Delete up to `limit` alerts that were resolved before this time; returns how many. In background work."""
    old = select(alert.c.id).where(alert.c.resolved_at < before).limit(limit)
    return (await work.execute(delete(alert).where(alert.c.id.in_(old)))).rowcount
