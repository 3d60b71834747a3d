"""How is a scope read: page by page to its end, or until it is cut? Then it says why, and nothing of it is gone."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import structlog

from services.provisioner.deps import Deps
from services.provisioner.domain.resources import COMPUTE, STORAGE
from services.provisioner.domain.scopes import Scope
from services.provisioner.domain.sightings import Found, of_asset, of_machine, of_machine_image, of_snapshot, of_volume
from services.provisioner.handlers.sightings import Reading, take_page, take_vanished
from services.provisioner.storage import scopes, sightings
from shared.clouds.assets import assets_of
from shared.clouds.capabilities import (
    Catalog,
    Cloud,
    ListsSnapshots,
    ListsVolumes,
    WithMachines,
    WithSnapshots,
    WithVolumes,
)
from shared.clouds.errors import CloudError
from shared.clouds.restoring import ListsMachineImages, WithMachineImages
from shared.messages.context import Context
from shared.messages.providers import Provider

VOLUME, SNAPSHOT, MACHINE_IMAGE = "volume", "snapshot", "machine_image"
THINGS_AT_ONCE = 250
"""Of a page in one transaction: with rows, events and history a thousand take 25 MB, and many are read at once."""
VANISHED_AT_ONCE = 500

Thing = TypeVar("Thing")
Pages = Callable[[str], AsyncIterator[list[Found]]]
"""The things of one kind in a region, page by page; only an iteration that ends has seen everything."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the things of one kind are read, and whether they belong to no region."""

    pages: Pages
    is_global: bool = False


Kinds = Mapping[tuple[str, str], Kind]
"""By resource type and subtype."""

log = structlog.get_logger(__name__)


class ReadFailed(Exception):
    """A read of a scope that did not reach its end: the provider's error, or a defect of ours met in what it said."""

    def __init__(self, code: str, detail: str, *, retryable: bool) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.retryable = retryable


def kinds_of(cloud: Cloud, catalog: Catalog) -> Kinds:
    """Which kinds of things an account's inventory has: derived from what its cloud can list.

    Volumes that are an asset too are one kind, read as the asset.
    """
    kinds: dict[tuple[str, str], Kind] = {}
    subtype = next((each.resource_subtype for each in catalog.offers() if each.resource_type == COMPUTE), None)
    if isinstance(cloud, WithMachines) and subtype is not None:
        kinds[COMPUTE, subtype] = Kind(_mapped(cloud.machines.pages, of_machine))
    if isinstance(cloud, WithVolumes) and isinstance(cloud.volumes, ListsVolumes):
        kinds[STORAGE, VOLUME] = Kind(_mapped(cloud.volumes.pages, of_volume))
    if isinstance(cloud, WithSnapshots) and isinstance(cloud.snapshots, ListsSnapshots):
        kinds[STORAGE, SNAPSHOT] = Kind(_mapped(cloud.snapshots.pages, of_snapshot))
    if isinstance(cloud, WithMachineImages) and isinstance(cloud.machine_images, ListsMachineImages):
        kinds[STORAGE, MACHINE_IMAGE] = Kind(_mapped(cloud.machine_images.pages, of_machine_image), is_global=True)
    for assets in assets_of(cloud):
        key = (assets.resource_type, assets.resource_subtype)
        kinds[key] = Kind(_mapped(assets.pages, of_asset), assets.is_global)
    return kinds


def _mapped(pages: Callable[[str], AsyncIterator[list[Thing]]], mapped: Callable[[Thing], Found]) -> Pages:
    async def read(region: str) -> AsyncIterator[list[Found]]:
        async for page in pages(region):
            yield [mapped(each) for each in page]

    return read


async def read_scope(
    deps: Deps, context: Context, provider: Provider, scope: Scope, pages: Pages, attempt_id: UUID
) -> bool:
    """Read a scope; True when its end was reached. Raises ReadOvertaken, and what our own database raises.

    A page is in memory at a time, of which some things are taken at a time, and the ids of the rows that were seen. The
    clock is read before the first question: a row that changed after that, or less than `inventory_settle_s` before, is
    newer than what is listed.
    """
    async with deps.database.work(context) as work:
        generation = await scopes.begin(work, provider.id, scope, attempt_id)
        reading = Reading(provider, scope, generation, work.now, timedelta(seconds=deps.settings.inventory_settle_s))
    seen: set[UUID] = set()
    iterator = pages(scope.region)
    try:
        while (page := await _next(iterator, scope)) is not None:
            for first in range(0, len(page), THINGS_AT_ONCE):
                async with deps.database.work(context) as work:
                    seen |= await take_page(work, reading, page[first : first + THINGS_AT_ONCE])
    except ReadFailed as failure:
        async with deps.database.work(context) as work:
            await scopes.hold(work, provider.id, scope, generation)
            error = {"code": failure.code, "detail": failure.detail, "retryable": failure.retryable}
            await scopes.fail(work, provider.id, scope, error)
        log.info("scope not read to its end", provider=str(provider.id), region=scope.region,
                 resource_subtype=scope.resource_subtype, code=failure.code)  # fmt: skip
        return False
    await _conclude(deps, context, reading, seen)
    return True


async def _next(iterator: AsyncIterator[list[Found]], scope: Scope) -> list[Found] | None:
    """The next page, None after the last. Raises ReadFailed: whatever else went wrong, this read is worth no more."""
    try:
        return await anext(iterator)
    except StopAsyncIteration:
        return None
    except CloudError as error:
        raise ReadFailed(error.code, error.message, retryable=error.retryable) from None
    except Exception as error:
        log.exception("a provider's answer was not understood", region=scope.region, kind=scope.resource_subtype)
        raise ReadFailed("not_understood", type(error).__name__, retryable=True) from None


async def _conclude(deps: Deps, context: Context, reading: Reading, seen: set[UUID]) -> None:
    """The end was reached: what was not seen is gone, and the scope's facts are as old as the read's beginning."""
    provider_id, scope = reading.provider.id, reading.scope
    async with deps.database.work(context) as work:
        placed_before = reading.began_at - reading.settle
        gone = await sightings.unseen(work, provider_id, scope, placed_before, seen)
    for first in range(0, len(gone), VANISHED_AT_ONCE):
        async with deps.database.work(context) as work:
            await take_vanished(work, reading, gone[first : first + VANISHED_AT_ONCE])
    async with deps.database.work(context) as work:
        await scopes.hold(work, provider_id, scope, reading.generation)
        await scopes.complete(work, provider_id, scope, len(seen))
