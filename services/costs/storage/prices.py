"""Which list prices count? Those of each provider's list; a region is taken into the table when it is metered."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date
from functools import cache

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from services.costs.domain.prices import Price
from services.costs.storage.tables import price, price_list
from shared.clouds.list_prices import ListPrice
from shared.clouds.registry import list_prices_of, provider_names
from shared.db.work import Work

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('costs.prices'))")
_PUT = text(
    "INSERT INTO price (provider_name, region, item, valid_from, unit, usd, source) "
    "SELECT * FROM unnest(CAST(:provider_name AS text[]), CAST(:region AS text[]), CAST(:item AS text[]), "
    "CAST(:valid_from AS date[]), CAST(:unit AS text[]), CAST(:usd AS numeric[]), CAST(:source AS text[])) "
    "ON CONFLICT (provider_name, region, item, valid_from) "
    "DO UPDATE SET unit = excluded.unit, usd = excluded.usd, source = excluded.source"
)
"""All rows in one statement with one array per column: a thousand rows in hundredths of a second."""

Place = tuple[str, str]
"""(provider, region)"""


@cache
def release() -> str:
    """Which lists this release has: other lists, another value, and everything is metered anew."""
    hashes = "".join(list_prices_of(name).content_hash for name in provider_names())
    return hashlib.sha256(hashes.encode()).hexdigest()


async def keep(work: Work, places: Iterable[Place]) -> int:
    """Take the prices of these regions into the table, unless they are in it as this release lists them.

    Returns how many regions were taken. Older prices of the same item stay, dated.
    """
    listed = {
        place for place in places if place[0] in provider_names() and list_prices_of(place[0]).of_region(place[1])
    }
    if not await _missing(work, listed):
        return 0
    await work.execute(_LOCK)
    missing = await _missing(work, listed)
    for provider_name, region in sorted(missing):
        prices = list_prices_of(provider_name)
        await _put(work, provider_name, list(prices.of_region(region).values()))
        values = {
            "content_hash": prices.content_hash, "rows": len(prices.of_region(region)), "loaded_at": work.now,
        }  # fmt: skip
        mark = insert(price_list).values(name=_name((provider_name, region)), **values)
        await work.execute(mark.on_conflict_do_update(index_elements=[price_list.c.name], set_=values))
    return len(missing)


async def _missing(work: Work, places: Collection[Place]) -> set[Place]:
    if not places:
        return set()
    names = {_name(place): place for place in places}
    statement = select(price_list.c.name, price_list.c.content_hash).where(price_list.c.name.in_(names))
    kept = {row.name: row.content_hash for row in await work.execute(statement)}
    return {place for name, place in names.items() if kept.get(name) != list_prices_of(place[0]).content_hash}


def _name(place: Place) -> str:
    return " ".join(place)


async def _put(work: Work, provider_name: str, prices: list[ListPrice]) -> None:
    columns = ("region", "item", "valid_from", "unit", "usd", "source")
    values = {column: [getattr(each, column) for each in prices] for column in columns}
    await work.execute(_PUT, {"provider_name": [provider_name] * len(prices), **values})


async def prices_of(
    work: Work, provider_name: str, items: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], list[Price]]:
    """The prices of (region, item) pairs, oldest first, as far as their regions were kept."""
    wanted = sorted(set(items))
    found: dict[tuple[str, str], list[Price]] = defaultdict(list)
    if not wanted:
        return found
    statement = select(price).where(
        price.c.provider_name == provider_name, tuple_(price.c.region, price.c.item).in_(wanted)
    )
    for row in await work.execute(statement.order_by(price.c.valid_from)):
        found[row.region, row.item].append(Price(row.item, row.unit, row.usd, row.valid_from, row.source))
    return found


async def span(work: Work, names: Collection[str]) -> tuple[date | None, date | None, list[str]]:
    """From when the oldest and the newest kept price of these providers are, and the names of the sources."""
    statement = select(
        func.min(price.c.valid_from).label("oldest"),
        func.max(price.c.valid_from).label("newest"),
        func.array_agg(price.c.source.distinct()).label("sources"),
    ).where(price.c.provider_name.in_(sorted(names)))
    row = (await work.execute(statement)).one()
    return row.oldest, row.newest, sorted(row.sources or [])
