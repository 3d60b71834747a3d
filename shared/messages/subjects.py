"""Which subjects exist beside those of message classes? Metrics, dead letters, replays, timers, credentials."""

from uuid import UUID

from shared.messages.base import ROOT, SYSTEM

EVENTS_STREAM = "EVENTS"
METRICS_STREAM = "METRICS"
DEAD_STREAM = "DEAD"
CREDENTIALS_BUCKET = "CREDENTIALS"
CREDENTIALS_STREAM = f"KV_{CREDENTIALS_BUCKET}"
"""The stream under the bucket, as JetStream names it."""
BUDGETS_BUCKET = "BUDGETS"
BUDGETS_STREAM = f"KV_{BUDGETS_BUCKET}"
ALL_BUDGETS = f"$KV.{BUDGETS_BUCKET}.>"

ALL_EVENTS = f"{ROOT}.event.>"
ALL_METRICS = f"{ROOT}.metrics.>"
ALL_DEAD = f"{ROOT}.dead.>"


def command_stream(service: str) -> str:
    return f"CMD_{service.upper()}"


def metrics_subject(organization: UUID, provider_id: UUID, region: str) -> str:
    """One account and region; the provider's id because one organization may have two accounts of one cloud."""
    return f"{ROOT}.metrics.{organization}.{provider_id}.{region}"


def dead_subject(service: str, subject: str) -> str:
    """Where `service` puts what it could not process."""
    return f"{ROOT}.dead.{service}.{subject.removeprefix(f'{ROOT}.')}"


def dead_pattern(service: str) -> str:
    return f"{ROOT}.dead.{service}.>"


def replay_subject(service: str, subject: str) -> str:
    """A dead letter brought back: in that service's command stream, so nobody else sees it again."""
    return f"{ROOT}.replay.{service}.{subject.removeprefix(f'{ROOT}.')}"


def replay_pattern(service: str) -> str:
    return f"{ROOT}.replay.{service}.>"


def original_subject(service: str, subject: str) -> str:
    """The subject a dead letter or a replay had at first."""
    for prefix in (f"{ROOT}.dead.{service}.", f"{ROOT}.replay.{service}."):
        if subject.startswith(prefix):
            return f"{ROOT}.{subject.removeprefix(prefix)}"
    return subject


def timer_subject(service: str, timer: UUID | str) -> str:
    return f"{ROOT}.timer.{service}.{timer}"


def timer_pattern(service: str) -> str:
    return f"{ROOT}.timer.{service}.>"


def credentials_key(organization: UUID, provider_id: UUID) -> str:
    return f"{organization}.{provider_id}"


def credentials_subject(organization: UUID, provider_id: UUID) -> str:
    """The KV key's own subject: the outbox writes credentials like any other message."""
    return f"$KV.{CREDENTIALS_BUCKET}.{credentials_key(organization, provider_id)}"


def budget_subject(key: str) -> str:
    """Of the budget of calls to a cloud's API; the key has no organization in it, because accounts may be shared."""
    return f"$KV.{BUDGETS_BUCKET}.{key}"


def organization_of(subject: str) -> str:
    """The organization token of an event or metrics subject."""
    tokens = subject.split(".", 3)
    return tokens[2] if len(tokens) > 2 else SYSTEM


def stranger_pattern(organization: UUID) -> str:
    """Everything a subscriber of one organization may read."""
    return f"{ROOT}.event.{organization}.>"
