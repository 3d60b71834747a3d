"""Does the product's belief agree with the simulated cloud's own lists? No machine twice, none orphaned or lost."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from deploy.chaos.clouds import AWS, Cloud

Row = dict[str, Any]


@dataclass
class Comparison:
    """What was found: numbers of machines and, line by line, what is wrong."""

    machines: int = 0
    duplicates: int = 0
    orphans: int = 0
    missing: int = 0
    findings: list[str] = field(default_factory=list)


def compare_machines(
    machines: list[Row], ledger: list[Row], resources: list[Row], drills: list[Row], cloud: Cloud = AWS
) -> Comparison:
    """Every machine ever made at a cloud belongs to one resource or drill; each is there as it is known to be.

    All lists are of that cloud only. Some clouds forget what was destroyed: what was ever made is in the ledger.
    """
    created = [entry for entry in ledger if entry["action"] == cloud.creation and not entry["repeated"]]
    found = Comparison(machines=len(created))
    states = {machine["id"]: machine["state"] for machine in machines}
    alive = {each for each, state in states.items() if state not in cloud.gone}
    restored = {item["machine_id"] for drill in drills for item in drill["restored"] if item["machine_id"]}
    owned = {resource["resource_id"] for resource in resources if resource["resource_id"]} | restored
    tokens = Counter(token_of(machine) for machine in machines)
    _note(found, "duplicates", "was made twice", (str(token) for token, count in tokens.items() if count > 1))
    _note(found, "orphans", "belongs to nothing", (each for each in states if each not in owned))
    for status, expected in (("running", (cloud.running,)), ("stopped", cloud.stopped)):
        known = [resource for resource in resources if resource["resource_status"] == status]
        lost = (each["id"] for each in known if states.get(each["resource_id"]) not in expected)
        _note(found, "missing", f"has no {status} machine", lost)
    ended = [resource for resource in resources if resource["resource_status"] == "terminated"]
    _note(found, "orphans", "is terminated and its machine lives",
          (resource["id"] for resource in ended if resource["resource_id"] in alive))  # fmt: skip
    _note(found, "orphans", "is left over from a drill", (each for each in restored if each in alive))
    if len(created) != len(states.keys() | owned):
        found.findings.append(
            f"the ledger has {len(created)} creations, lists and resources know {len(states.keys() | owned)} machines"
        )
    return found


def token_of(machine: Row) -> Any:
    """What the one creation of a machine was asked with, as the simulated clouds list it."""
    return machine["client_token"] if "client_token" in machine else machine["token"]


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
