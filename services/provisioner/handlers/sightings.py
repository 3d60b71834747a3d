"""What does one page of a read bring into the inventory, and what its end? Rows, events, history and dependencies.

Each page and each lot of vanished things is one transaction, which holds the scope: a read that was overtaken writes no
more. Nothing is remembered between transactions but which rows were seen; a read that is cut starts over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.provisioner.domain.inventory import (
    RELEASED,
    Difference,
    Rows,
    Verdict,
    difference,
    discovery,
    event_of,
    vanished,
    verdict,
)
from services.provisioner.domain.resources import TERMINATED
from services.provisioner.domain.scopes import Scope
from services.provisioner.domain.sightings import Found
from services.provisioner.storage import scopes, sightings
from services.provisioner.storage.sightings import Batch
from shared.db.work import Work
from shared.kit.ids import new_id
from shared.messages.providers import Provider
from shared.messages.resources import (
    Change,
    Resource,
    ResourceDiscovered,
    ResourceEvent,
    ResourceFailed,
    ResourceStarted,
    ResourceStopped,
    ResourceTerminated,
    ResourceUpdated,
)

RELEASED_AT_ONCE = 500
NO_READ = 0
"""The generation of what is no read: a history's entries say which read found them."""

_EVENTS: dict[str, type[ResourceEvent]] = {
    event.name: event
    for event in (ResourceUpdated, ResourceStarted, ResourceStopped, ResourceFailed, ResourceTerminated)
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One read of one scope. `began_at`: nothing that it lists is newer for us, whenever its pages come."""

    provider: Provider
    scope: Scope
    generation: int
    began_at: datetime
    settle: timedelta


async def take_page(work: Work, reading: Reading, page: Sequence[Found]) -> set[UUID]:
    """Bring a page in; returns the rows that it showed. Raises ReadOvertaken."""
    await scopes.hold(work, reading.provider.id, reading.scope, reading.generation)
    things = {found.resource_id: found for found in page}
    tokens = [found.token for found in things.values() if found.token is not None]
    rows = Rows(await sightings.compared(work, reading.provider.id, reading.scope, list(things), tokens))
    batch, seen, differing = Batch(), set[UUID](), dict[UUID, Found]()
    for found in things.values():
        known = rows.of(found)
        decided = verdict(found, known, reading.began_at, reading.settle)
        if decided is Verdict.ADOPT:
            seen.add(_adopt(work, reading, found, batch))
        elif known is not None:
            seen.add(known.id)
            if decided is Verdict.COMPARE and not known.is_as(found):
                differing[known.id] = found
    changed_before = reading.began_at - reading.settle
    observed = {row.id: row.observed for row in rows.all if row.id in differing}
    for resource in await sightings.lock_unchanged(work, list(differing), changed_before) if differing else []:
        found = differing[resource.id]
        change(work, reading.generation, resource, difference(resource, observed[resource.id], found, work.now), batch)
        batch.observed[resource.id] = found.observed
        batch.edges[resource.id] = () if found.status == TERMINATED else found.edges
    await sightings.write(work, batch)
    return seen


async def take_vanished(work: Work, reading: Reading, ids: Sequence[UUID]) -> int:
    """Mark those of these rows as gone of which nothing was heard meanwhile; returns how many. Raises ReadOvertaken."""
    await scopes.hold(work, reading.provider.id, reading.scope, reading.generation)
    batch = Batch()
    for resource in await sightings.lock_vanished(work, ids, reading.began_at - reading.settle):
        change(work, reading.generation, resource, vanished(resource, work.now), batch)
        batch.edges[resource.id] = ()
    await sightings.write(work, batch)
    return len(batch.changed)


async def release(work: Work, provider_id: UUID, regions: Sequence[str]) -> int:
    """Let go of a lot of what was only found outside these regions of an account; returns how many."""
    batch = Batch()
    for resource in await sightings.lock_unseen_from_now_on(work, provider_id, regions, RELEASED_AT_ONCE):
        change(work, NO_READ, resource, vanished(resource, work.now, RELEASED), batch)
        batch.edges[resource.id] = ()
    await sightings.write(work, batch)
    return len(batch.changed)


def _adopt(work: Work, reading: Reading, found: Found, batch: Batch) -> UUID:
    """Make a row of a thing that nobody here made."""
    adopted = discovery(found)
    resource = Resource(
        id=new_id(),
        organization_id=work.organization,
        provider_id=reading.provider.id,
        provider_name=reading.provider.provider_name,
        region=reading.scope.region,
        resource_type=reading.scope.resource_type,
        resource_subtype=reading.scope.resource_subtype,
        tags=adopted.tags,
        created_at=work.now,
        updated_at=work.now,
        version=1,
        **adopted.fields,
    )
    row = resource.model_dump(exclude={"tags"})
    row |= {"observed": found.observed, "created_by": work.context.actor, "placed_at": work.now}
    batch.added.append(row)
    batch.tags[resource.id] = adopted.tags
    batch.edges[resource.id] = found.edges
    _say(work, reading.generation, ResourceDiscovered, resource, {}, batch)
    return resource.id


def change(work: Work, generation: int, resource: Resource, found: Difference, batch: Batch) -> None:
    """Change a locked row; without a difference only what is kept for the next comparison is written."""
    if not found.fields and not found.changes:
        return
    update: dict[str, Any] = {**found.fields, "version": resource.version + 1, "updated_at": work.now}
    changed = resource.model_copy(update=update)
    batch.changed.append(changed)
    if "tags" in found.fields:
        batch.tags[resource.id] = changed.tags
    event = _EVENTS[event_of(resource.resource_status, found.status)]
    _say(work, generation, event, changed, found.changes, batch)


def _say(
    work: Work,
    generation: int,
    event: type[ResourceEvent],
    resource: Resource,
    changes: dict[str, Change],
    batch: Batch,
) -> None:
    work.emit(event(**work.about(resource.id, resource.version), resource=resource, changes=changes))
    batch.history.append(
        {
            "id": new_id(),
            "organization_id": work.organization,
            "resource_id": resource.id,
            "version": resource.version,
            "event": event.name,
            "generation": generation,
            "observed_at": work.now,
            "changes": {name: change.model_dump(mode="json") for name, change in changes.items()},
        }
    )
