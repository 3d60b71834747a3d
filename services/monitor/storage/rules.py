"""Alert rules: an organization's own, its word on built-in ones, and the book that replicas evaluate from."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.monitor.domain.rules import BUILTIN_RULES, Rule
from services.monitor.storage.tables import alert_rule, builtin_choice, rule_revision
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.messages.alerts import Condition, ListAlertRules

ORDER = Keyset(
    alert_rule.c.id, {"created_at": alert_rule.c.created_at, "alert_name": alert_rule.c.alert_name}, "-created_at"
)


class RuleBook:
    """All enabled rules of all organizations, reloaded when the revision in the database is another."""

    def __init__(self) -> None:
        self._revision = -1
        self._own: dict[UUID, list[Rule]] = {}
        self._disabled: set[tuple[UUID, UUID]] = set()
        self._of: dict[UUID, tuple[Rule, ...]] = {}

    async def refresh(self, work: Work) -> None:
        """One look at one row; in background work."""
        revision = (await work.execute(select(rule_revision.c.revision))).scalar_one()
        if revision == self._revision:
            return
        own: dict[UUID, list[Rule]] = {}
        for row in rows(await work.execute(select(alert_rule).where(alert_rule.c.is_enabled))):
            own.setdefault(row["organization_id"], []).append(rule_of(row))
        chosen = await work.execute(select(builtin_choice).where(~builtin_choice.c.is_enabled))
        self._disabled = {(row["organization_id"], row["rule_id"]) for row in rows(chosen)}
        self._own, self._of, self._revision = own, {}, revision

    def rules_of(self, organization: UUID) -> tuple[Rule, ...]:
        """The rules that are evaluated for an organization."""
        found = self._of.get(organization)
        if found is None:
            builtin = [rule for rule in BUILTIN_RULES.values() if (organization, rule.id) not in self._disabled]
            found = self._of[organization] = (*builtin, *self._own.get(organization, ()))
        return found


def rule_of(row: dict[str, Any]) -> Rule:
    """A stored rule as it is evaluated."""
    return Rule(
        id=row["id"],
        alert_name=row["alert_name"],
        alert_type=row["alert_type"],
        severity_level=row["severity_level"],
        condition=Condition.model_validate(row["alert_conditions"]),
        description=row["description"],
        resource_id=row["resource_id"],
        provider_id=row["provider_id"],
        notification_channels=tuple(row["notification_channels"]),
        recipient_list=tuple(row["recipient_list"]),
    )


async def touch(work: Work) -> None:
    """Tell every replica's book that rules changed; the row's lock orders the changes."""
    await work.execute(update(rule_revision).values(revision=rule_revision.c.revision + 1))


async def add(work: Work, values: dict[str, Any]) -> None:
    await work.execute(insert(alert_rule).values(**values))
    await touch(work)


async def find(work: Work, rule_id: UUID, *, lock: bool = False) -> dict[str, Any] | None:
    statement = select(alert_rule).where(alert_rule.c.id == rule_id, alert_rule.c.organization_id == work.organization)
    row = (await work.execute(statement.with_for_update() if lock else statement)).mappings().first()
    return None if row is None else dict(row)


async def change(work: Work, rule_id: UUID, values: dict[str, Any]) -> dict[str, Any]:
    statement = (
        update(alert_rule)
        .where(alert_rule.c.id == rule_id, alert_rule.c.organization_id == work.organization)
        .values(**values)
        .returning(alert_rule)
    )
    row = dict((await work.execute(statement)).mappings().one())
    await touch(work)
    return row


async def remove(work: Work, rule_id: UUID) -> None:
    await work.execute(
        delete(alert_rule).where(alert_rule.c.id == rule_id, alert_rule.c.organization_id == work.organization)
    )
    await touch(work)


async def listed(work: Work, request: ListAlertRules) -> Sequence[dict[str, Any]]:
    """One row more than the page."""
    statement = select(alert_rule).where(alert_rule.c.organization_id == work.organization)
    return rows(await work.execute(ORDER.select(statement, request)))


async def choices(work: Work) -> dict[UUID, dict[str, Any]]:
    """The organization's word on built-in rules, by rule."""
    statement = select(builtin_choice).where(builtin_choice.c.organization_id == work.organization)
    return {row["rule_id"]: row for row in rows(await work.execute(statement))}


async def choose(work: Work, rule_id: UUID, *, is_enabled: bool, version: int) -> None:
    """Switch a built-in rule off or on for the organization."""
    values = {"is_enabled": is_enabled, "updated_at": work.now, "version": version}
    statement = upsert(builtin_choice).values(organization_id=work.organization, rule_id=rule_id, **values)
    key = [builtin_choice.c.organization_id, builtin_choice.c.rule_id]
    await work.execute(statement.on_conflict_do_update(index_elements=key, set_=values))
    await touch(work)


async def note_errors(work: Work, errors: dict[UUID, str | None]) -> None:
    """Keep what an expression's evaluation said, None when it works; only changes are written."""
    await work.execute(
        text(
            "UPDATE alert_rule SET last_error = new.error FROM unnest(CAST(:rules AS uuid[]), CAST(:errors AS text[])) "
            "AS new (id, error) WHERE alert_rule.id = new.id AND last_error IS DISTINCT FROM new.error"
        ),
        {"rules": list(errors), "errors": list(errors.values())},
    )
