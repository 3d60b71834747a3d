"""Which list prices count? The file beside this code, loaded into the table whenever its content is another."""

import csv
import gzip
import hashlib
import io
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from services.costs.domain.prices import Price
from services.costs.storage.tables import price, price_list
from shared.db.work import Work

FILES = Path(__file__).parent / "prices"
NAME = "aws"
_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('costs.prices'))")
_PUT = text(
    "INSERT INTO price (provider_name, region, item, valid_from, unit, usd, source) "
    "SELECT * FROM unnest(CAST(:provider_name AS text[]), CAST(:region AS text[]), CAST(:item AS text[]), "
    "CAST(:valid_from AS date[]), CAST(:unit AS text[]), CAST(:usd AS numeric[]), CAST(:source AS text[])) "
    "ON CONFLICT (provider_name, region, item, valid_from) "
    "DO UPDATE SET unit = excluded.unit, usd = excluded.usd, source = excluded.source"
)
"""All rows in one statement with one array per column: thousands of rows in a tenth of a second."""


def read_prices(content: bytes, provider_name: str) -> list[dict[str, Any]]:
    """The rows of a price file. Raises ValueError for an empty file and for a price that is not above zero."""
    rows = []
    for line in csv.DictReader(io.StringIO(gzip.decompress(content).decode())):
        usd = Decimal(line["usd"])
        if usd <= 0:
            raise ValueError(f"{line['region']} {line['item']}: a price is above zero, unknown ones are left out")
        year, month = line["as_of"].split("-")
        rows.append(
            {
                "provider_name": provider_name,
                "region": line["region"],
                "item": line["item"],
                "valid_from": date(int(year), int(month), 1),
                "unit": line["unit"],
                "usd": usd,
                "source": line["source"],
            }
        )
    if not rows:
        raise ValueError("the price file is empty")
    return rows


async def load(work: Work, content: bytes, name: str = NAME) -> bool:
    """Take the prices of a file; False when this content is loaded. Older prices of the same item stay, dated."""
    content_hash = hashlib.sha256(content).hexdigest()
    await work.execute(_LOCK)
    if await current_hash(work, name) == content_hash:
        return False
    rows = read_prices(content, name)
    await work.execute(_PUT, {column: [row[column] for row in rows] for column in rows[0]})
    values = {"content_hash": content_hash, "rows": len(rows), "loaded_at": work.now}
    mark = insert(price_list).values(name=name, **values)
    await work.execute(mark.on_conflict_do_update(index_elements=[price_list.c.name], set_=values))
    return True


async def current_hash(work: Work, name: str = NAME) -> str | None:
    """Which content the table holds, or None before the first load."""
    statement = select(price_list.c.content_hash).where(price_list.c.name == name)
    found: str | None = (await work.execute(statement)).scalar()
    return found


async def prices_of(
    work: Work, provider_name: str, items: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], list[Price]]:
    """The prices of (region, item) pairs, oldest first."""
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


async def span(work: Work, name: str = NAME) -> tuple[date | None, date | None, list[str]]:
    """From when the oldest and the newest price are, and the names of the sources."""
    statement = select(
        func.min(price.c.valid_from).label("oldest"),
        func.max(price.c.valid_from).label("newest"),
        func.array_agg(price.c.source.distinct()).label("sources"),
    ).where(price.c.provider_name == name)
    row = (await work.execute(statement)).one()
    return row.oldest, row.newest, sorted(row.sources or [])
