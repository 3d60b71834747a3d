"""Does the product's belief agree with the simulated cloud's own lists? No machine twice, none orphaned or lost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
GONE = ("shutting-down", "terminated")


@dataclass
class Comparison:
    """What was found: numbers of machines and, line by line, what is wrong."""

    machines: int = 0
    duplicates: int = 0
    orphans: int = 0
    missing: int = 0
    findings: list[str] = field(default_factory=list)


def compare_machines(machines: list[Row], ledger: list[Row], resources: list[Row], drills: list[Row]) -> Comparison:
    """Every machine ever made belongs to one resource or drill; what runs is known to run, what is gone to be gone."""
    found = Comparison(machines=len(machines))
    states = {machine["id"]: machine["state"] for machine in machines}
    restored = {item["machine_id"] for drill in drills for item in drill["restored"] if item["machine_id"]}
    owned = {resource["resource_id"] for resource in resources} | restored
    tokens = Counter(machine["client_token"] for machine in machines)
    _note(found, "duplicates", "was made twice", (token for token, count in tokens.items() if count > 1))
    _note(found, "orphans", "belongs to nothing", (each for each in states if each not in owned))
    running = [resource for resource in resources if resource["resource_status"] == "running"]
    lost = (resource["id"] for resource in running if states.get(resource["resource_id"]) != "running")
    _note(found, "missing", "has no running machine", lost)
    ended = [resource for resource in resources if resource["resource_status"] == "terminated"]
    alive = (resource["id"] for resource in ended if states.get(resource["resource_id"], "terminated") not in GONE)
    _note(found, "orphans", "is terminated and its machine lives", alive)
    left = (each for each in restored if states.get(each, "terminated") not in GONE)
    _note(found, "orphans", "is left over from a drill", left)
    created = [entry for entry in ledger if entry["action"] == "RunInstances" and not entry["repeated"]]
    if len(created) != len(machines):
        found.findings.append(f"the ledger has {len(created)} creations, the list {len(machines)} machines")
    return found


def compare_snapshots(snapshots: list[Row], backups: list[Row]) -> list[str]:
    """Each snapshot belongs to one backup, and what a completed backup names is there."""
    named = Counter(each for backup in backups for each in _snapshots_of(backup))
    present = {snapshot["id"] for snapshot in snapshots}
    done = [backup for backup in backups if backup["status"] == "completed"]
    return [
        *(f"snapshot {each} belongs to no backup" for each in present - named.keys()),
        *(f"snapshot {each} belongs to several backups" for each, count in named.items() if count > 1),
        *(f"backup {one['id']} has lost {each}" for one in done for each in _snapshots_of(one) if each not in present),
    ]


def _snapshots_of(backup: Row) -> list[str]:
    return [each for part in backup["snapshots"] for each in (part["snapshot_id"], *part["copies"].values()) if each]


def _note(found: Comparison, kind: str, wrong: str, which: Iterable[str]) -> None:
    lines = [f"{each} {wrong}" for each in which]
    setattr(found, kind, getattr(found, kind) + len(lines))
    found.findings += lines
