"""Every statement on the edges between resources: one for a step of a walk, however many things it is about."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, any_, cast, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.provisioner.domain.dependencies import Link, id_of, key_of
from services.provisioner.domain.resources import TERMINATED
from services.provisioner.storage.tables import cloud_resources, resource_dependencies
from shared.db.work import Work, rows

_edge = resource_dependencies.c
_node = cloud_resources.c
LINKS_MAX = 20_000
"""Of one step: more than a walk can take in."""
NAMES_MAX = 1000


async def down(work: Work, provider_id: UUID, keys: Sequence[str]) -> list[Link]:
    """What these things (keys, in one account) stand on."""
    statement = _from(work, provider_id).where(_node.resource_id == _any(map(id_of, keys)))
    return [link for link in await _links(work, statement, keys) if link.source in set(keys)]


async def up(work: Work, provider_id: UUID, keys: Sequence[str]) -> list[Link]:
    """What stands on them."""
    return await _links(work, _from(work, provider_id).where(_edge.target == _any(keys)), keys)


async def hard_dependents(work: Work, provider_id: UUID, key: str) -> list[str]:
    """The names of the living things that cannot do without this one, in their order."""
    statement = (
        _from(work, provider_id)
        .where(_edge.target == key, _edge.hard, _node.resource_status != TERMINATED)
        .with_only_columns(_node.resource_name)
        .distinct()
        .order_by(_node.resource_name)
    )
    return list((await work.execute(statement.limit(NAMES_MAX))).scalars())


async def nodes(work: Work, provider_id: UUID, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    """The rows of those of these things that the inventory holds, by key; a living one before a terminated one."""
    columns = (_node.id, _node.resource_id, _node.resource_name, _node.resource_type, _node.resource_subtype,
               _node.resource_status, _node.is_wedding_critical)  # fmt: skip
    statement = select(*columns).where(
        _node.organization_id == work.organization,
        _node.provider_id == provider_id,
        _node.resource_id == _any(map(id_of, keys)),
    )
    ordered = rows(await work.execute(statement.order_by((_node.resource_status == TERMINATED).desc(), _node.id)))
    return {key: row for row in ordered if (key := key_of(row)) in keys}


def _from(work: Work, provider_id: UUID) -> Select[Any]:
    return (
        select(_node.resource_id, _node.resource_type, _node.resource_subtype, _edge.target, _edge.relation, _edge.hard)
        .join(cloud_resources, _node.id == _edge.source_id)
        .where(
            _edge.organization_id == work.organization,
            _edge.provider_id == provider_id,
            _node.organization_id == work.organization,
        )
    )


async def _links(work: Work, statement: Select[Any], keys: Sequence[str]) -> list[Link]:
    if not keys:
        return []
    found = rows(await work.execute(statement.limit(LINKS_MAX)))
    return [Link(key_of(row), row["target"], row["relation"], row["hard"]) for row in found]


def _any(keys: Iterable[str]) -> Any:
    return any_(cast(list(keys), ARRAY(Text)))
