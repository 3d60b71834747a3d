"""Are the prices of assets that stand in `assets.csv` in the providers' price lists? Writes them, or tells the drift.

`python -m deploy.price_lists write` after a change of `assets.csv`; `check` fails on drift. A row is of one region, or
of all that the list has (`*`), some of them left out (`* -br-gru`); beside it a region may have a price of its own.
`write --rds FILE` takes the hours of RDS classes anew from a CSV (gzip) of service, region, engine, type, USD an hour
in one zone and in several; without it they stay as they are. All other rows are left alone: `shared/clouds/prices.md`
says where they are from.
"""

import argparse
import csv
import gzip
import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.list_prices import NAME
from shared.clouds.registry import provider_names

CLOUDS = Path(__file__).parents[2] / "shared/clouds"
FACTS = Path(__file__).with_name("assets.csv")
ALL_REGIONS = "*"
COLUMNS = ("region", "item", "unit", "usd", "as_of", "source")
RDS_ENGINES = ("mysql", "postgres")
_RDS_ITEMS = tuple(f"database:{engine}:db." for engine in RDS_ENGINES)
_RDS_SOURCE = ("2024-08", "coroot/cloud-pricing")

Row = tuple[str, ...]
"""The values of COLUMNS, as text."""


def with_assets(provider_name: str, present: Sequence[Row], rds: Sequence[Row] | None) -> list[Row]:
    """A provider's rows with those of its assets as `assets.csv` has them now; the rows of each region together."""
    facts = [each for each in csv.DictReader(FACTS.read_text().splitlines()) if each["provider"] == provider_name]
    names = {each["item"] for each in facts}
    kept = [row for row in present if row[1] not in names and (rds is None or not row[1].startswith(_RDS_ITEMS))]
    regions = sorted({row[0] for row in kept} - {GLOBAL_REGION})
    found = {(row[0], row[1]): row for row in (*kept, *(rds or ()))}
    for fact in sorted(facts, key=lambda each: not each["regions"].startswith(ALL_REGIONS)):
        for region in _places(fact["regions"], regions):
            found[region, fact["item"]] = (region, *(fact[name] for name in COLUMNS[1:]))
    together: dict[str, list[Row]] = {}
    for row in found.values():
        together.setdefault(row[0], []).append(row)
    return list(chain.from_iterable(together.values()))


def _places(told: str, regions: Sequence[str]) -> Sequence[str]:
    if not told.startswith(ALL_REGIONS):
        return (told,)
    left_out = {each.removeprefix("-") for each in told.split()[1:]}
    return [each for each in regions if each not in left_out]


def rds_rows(file: Path) -> Iterator[Row]:
    """What an hour of each class costs, in one zone and in several, as far as the file says."""
    for row in csv.DictReader(gzip.decompress(file.read_bytes()).decode().splitlines()):
        if row["service"] == "managed_db" and row["engine"] in RDS_ENGINES:
            item = f"database:{row['engine']}:{row['type']}"
            for name, usd in ((item, row["single_az_usd_h"]), (f"{item}:multi_az", row["multi_az_usd_h"])):
                if usd:
                    yield (row["region"], name, "hour", usd, *_RDS_SOURCE)


def text_of(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows((COLUMNS, *rows))
    return text.getvalue()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.price_lists")
    parser.add_argument("action", choices=("write", "check"))
    parser.add_argument("--rds", type=Path)
    wanted = parser.parse_args()
    drift = []
    for name in provider_names():
        file = CLOUDS / name / NAME
        before = gzip.decompress(file.read_bytes()).decode()
        rds = list(rds_rows(wanted.rds)) if wanted.rds is not None and name == "aws" else None
        after = text_of(with_assets(name, [tuple(row) for row in csv.reader(before.splitlines()[1:])], rds))
        if after != before:
            drift.append(name)
            if wanted.action == "write":
                file.write_bytes(gzip.compress(after.encode(), mtime=0))
    sys.stdout.write(f"{wanted.action}: {', '.join(drift) or 'nothing'} differs\n")
    return int(wanted.action == "check" and bool(drift))


if __name__ == "__main__":
    sys.exit(main())
