"""What follows from a thing that a read of its scope saw, or did not see? Adopt it, change its row, or leave it alone.

Three things keep a read from undoing what is true:

- a row with a running operation belongs to its saga, and nothing that is read changes it;
- what is listed may be older than what we recorded (clouds are eventually consistent): a row that changed less than
  `settle` before the page was asked for is not changed by it;
- only the end of a complete read makes things gone, and never one that was placed later than `settle` before it began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.provisioner.domain.resources import (
    ERROR,
    PROVISIONING,
    RUNNING,
    SERVING,
    STARTING,
    STOPPED,
    TERMINATED,
    size_category,
)
from services.provisioner.domain.sightings import CAPACITY, Found
from services.provisioner.domain.tags import labels_of, merged
from shared.messages.resources import Change, Resource

PROVISIONED, DISCOVERED = "provisioned", "discovered"

RELEASED = "its account or region is no longer looked at; it may still exist there"
VANISHED = "a complete read of the account found it no more"
TERMINATED_OUTSIDE = "it was terminated at the provider"
CHANGED_OUTSIDE = "changed at the provider"

UNLABELLED_ENVIRONMENT = "production"
"""What nobody has labelled is treated as what must not be broken."""
UNASSIGNED_PROJECT = "unassigned"

DRILL_TAG = "canopy:drill"
"""What recovery's drills put on all that they make. It lives for minutes, and the drill proves that it is gone."""

_SHOWN = ("resource_id", "resource_name", "resource_status", "availability_zone", "private_ip", "public_ip",
          "address", "environment", "project", "tags")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """The part of a row that a page is compared with."""

    id: UUID
    resource_id: str | None
    token: str | None
    status: str
    is_busy: bool
    updated_at: datetime
    observed: Mapping[str, Any]
    zone: str | None = None
    private_ip: str | None = None
    public_ip: str | None = None
    address: str | None = None
    instance_type: str | None = None

    def is_as(self, found: Found) -> bool:
        """Whether nothing that is compared differs: most things of most pages, and no more is read of their rows."""
        return (
            self.observed == found.observed
            and self.status == status_of(found, self.status)
            and self.resource_id == found.resource_id
            and (self.private_ip, self.public_ip, self.address) == (found.private_ip, found.public_ip, found.address)
            and found.zone in {None, self.zone}
            and found.instance_type in {None, self.instance_type}
        )


class Verdict(StrEnum):
    """What to do about a thing that was seen."""

    IGNORE = "ignore"
    """It is nobody's and leaves, or belongs to a drill, or the list is older than our knowledge of its end."""
    ADOPT = "adopt"
    LEAVE = "leave"
    """It is known, and this page says nothing about its row: a saga is at work, or the row is as new as the page."""
    COMPARE = "compare"


class Rows:
    """The rows that a page may be about, to be found by the provider's id first, then by the token of our create."""

    def __init__(self, rows: Sequence[Known]) -> None:
        self.all = tuple(rows)
        self._by_id: dict[str, Known] = {}
        self._by_token: dict[str, Known] = {}
        for row in rows:
            if row.resource_id is not None:
                _keep_living(self._by_id, row.resource_id, row)
            elif row.token is not None:
                _keep_living(self._by_token, row.token, row)

    def of(self, found: Found) -> Known | None:
        """The living row before the terminated; a row that has another provider's id is not meant by its token."""
        known = self._by_id.get(found.resource_id)
        if known is None or known.status == TERMINATED:
            named = None if found.token is None else self._by_token.get(found.token)
            return named or known
        return known


def _keep_living(rows: dict[str, Known], key: str, row: Known) -> None:
    if key not in rows or rows[key].status == TERMINATED:
        rows[key] = row


def verdict(found: Found, known: Known | None, asked_at: datetime, settle: timedelta) -> Verdict:
    """Decide about one thing of a page that was asked for at `asked_at`."""
    if known is None:
        return Verdict.IGNORE if found.is_leaving or DRILL_TAG in found.tags else Verdict.ADOPT
    recent = known.updated_at > asked_at - settle
    if known.status == TERMINATED:
        return Verdict.IGNORE if found.is_leaving or recent else Verdict.ADOPT
    if known.is_busy or recent:
        return Verdict.LEAVE
    return Verdict.COMPARE


@dataclass(frozen=True, slots=True)
class Discovery:
    """The row of a thing that is adopted: everything but ids, places and times."""

    fields: dict[str, Any]
    tags: dict[str, str]


def discovery(found: Found) -> Discovery:
    """How a found thing is adopted: its own name and labels where it has some."""
    labels = labels_of(found.tags)
    configuration: dict[str, Any] = dict(found.facts)
    if found.instance_type is not None:
        configuration = {"instance_type": found.instance_type, **configuration}
    fields = {
        "resource_id": found.resource_id,
        "resource_name": labels.name or found.resource_id,
        "resource_status": PROVISIONING if found.status == STARTING else found.status,
        "status_reason": None,
        "size_category": size_category(configuration),
        "availability_zone": found.zone,
        "private_ip": found.private_ip,
        "public_ip": found.public_ip,
        "address": found.address,
        "configuration": configuration,
        "environment": labels.environment or UNLABELLED_ENVIRONMENT,
        "project": labels.project or UNASSIGNED_PROJECT,
        "origin": DISCOVERED,
    }
    return Discovery(fields, labels.own)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a read says that the row does not: `fields` of the row (`tags` among them), and `changes` for people.

    No `changes`: only what is kept for the next comparison differs, and nobody is told.
    """

    fields: dict[str, Any]
    changes: dict[str, Change]

    @property
    def status(self) -> str | None:
        """The new status, None when it stays."""
        status: str | None = self.fields.get("resource_status")
        return status


def difference(resource: Resource, observed: Mapping[str, Any], found: Found, now: datetime) -> Difference:
    """Compare a row, and what was observed before (empty: this is the first read of it), with what was seen now."""
    fields = {**_placement(resource, found), **_labels(resource, observed, found)}
    facts = {
        name: Change(before=observed[name], after=value)
        for name, value in found.facts.items()
        if name in observed and observed[name] != value
    }
    configuration = _configuration(resource, found)
    if configuration != resource.configuration:
        fields |= {"configuration": configuration, "size_category": size_category(configuration)}
    status = status_of(found, resource.resource_status)
    if status != resource.resource_status:
        fields |= _status_fields(status, found, now)
    fields = {name: value for name, value in fields.items() if value != getattr(resource, name)}
    return Difference(fields, {**_shown(resource, fields), **facts})


def vanished(resource: Resource, now: datetime, reason: str = VANISHED) -> Difference:
    """What a complete read says by not showing a thing."""
    fields: dict[str, Any] = {
        "resource_status": TERMINATED, "status_reason": reason, "terminated_at": now, "private_ip": None,
        "public_ip": None, "address": None,
    }  # fmt: skip
    fields = {name: value for name, value in fields.items() if value != getattr(resource, name)}
    return Difference(fields, _shown(resource, fields))


def status_of(found: Found, status: str) -> str:
    """The status that a found thing has: what starts may as well be starting for the first time."""
    if found.status == STARTING and status == PROVISIONING:
        return PROVISIONING
    return found.status


def event_of(before: str, after: str | None) -> str:
    """Which event tells a change: by the status that it led to, `updated` when that stays or is one in between."""
    if after is None or after == before:
        return "updated"
    return {RUNNING: "started", STOPPED: "stopped", ERROR: "failed", TERMINATED: "terminated"}.get(after, "updated")


def _placement(resource: Resource, found: Found) -> dict[str, Any]:
    """Where it is. A zone that the provider does not say stays; an address that it does not say is none.

    What is terminated has none, although some providers go on naming it.
    """
    has_address = found.status != TERMINATED
    return {
        "resource_id": found.resource_id,
        "availability_zone": found.zone or resource.availability_zone,
        "private_ip": found.private_ip if has_address else None,
        "public_ip": found.public_ip if has_address else None,
        "address": found.address if has_address else None,
    }


def _labels(resource: Resource, observed: Mapping[str, Any], found: Found) -> dict[str, Any]:
    """What changed in its tags between the reads, put onto what the row says: a wish of ours on its way there stays."""
    if "tags" not in observed:
        return {}
    before, after = labels_of(observed["tags"]), labels_of(found.tags)
    kept = {
        "resource_name": merged(resource.resource_name, before.name, after.name),
        "environment": merged(resource.environment, before.environment, after.environment),
        "project": merged(resource.project, before.project, after.project),
    }
    tags = {
        key: value
        for key in sorted({*resource.tags, *before.own, *after.own})
        if (value := _tag(resource.tags.get(key), before.own.get(key), after.own.get(key))) is not None
    }
    return {**kept, "tags": tags}


def _tag(mine: str | None, before: str | None, after: str | None) -> str | None:
    return after if before != after and mine == before else mine


def _configuration(resource: Resource, found: Found) -> dict[str, Any]:
    """Of what was provisioned only what it is paid by follows the cloud: the rest is what was asked for."""
    own = {} if found.instance_type is None else {"instance_type": found.instance_type}
    own |= {CAPACITY: found.facts[CAPACITY]} if CAPACITY in found.facts else {}
    if resource.origin == DISCOVERED:
        return {**own, **found.facts}
    return {**resource.configuration, **own}


def _status_fields(status: str, found: Found, now: datetime) -> dict[str, Any]:
    if status == TERMINATED:
        return {"resource_status": status, "status_reason": found.state_reason or TERMINATED_OUTSIDE,
                "terminated_at": now, "private_ip": None, "public_ip": None, "address": None}  # fmt: skip
    reason = None if status in SERVING else (found.state_reason or CHANGED_OUTSIDE)
    return {"resource_status": status, "status_reason": reason}


def _shown(resource: Resource, fields: Mapping[str, Any]) -> dict[str, Change]:
    """Before and after of what the row shows; of the configuration only the type, for its facts are told by name."""
    changes = {name: Change(before=getattr(resource, name), after=fields[name]) for name in _SHOWN if name in fields}
    if "configuration" in fields:
        before, after = resource.configuration.get("instance_type"), fields["configuration"].get("instance_type")
        if before != after:
            changes["instance_type"] = Change(before=before, after=after)
    return changes
