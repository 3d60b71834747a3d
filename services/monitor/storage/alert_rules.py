"""Alert rules: an organization's own, its word on built-in ones, and the book that replicas evaluate from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.monitor.domain.alert_rules import BUILTIN_RULES, Rule
from services.monitor.storage.tables import alert_rule, builtin_choice, rule_revision
from shared.db.pages import Keyset
from shared.db.work import Work, rows
from shared.kit.errors import Conflict, NotFound
from shared.messages.alert_rules import AlertRule, Condition, ListAlertRules

ORDER = Keyset(
    alert_rule.c.id, {"created_at": alert_rule.c.created_at, "alert_name": alert_rule.c.alert_name}, "-created_at"
)


_LOCK_ID = "hashtextextended('alert_rules:' || {0}, 0)"
_HOLD = text(
    f"SELECT pg_advisory_xact_lock_shared({_LOCK_ID.format('each')}) "
    "FROM unnest(CAST(:organizations AS text[])) AS each"
)
_TAKE_TURN = text(f"SELECT pg_advisory_xact_lock({_LOCK_ID.format('CAST(:organization AS text)')})")


class RuleBook:
    """The enabled rules of the organizations whose metrics come here, each reloaded when its revision is another."""

    def __init__(self) -> None:
        self._known: dict[UUID, tuple[int, tuple[Rule, ...]]] = {}

    async def refresh(self, work: Work, organizations: Sequence[UUID]) -> dict[UUID, tuple[Rule, ...]]:
        """The rules that are evaluated, by organization: the same tuple as before where nothing changed.

        In background work. One look at the revisions; rules are read of those organizations only that changed some.
        """
        statement = select(rule_revision).where(rule_revision.c.organization_id.in_(organizations))
        revisions = {row["organization_id"]: row["revision"] for row in rows(await work.execute(statement))}
        changed = [
            each for each in organizations if each not in self._known or self._known[each][0] != revisions.get(each, 0)
        ]
        for organization, found in (await _enabled(work, changed)).items():
            self._known[organization] = (revisions.get(organization, 0), found)
        return {each: self._known[each][1] for each in organizations}


async def _enabled(work: Work, organizations: Sequence[UUID]) -> dict[UUID, tuple[Rule, ...]]:
    """Built-in rules that are not switched off, and an organization's own that are on."""
    if not organizations:
        return {}
    own = select(alert_rule).where(alert_rule.c.is_enabled, alert_rule.c.organization_id.in_(organizations))
    written: dict[UUID, list[Rule]] = {each: [] for each in organizations}
    for row in rows(await work.execute(own)):
        written[row["organization_id"]].append(rule_of(row))
    off = select(builtin_choice).where(
        ~builtin_choice.c.is_enabled, builtin_choice.c.organization_id.in_(organizations)
    )
    disabled = {(row["organization_id"], row["rule_id"]) for row in rows(await work.execute(off))}
    return {
        each: (*(rule for rule in BUILTIN_RULES.values() if (each, rule.id) not in disabled), *written[each])
        for each in organizations
    }


async def hold(work: Work, organizations: Iterable[UUID]) -> None:
    """Keep these organizations' rules as they are until the work ends: who judges by them takes turns with `touch`."""
    await work.execute(_HOLD, {"organizations": [str(each) for each in sorted(organizations)]})


def alert_rule_of(row: Mapping[str, Any]) -> AlertRule:
    """A row as anybody may see it."""
    return AlertRule.model_validate(row)


def rule_of(row: Mapping[str, Any]) -> Rule:
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
    """Tell every replica's book that the organization's rules changed, once nobody judges by the old ones any more."""
    await _take_turn(work)
    statement = upsert(rule_revision).values(organization_id=work.organization, revision=1)
    await work.execute(
        statement.on_conflict_do_update(
            index_elements=[rule_revision.c.organization_id], set_={"revision": rule_revision.c.revision + 1}
        )
    )


async def _take_turn(work: Work) -> None:
    """Wait until nobody judges by the organization's rules (`hold`), and let nobody begin before this work ends."""
    await work.execute(_TAKE_TURN, {"organization": str(work.organization)})


async def add(work: Work, values: dict[str, Any], allowed: int) -> None:
    """Raises Conflict when the organization has as many rules as it may: each is asked at each point."""
    await touch(work)
    own = select(func.count()).select_from(alert_rule).where(alert_rule.c.organization_id == work.organization)
    if (await work.execute(own)).scalar_one() >= allowed:
        raise Conflict(f"an organization has at most {allowed} alert rules of its own", code="alert_rule_limit")
    await work.execute(insert(alert_rule).values(**values))


async def get(work: Work, rule_id: UUID) -> dict[str, Any]:
    """All columns of one of the organization's own rules. Raises NotFound."""
    return await _one(work, _by_id(work, rule_id))


async def lock(work: Work, rule_id: UUID) -> dict[str, Any]:
    """The same, for change; after its turn, since who judges notes errors in this row (`note_errors`)."""
    await _take_turn(work)
    return await _one(work, _by_id(work, rule_id).with_for_update())


def _by_id(work: Work, rule_id: UUID) -> Select[Any]:
    return select(alert_rule).where(alert_rule.c.id == rule_id, alert_rule.c.organization_id == work.organization)


async def _one(work: Work, statement: Select[Any]) -> dict[str, Any]:
    row = (await work.execute(statement)).mappings().first()
    if row is None:
        raise NotFound("there is no such alert rule", code="alert_rule_not_found")
    return dict(row)


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


async def page(work: Work, request: ListAlertRules) -> tuple[list[AlertRule], str | None]:
    """One page of the organization's own, and the cursor of the next."""
    statement = select(alert_rule).where(alert_rule.c.organization_id == work.organization)
    found, cursor = ORDER.page(rows(await work.execute(ORDER.select(statement, request))), request)
    return [alert_rule_of(row) for row in found], cursor


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
