"""Has the audit log been touched? Each entry's hash covers the one before, and signed checkpoints cover the rest.

The chain alone shows a changed, removed, inserted or moved entry. It does not show a tail that was cut off, nor a log
that was rewritten from some entry on with all its hashes: checkpoints do, since their key is not in the database.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from services.gateway.domain.canonical_json import canonical_json
from services.gateway.domain.signatures import SigningKeys
from shared.messages.audit import AuditRecorded


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What somebody did. `details` is JSON and never holds a secret."""

    id: UUID
    time: datetime
    organization: UUID
    actor: str
    action: str
    target_type: str
    target_id: UUID
    target_name: str | None
    details: Mapping[str, Any]
    correlation_id: UUID

    @classmethod
    def of(cls, event: AuditRecorded, organization: UUID) -> Self:
        """The entry that an owner's event asks for."""
        return cls(
            id=event.id,
            time=event.time,
            organization=organization,
            actor=event.actor,
            action=event.action,
            target_type=event.target_type,
            target_id=event.aggregate_id,
            target_name=event.target_name,
            details=event.details,
            correlation_id=event.correlation_id,
        )

    def content(self) -> dict[str, Any]:
        """The entry as JSON, the same before and after the database: UTC to the microsecond, ids as text."""
        return {
            "id": str(self.id),
            "time": self.time.astimezone(UTC).isoformat(timespec="microseconds"),
            "organization": str(self.organization),
            "actor": self.actor,
            "action": self.action,
            "target_type": self.target_type,
            "target_id": str(self.target_id),
            "target_name": self.target_name,
            "details": dict(self.details),
            "correlation_id": str(self.correlation_id),
        }


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where a chain stands: the last entry's sequence (0: none yet) and hash (hexadecimal SHA-256)."""

    sequence: int
    entry_hash: str


@dataclass(frozen=True, slots=True)
class ChainedEntry:
    """An entry in its place in its organization's chain."""

    entry: AuditEntry
    sequence: int
    previous_hash: str
    entry_hash: str

    @property
    def head(self) -> ChainHead:
        """The chain's head once this is its last entry."""
        return ChainHead(self.sequence, self.entry_hash)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head: at `time` the chain of `organization` stood there."""

    organization: UUID
    head: ChainHead
    time: datetime
    signature: str


@dataclass(frozen=True, slots=True)
class ChainVerification:
    """What a walk over a chain found: the entries in order, the first that is not, and whether the end is gone."""

    entries: int
    first_invalid: UUID | None = None
    tail_missing: bool = False

    @property
    def valid(self) -> bool:
        """Whether nothing was found."""
        return self.first_invalid is None and not self.tail_missing


def genesis(organization: UUID) -> ChainHead:
    """The head of a chain without entries; of its own for each organization, so that chains cannot be swapped."""
    return ChainHead(0, hashlib.sha256(b"canopy/audit/v1/" + organization.bytes).hexdigest())


def append(head: ChainHead, entry: AuditEntry) -> ChainedEntry:
    """Put `entry` behind `head`. Raises ValueError when its details are not JSON."""
    sequence = head.sequence + 1
    return ChainedEntry(entry, sequence, head.entry_hash, entry_hash(head.entry_hash, sequence, entry))


def entry_hash(previous_hash: str, sequence: int, entry: AuditEntry) -> str:
    """SHA-256 of the previous hash (32 bytes) and the canonical JSON of place and content, in hexadecimal."""
    body = canonical_json({"sequence": sequence, "entry": entry.content()})
    return hashlib.sha256(bytes.fromhex(previous_hash) + body).hexdigest()


def verify(
    entries: Iterable[ChainedEntry], start: ChainHead, checkpoints: Iterable[Checkpoint] = ()
) -> ChainVerification:
    """Walk `entries` by sequence from `start`: the genesis, or the checkpoint just before the oldest entry kept.

    `checkpoints` are genuine (see `checkpoint_is_genuine`). The walk ends at the first entry that is not as written.
    """
    expected_at = {checkpoint.head.sequence: checkpoint.head for checkpoint in checkpoints}
    head, count = start, 0
    for chained in entries:
        if not _follows(chained, head) or expected_at.get(chained.sequence, chained.head) != chained.head:
            return ChainVerification(count, first_invalid=chained.entry.id)
        head, count = chained.head, count + 1
    return ChainVerification(count, tail_missing=max(expected_at, default=0) > head.sequence)


class ChainWalk:
    """A walk over one organization's chain, some entries at a time; `head` is how far it came.

    `checkpoints` are genuine, by sequence. Without `after`, it starts at the genesis, or, when older entries were
    dropped, at the checkpoint just before the oldest one kept.
    """

    def __init__(self, organization: UUID, checkpoints: Sequence[Checkpoint], after: ChainHead | None = None) -> None:
        self.head = after or genesis(organization)
        self.entries = 0
        self.first_sequence = 0
        self.first_invalid: UUID | None = None
        self._checkpoints = checkpoints
        self._begun = after is not None

    def take(self, entries: Sequence[ChainedEntry]) -> None:
        """Walk on over the next entries, at least one; ends at the first that is not as written."""
        first, last = entries[0].sequence, entries[-1].sequence
        if self.entries == 0:
            self.first_sequence = first
        if not self._begun:
            before = [each.head for each in self._checkpoints if each.head.sequence == first - 1]
            self.head, self._begun = before[0] if before else self.head, True
        within = [each for each in self._checkpoints if first <= each.head.sequence <= last]
        found = verify(entries, self.head, within)
        self.entries += found.entries
        self.first_invalid = found.first_invalid
        if found.entries:
            self.head = entries[found.entries - 1].head

    def tail_missing(self, said: ChainHead) -> bool:
        """At its end: whether the chain is said to go on, or a checkpoint lies behind."""
        return max([said.sequence, *(each.head.sequence for each in self._checkpoints)]) > self.head.sequence


def sign_checkpoint(organization: UUID, head: ChainHead, time: datetime, keys: SigningKeys) -> Checkpoint:
    """Make the checkpoint of a head."""
    return Checkpoint(organization, head, time, keys.sign(_signed_text(organization, head, time)))


def checkpoint_is_genuine(checkpoint: Checkpoint, keys: SigningKeys) -> bool:
    """Whether this deployment signed the checkpoint as it is."""
    text = _signed_text(checkpoint.organization, checkpoint.head, checkpoint.time)
    return keys.verifies(text, checkpoint.signature)


def _follows(chained: ChainedEntry, head: ChainHead) -> bool:
    if (chained.sequence, chained.previous_hash) != (head.sequence + 1, head.entry_hash):
        return False
    try:
        return entry_hash(head.entry_hash, chained.sequence, chained.entry) == chained.entry_hash
    except ValueError:
        return False  # what is not JSON was never written by `append`


def _signed_text(organization: UUID, head: ChainHead, time: datetime) -> bytes:
    return canonical_json(
        {
            "organization": str(organization),
            "sequence": head.sequence,
            "entry_hash": head.entry_hash,
            "time": time.astimezone(UTC).isoformat(timespec="microseconds"),
        }
    )
