"""Every statement on the edges between resources: one for a step of a walk, however many things it is about."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, any_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.provisioner.domain.dependencies import Link, addresses_of, id_of, is_address, key_of
from services.provisioner.domain.resources import TERMINATED
from services.provisioner.storage.tables import cloud_resources, resource_dependencies
from shared.db.work import Work, rows

_edge = resource_dependencies.c
_node = cloud_resources.c
_ADDRESSES = (_node.address, _node.public_ip, _node.private_ip)
LINKS_MAX = 20_000
"""Of one step: more than a walk can take in."""
NAMES_MAX = 1000


async def down(work: Work, provider_id: UUID, keys: Sequence[str]) -> list[Link]:
    """What these things (keys, in one account) stand on."""
    statement = _from(work, provider_id).where(_node.resource_id == _any(map(id_of, keys)))
    links = [link for link in await _links(work, statement, keys) if link.source in set(keys)]
    known = await _at(work, provider_id, {link.target for link in links if is_address(link.target)})
    return [replace(link, target=known.get(link.target, link.target)) for link in links]


async def up(work: Work, provider_id: UUID, keys: Sequence[str]) -> list[Link]:
    """What stands on them, by their keys or by an address that is theirs alone."""
    own = await _addresses(work, provider_id, keys)
    known = {address: key for address, key in (await _at(work, provider_id, own)).items() if key in set(keys)}
    statement = _from(work, provider_id).where(_edge.target == _any([*keys, *known]))
    return [replace(link, target=known.get(link.target, link.target)) for link in await _links(work, statement, keys)]


async def _at(work: Work, provider_id: UUID, addresses: Collection[str]) -> dict[str, str]:
    """By address the key of the one living thing that has it: two networks may both have a 10.0.0.5."""
    if not addresses:
        return {}
    hosts = _any(map(id_of, addresses))
    columns = (_node.resource_id, _node.resource_type, _node.resource_subtype, *_ADDRESSES)
    statement = select(*columns).where(
        _node.organization_id == work.organization,
        _node.provider_id == provider_id,
        _node.resource_status != TERMINATED,
        or_(*(func.lower(column) == hosts for column in _ADDRESSES)),
    )
    found: dict[str, set[str]] = {}
    for row in rows(await work.execute(statement)):
        for address in addresses_of(row):
            found.setdefault(address, set()).add(key_of(row))
    return {address: next(iter(keys)) for address, keys in found.items() if len(keys) == 1}


async def _addresses(work: Work, provider_id: UUID, keys: Sequence[str]) -> set[str]:
    """The addresses of these things, as edges name them."""
    if not keys:
        return set()
    columns = (_node.resource_id, _node.resource_type, _node.resource_subtype, *_ADDRESSES)
    statement = select(*columns).where(
        _node.organization_id == work.organization,
        _node.provider_id == provider_id,
        _node.resource_id == _any(map(id_of, keys)),
    )
    found = rows(await work.execute(statement))
    return {address for row in found if key_of(row) in set(keys) for address in addresses_of(row)}


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
