"""How is a page of a hundred thousand resources found? First its ids, of an index alone, then those fifty rows.

The indexes of lists hold every column that may be asked for, so no row is read only to be left out, and PostgreSQL
writes the JSON. Each shape of question is put together once: to build its statement took as long as to answer it. Where
one index leads to the page whatever the values are, its plan is kept too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import psycopg

from services.provisioner.storage.resource_json import SHOWN
from services.provisioner.storage.tables import cloud_resources, resource_tags
from shared.db.pages import LAST_CHARACTER, Keyset, is_between
from shared.messages.resources import ListResources

_table, _row, _tag = cloud_resources.c, cloud_resources.alias("r").c, resource_tags.c
ORDER = Keyset(_table.id, {"created_at": _table.created_at, "resource_name": _table.resource_name}, "-created_at")
_ORDER_OF_ROWS = Keyset(_row.id, {"created_at": _row.created_at, "resource_name": _row.resource_name}, "-created_at")
_ORDER_OF_TAGS = Keyset(_tag.resource_id, {"created_at": _tag.created_at}, "-created_at")
_EQUAL = {
    "provider_id": _table.provider_id,
    "provider": _table.provider_name,
    "region": _table.region,
    "resource_type": _table.resource_type,
    "resource_subtype": _table.resource_subtype,
    "resource_status": _table.resource_status,
    "health_status": _table.health_status,
    "environment": _table.environment,
    "project": _table.project,
    "origin": _table.origin,
    "group": _table.group_id,
}
_KEY, _VALUE, _PREFIX, _BEYOND = "tag_key", "tag_value", "prefix", "beyond_prefix"
_TAGGED = frozenset({_KEY, _VALUE})
_INDEXED = frozenset({
    _TAGGED,
    *(frozenset({name}) for name in _EQUAL.keys() - {"resource_type", "resource_subtype"}),
    frozenset({"resource_type", "resource_subtype"}),
})  # fmt: skip
"""The filters of which an index has each value's rows in the order of their making."""
NAMES = ("is_more", "id", "created_at", "resource_name", "json")
"""The columns of an answer, one row: whether there are more, its last thing's id and sort columns, its things' JSON."""
_LIMIT, _ROWS = "<limit>", "<rows>"
_PAGE = f"""
SELECT count(*) > {_LIMIT}, (array_agg(id) FILTER (WHERE number = {_LIMIT}))[1],
  max(created_at) FILTER (WHERE number = {_LIMIT}), max(resource_name) FILTER (WHERE number = {_LIMIT}),
  string_agg(json, ',' ORDER BY number) FILTER (WHERE number <= {_LIMIT})
FROM ({{rows}}) AS page
"""
"""Fifty rows became one because to fetch each of them cost the service a sixth of its time."""


@dataclass(frozen=True, slots=True)
class Question:
    """A statement and its parameters, for shared/db/reads.py: a row of NAMES.

    `is_walk`: its page lies side by side in one index, so that one plan is right for all values and can be kept.
    """

    statement: str
    parameters: Mapping[str, Any]
    is_walk: bool


def question(organization: UUID, request: ListResources) -> Question:
    """Raises InvalidInput for a sort order or a cursor that is none."""
    given: dict[str, Any] = {name: getattr(request, name) for name in _EQUAL if getattr(request, name) is not None}
    if given.get("provider") == "all":
        del given["provider"]
    if request.q:
        given |= {_PREFIX: request.q, _BEYOND: request.q + LAST_CHARACTER}
    if request.tag:
        given[_KEY], equals, value = request.tag.partition("=")
        given |= {_VALUE: value} if equals else {}
    after = ORDER.after(request)
    filters = frozenset(given)
    statement = _limited(_statement(filters, request.sort, after is not None), request.limit)
    given["organization"] = organization
    if after is not None:
        given |= {"after": after[0], "after_id": after[1]}
    return Question(statement, given, _is_walk(filters, ORDER.column(request.sort)))


def _is_walk(filters: frozenset[str], sorted_by: str) -> bool:
    if sorted_by == "resource_name":
        return filters <= {_PREFIX, _BEYOND}
    return not filters or filters in _INDEXED


def _limited(statement: str, limit: int) -> str:
    """The limit as text: a plan that is kept for any limit is one for a tenth of all rows."""
    return statement.replace(_ROWS, str(limit + 1)).replace(_LIMIT, str(limit))


@lru_cache(maxsize=1000)
def _statement(given: frozenset[str], sort: str | None, is_later: bool) -> str:  # noqa: FBT001 - a key of the cache
    """`given` are names of parameters; there are as many texts as shapes to ask in, a hundred thousand."""
    organization = bindparam("organization", type_=_table.organization_id.type)
    after = ORDER.parameters(sort) if is_later else None
    by_age = ORDER.column(sort) == "created_at"
    if given == _TAGGED and by_age:
        found = _ORDER_OF_TAGS.begun(_tagged(select(_tag.resource_id.label("id")), organization, given), sort, after)
    else:
        wanted = _wanted(organization, given)
        if _KEY in given and by_age:  # the tags' own index may begin there as well
            wanted = _ORDER_OF_TAGS.later(wanted, sort, after)
        found = ORDER.begun(wanted, sort, after)
    chosen = found.limit(literal_column(_ROWS)).subquery("chosen")
    number = func.row_number().over(order_by=_ORDER_OF_ROWS.sequence(sort)).label("number")
    shown = select(_row.id, _row.created_at, _row.resource_name, literal_column(SHOWN).label("json"), number)
    joined = shown.join(chosen, chosen.c.id == _row.id).where(_row.organization_id == organization)
    return _PAGE.format(rows=joined.compile(dialect=psycopg.dialect()))  # type: ignore[no-untyped-call]


def _wanted(organization: Any, given: frozenset[str]) -> Select[Any]:
    wanted = select(_table.id).where(_table.organization_id == organization)
    for name, column in _EQUAL.items():
        if name in given:
            wanted = wanted.where(column == bindparam(name, type_=column.type))
    if _PREFIX in given:
        first, beyond = (bindparam(name, type_=_table.resource_name.type) for name in (_PREFIX, _BEYOND))
        wanted = wanted.where(is_between(_table.resource_name, first, beyond))
    if _KEY in given:
        same = and_(_tag.resource_id == _table.id, _tag.created_at == _table.created_at)
        wanted = _tagged(wanted.join(resource_tags, same), organization, given)
    return wanted


def _tagged(found: Select[Any], organization: Any, given: frozenset[str]) -> Select[Any]:
    """Of a key a resource has one tag at most."""
    mine = found.where(_tag.organization_id == organization, _tag.key == bindparam(_KEY, type_=_tag.key.type))
    return mine.where(_tag.value == bindparam(_VALUE, type_=_tag.value.type)) if _VALUE in given else mine
