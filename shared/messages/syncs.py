"""Syncs: reading an account at its cloud, scope by scope, so that the inventory is complete or says that it is not."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.messages.base import Command, Facts, Mutation, Request
from shared.messages.operations import Operation

FactsState = Literal["fresh", "unknown"]


class AcceptedSync(Facts):
    """The sync that was accepted."""

    operation: Operation


class ScopeError(Facts):
    """Why a scope's last read did not reach its end, when that was, and how many reads in a row have not."""

    code: str
    detail: str
    retryable: bool
    failed_at: datetime
    failures: int


class ScopeState(Facts):
    """What is known of one scope: the things of one kind in one region of one account.

    `last_complete_at` is when the last read that reached the scope's end began: the facts are at most `age_s` old.
    Null: it was never read to its end. `unknown`: the last read failed, or was too long ago; then nothing of the scope
    counts as gone. `things` were seen by that read, `generation` counts the reads begun.
    """

    region: str
    resource_type: str
    resource_subtype: str
    state: FactsState
    last_complete_at: datetime | None
    age_s: float | None
    things: int
    generation: int
    is_reading: bool
    error: ScopeError | None


class ProviderSync(Facts):
    """How complete the inventory of an account is. `operation`: the sync that is at work now."""

    provider_id: UUID
    state: FactsState
    oldest_age_s: float | None
    sync_every_s: float
    operation: UUID | None
    scopes: list[ScopeState]


class SyncProvider(Mutation, entity="provider", name="sync", owner="provisioner", reply=AcceptedSync):
    """Accepts a read of all scopes of the account; 409 `sync_in_progress` while one is at work."""

    provider_id: UUID


class GetProviderSync(Request, entity="provider", name="get_sync", owner="provisioner", reply=ProviderSync):
    provider_id: UUID


class ReleaseResources(Command, entity="provider", name="release", owner="provisioner"):
    """Let go of what was only found in an account, or in a region of it, that is no longer looked at."""


class ScanProvider(Command, entity="provider", name="scan", owner="provisioner"):
    """Read the account's scopes: all, or those that are due. The aggregate is the provider."""

    only_due: bool = False
