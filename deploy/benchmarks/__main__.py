"""`python -m deploy.benchmarks [part …]`: measure, print the table, write docs/benchmarks.md when all parts ran."""

import argparse
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.benchmarks import ec2, events, fleets, limits, lists, live, monitoring, provisioning, reads, start, syncs
from deploy.benchmarks.measurements import Row

PARTS = {
    "start": start.measure,
    "reads": reads.measure,
    "events": events.measure,
    "live": live.measure,
    "monitoring": monitoring.measure,
    "provisioning": provisioning.measure,
    "fleets": fleets.measure,
    "syncs": syncs.measure,
    "lists": lists.measure,
    "ec2": ec2.measure,
    "limits": limits.measure,
}
FILE = Path(__file__).parents[2] / "docs" / "benchmarks.md"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="only these")
    parts = parser.parse_args().parts or list(PARTS)
    rows: list[Row] = []
    for part in parts:
        print(f"measuring {part} …", flush=True)
        rows += PARTS[part]()
    _show(rows)
    if parts == list(PARTS):
        FILE.write_text(_document(rows))


def _show(rows: list[Row]) -> None:
    table = Table("what", "at least", "measured", "met", "load")
    for row in rows:
        table.add_row(row.what, row.goal, row.measured, _verdict(row), f"{row.load_average:.1f}")
    console = Console()
    console.print(table)
    for row in rows:
        console.print(f"{row.what}: {row.notes}", highlight=False, markup=False)


def _verdict(row: Row) -> str:
    return {True: "yes", False: "NO", None: ""}[row.met]


def _document(rows: list[Row]) -> str:
    machine = f"{os.cpu_count()} cores ({_processor()}), Python {platform.python_version()}, {platform.system()}"
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: {machine}.",
        "Client, servers and simulated cloud share the machine. Medians of five rounds; nothing is repeated until it",
        "passes. `load` is the load average when the row was done.",
        "",
        "| what | at least | measured | met | load |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.what} | {row.goal} | {row.measured} | {_verdict(row)} | {row.load_average:.1f} |" for row in rows
    ]
    lines += ["", "## Notes", ""]
    for row in rows:
        several = "\n" in row.notes
        lines += (
            [f"**{row.what}.**", "", "```", row.notes, "```", ""] if several else [f"**{row.what}.** {row.notes}", ""]
        )
    return "\n".join([*lines, "Faults: `docs/chaos.md`.", ""])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


if __name__ == "__main__":
    main()
