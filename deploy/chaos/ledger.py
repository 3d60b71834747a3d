"""Does the product's belief agree with the simulated cloud's own lists? Nothing twice, nothing orphaned or lost."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.chaos.clouds import AWS, Cloud
from deploy.holdings import Held, is_named, kinds_of, made_twice

Row = dict[str, Any]
LIVING = frozenset({"running", "available", "stopped"})
MADE_BY_UNDOING = 2
"""At most, of a create that was taken back: whoever lost its answer asks again to learn what to remove."""


@dataclass
class Comparison:
    """What was found: the number of machines ever made, of what is wrong, and what that is, line by line."""

    machines: int = 0
    duplicates: int = 0
    orphans: int = 0
    missing: int = 0
    findings: list[str] = field(default_factory=list)


def compare_machines(
    machines: list[Row], ledger: list[Row], resources: list[Row], drills: list[Row], cloud: Cloud = AWS
) -> Comparison:
    """Every machine that lives belongs to one resource; each is there as it is known to be, none was ever made twice.

    All lists are of that cloud only. Some clouds forget what was destroyed: what was ever made is in the ledger. What a
    refused placement or an undone create left there was made too, and has to be gone. Who dies between such a refusal
    and its noting finds the machine that was made and keeps it: so a row may have had one of that region too.
    """
    created = [
        entry
        for entry in ledger
        if entry["action"] == cloud.creation and not entry["repeated"] and entry.get("region") != cloud.emptied
    ]
    found = Comparison(machines=len(created))
    states = {machine["id"]: machine["state"] for machine in machines}
    alive = {each for each, state in states.items() if state not in cloud.gone}
    restored = {item["machine_id"] for drill in drills for item in drill["restored"] if item["machine_id"]}
    owned = {
        resource["resource_id"]
        for resource in resources
        if resource["resource_id"] and resource.get("resource_type", "compute") == "compute"
    } | restored
    tokens = Counter(token_of(machine) for machine in machines if machine["id"] in alive)
    _note(found, "duplicates", "was made twice", (str(token) for token, count in tokens.items() if count > 1))
    _note(found, "orphans", "belongs to nothing", (each for each in alive if each not in owned))
    for status, expected in (("running", (cloud.running,)), ("stopped", cloud.stopped)):
        known = [
            resource
            for resource in resources
            if resource["resource_status"] == status and resource.get("resource_type", "compute") == "compute"
        ]
        lost = (each["id"] for each in known if states.get(each["resource_id"]) not in expected)
        _note(found, "missing", f"has no {status} machine", lost)
    ended = [resource for resource in resources if resource["resource_status"] == "terminated"]
    _note(found, "orphans", "is terminated and its machine lives",
          (resource["id"] for resource in ended if resource["resource_id"] in alive))  # fmt: skip
    _note(found, "orphans", "is left over from a drill", (each for each in restored if each in alive))
    undone = sum(resource["resource_id"] is None for resource in resources)
    aside = {each["id"] for each in machines if each.get("region") == cloud.emptied}
    aside |= {each["resource_id"] for each in resources if each.get("region") == cloud.emptied}
    known_ids = (states.keys() | owned) - aside
    if not 0 <= len(created) - len(known_ids) <= MADE_BY_UNDOING * undone:
        found.findings.append(
            f"the ledger has {len(created)} creations, lists and resources know {len(known_ids)} machines"
        )
    return found


def compare_held(held: Sequence[Held], rows: Sequence[Row]) -> Comparison:
    """What one cloud holds by our tokens is what the rows say: nothing else, nothing less, nothing twice.

    `rows` have a `token` beside the fields of a resource. What a create makes beside its thing (a rule, an address, a
    target group) carries its token too, so that things of one kind have the same pieces.
    """
    found, by_token = Comparison(), defaultdict[str, list[Held]](list)
    for each in held:
        by_token[each.token].append(each)
    living = {row["token"]: row for row in rows if row["resource_status"] in LIVING}
    _note(found, "orphans", "is at the cloud and in no row", (
        f"{each.kind} {each.id} ({each.token})" for each in held if each.token not in living
    ))  # fmt: skip
    _note(found, "duplicates", "is there twice", (f"{each.kind} {each.token}" for each, _ in made_twice(held)))
    _note(found, "missing", "is not at the cloud", (
        f"{row['resource_subtype']} {row['id']}" for token, row in living.items()
        if not is_named(str(row["resource_id"]), by_token[token])
    ))  # fmt: skip
    _note(found, "missing", "has not the pieces of its kind", _odd_ones(living, by_token))
    return found


def _odd_ones(living: dict[str, Row], by_token: dict[str, list[Held]]) -> Iterator[str]:
    """Things that are made of something else than most of their kind."""
    made_of = {token: tuple(sorted(kinds_of(by_token[token]).items())) for token in living}
    usual = defaultdict[str, Counter[Any]](Counter)
    for token, row in living.items():
        usual[row["resource_subtype"]][made_of[token]] += 1
    for token, row in living.items():
        most, _ = usual[row["resource_subtype"]].most_common(1)[0]
        if made_of[token] != most:
            yield f"{row['resource_subtype']} {row['id']}: {dict(made_of[token])}, others {dict(most)}: it"


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
