"""Which streams and consumers exist? One idempotent reconcile step, a deploy job with its own credentials, owns them.

`python -m shared.bus.topology [--service costs …]`: services declare nothing themselves (FastStream and five services
would fight over the configuration) and wait until what they need is there.
"""

import argparse
import asyncio
import dataclasses
import importlib
import importlib.util
from dataclasses import dataclass

import structlog
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import NotFoundError, ServerError
from pydantic import Field

from shared.bus.commands import REPLAY, durable_of
from shared.bus.connection import create_bus
from shared.bus.router import Router
from shared.kit.settings import BaseServiceSettings
from shared.messages.subjects import (
    ALL_DEAD,
    ALL_EVENTS,
    ALL_METRICS,
    BUDGETS_BUCKET,
    CREDENTIALS_BUCKET,
    DEAD_STREAM,
    EVENTS_STREAM,
    METRICS_STREAM,
    command_stream,
    replay_pattern,
    timer_pattern,
)

DAY_S = 86_400
DUPLICATES_S = 600
MIB = 1024**2

ROUTERS = {
    "gateway": "services.gateway.handlers",
    "provisioner": "services.provisioner.handlers",
    "monitor": "services.monitor.handlers",
    "notifier": "services.monitor.notifier",
    "costs": "services.costs.handlers",
    "recovery": "services.recovery.handlers",
}
"""Where each process kind keeps its `router`. Imported only where that service's code is present."""

STORE_NOT_CREATED = 10049
"""The server's "error creating store for stream"; source: nats-server's errors.json, JSStreamStoreFailedF."""

log = structlog.get_logger(__name__)


class TopologySettings(BaseServiceSettings):
    """What the deploy job is told beside its way to the bus."""

    nats_replicas: int | None = Field(default=None, ge=1, le=5)
    """Copies of each stream in a NATS cluster. None keeps what is there, and makes one of what is new."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """One durable: the stream it reads and what it is configured to do."""

    stream: str
    config: ConsumerConfig


def shared_streams() -> list[StreamConfig]:
    """The streams that no single service owns."""
    return [
        StreamConfig(
            name=EVENTS_STREAM, subjects=[ALL_EVENTS], retention=RetentionPolicy.LIMITS, storage=StorageType.FILE,
            max_age=7 * DAY_S, max_bytes=2048 * MIB, discard=DiscardPolicy.OLD, duplicate_window=DUPLICATES_S,
            allow_direct=True,
        ),
        StreamConfig(
            name=METRICS_STREAM, subjects=[ALL_METRICS], retention=RetentionPolicy.LIMITS, storage=StorageType.FILE,
            max_age=2 * 3600, max_bytes=512 * MIB, discard=DiscardPolicy.OLD, duplicate_window=300,
        ),
        StreamConfig(
            name=DEAD_STREAM, subjects=[ALL_DEAD], retention=RetentionPolicy.LIMITS, storage=StorageType.FILE,
            max_age=30 * DAY_S, max_bytes=512 * MIB, discard=DiscardPolicy.OLD, duplicate_window=DUPLICATES_S,
        ),
    ]  # fmt: skip


def shared_buckets() -> list[KeyValueConfig]:
    """Budgets of APIs are learned anew when nobody asked for a day; credentials stay until they are purged."""
    return [
        KeyValueConfig(bucket=CREDENTIALS_BUCKET, history=1, direct=True),
        KeyValueConfig(bucket=BUDGETS_BUCKET, history=1, direct=True, ttl=DAY_S),
    ]


def command_stream_of(router: Router) -> StreamConfig:
    """The work queue of one service: exactly its command classes, its timers and its replays.

    The server refuses schedules together with DiscardPolicy.NEW; so there is no size limit: OLD would drop work.
    """
    service = router.service
    patterns = [cls.pattern() for cls in (*router.commands, *router.programs)]
    return StreamConfig(
        name=command_stream(service), subjects=[*patterns, timer_pattern(service), replay_pattern(service)],
        retention=RetentionPolicy.WORK_QUEUE, storage=StorageType.FILE, max_age=7 * DAY_S,
        discard=DiscardPolicy.OLD, duplicate_window=DUPLICATES_S, allow_msg_schedules=True, allow_msg_ttl=True,
    )  # fmt: skip


def consumers_of(router: Router, ack_wait_s: float = 30) -> list[Consumer]:
    """Every durable of one service. `max_deliver` is endless: failures.py writes the dead letters."""
    stream = command_stream(router.service)
    found = [
        Consumer(stream, _durable(durable_of(cls), [cls.pattern()], ack_wait_s, 256))
        for cls in (*router.commands, *router.programs)
    ]
    found.append(Consumer(stream, _durable(REPLAY, [replay_pattern(router.service)], ack_wait_s, 16)))
    if router.events:
        filters = sorted(cls.pattern() for cls in router.events)
        found.append(Consumer(EVENTS_STREAM, _durable(router.service, filters, ack_wait_s, 2000)))
    if router.metrics is not None:
        found.append(Consumer(METRICS_STREAM, _durable(router.service, [ALL_METRICS], 60, 400)))
    return found


def _durable(name: str, filters: list[str], ack_wait_s: float, pending: int) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name, deliver_policy=DeliverPolicy.ALL, ack_policy=AckPolicy.EXPLICIT, ack_wait=ack_wait_s,
        max_deliver=-1, max_ack_pending=pending,
        filter_subject=filters[0] if len(filters) == 1 else None,
        filter_subjects=filters if len(filters) > 1 else None,
    )  # fmt: skip


async def reconcile(
    jetstream: JetStreamContext, routers: list[Router], *, replicas: int | None = None, ack_wait_s: float = 30
) -> None:
    """Make streams and consumers what the routers say; what no router names any more is removed. Idempotent.

    `replicas` None keeps the number of copies of what exists: a redeploy must not thin out a cluster.
    """
    for stream in shared_streams():
        await _put_stream(jetstream, stream, replicas)
    for bucket in shared_buckets():
        await _put_bucket(jetstream, bucket, replicas)
    for router in routers:
        stream = command_stream_of(router)
        consumers = consumers_of(router, ack_wait_s)
        await _drop_strangers(jetstream, str(stream.name), {str(item.config.durable_name) for item in consumers})
        await _put_stream(jetstream, stream, replicas)
        for consumer in consumers:
            await jetstream.add_consumer(consumer.stream, consumer.config)


async def _put_stream(jetstream: JetStreamContext, config: StreamConfig, replicas: int | None) -> None:
    try:
        known = (await jetstream.stream_info(str(config.name))).config
    except NotFoundError:
        await _add_stream(jetstream, config.evolve(num_replicas=replicas or 1))
    else:
        await jetstream.update_stream(config.evolve(num_replicas=replicas or known.num_replicas))


async def _add_stream(jetstream: JetStreamContext, config: StreamConfig) -> None:
    """Also where a stream of that name was deleted just now: the server may still be removing its files."""
    for wait_s in (0.1, 0.5, 2.0, None):
        try:
            await jetstream.add_stream(config)
        except ServerError as error:
            if error.err_code != STORE_NOT_CREATED or wait_s is None:
                raise
            await asyncio.sleep(wait_s)
        else:
            log.info("stream added", stream=config.name)
            return


async def _put_bucket(jetstream: JetStreamContext, config: KeyValueConfig, replicas: int | None) -> None:
    try:
        known = (await jetstream.stream_info(f"KV_{config.bucket}")).config
    except NotFoundError:
        await jetstream.create_key_value(dataclasses.replace(config, replicas=replicas or 1))
        log.info("bucket added", bucket=config.bucket)
    else:
        if replicas not in {None, known.num_replicas}:
            await jetstream.update_stream(known.evolve(num_replicas=replicas))


async def _drop_strangers(jetstream: JetStreamContext, stream: str, wanted: set[str]) -> None:
    """A command nobody does any more has no consumer; on a work queue its filter would also block a successor's."""
    try:
        present = await jetstream.consumers_info(stream)
    except NotFoundError:
        return
    for info in present:
        if info.name not in wanted:
            await jetstream.delete_consumer(stream, info.name)
            log.info("consumer removed", stream=stream, consumer=info.name)


def load_router(service: str) -> Router:
    """The router of a service whose code is here. Raises LookupError."""
    module = ROUTERS.get(service)
    if module is None or importlib.util.find_spec(module.rpartition(".")[0]) is None:
        raise LookupError(f"there is no service {service!r} here")
    router = importlib.import_module(module).router
    if not isinstance(router, Router):
        raise LookupError(f"{module}.router is not a Router")  # noqa: TRY004 - one error for "not a service"
    return router


def present_services() -> list[str]:
    """Those whose code is in this image or checkout."""
    return [name for name, module in ROUTERS.items() if importlib.util.find_spec(".".join(module.split(".")[:2]))]


async def apply(settings: TopologySettings, services: list[str]) -> None:
    """Connect with the deploy job's credentials and reconcile."""
    routers = [load_router(service) for service in services]
    bus = create_bus(settings, settings.nats_user or "topology")
    await bus.open()
    try:
        await reconcile(bus.jetstream, routers, replicas=settings.nats_replicas, ack_wait_s=settings.ack_wait_s)
    finally:
        await bus.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", action="append", default=[], help="only these (default: all that are here)")
    arguments = parser.parse_args()
    asyncio.run(apply(TopologySettings(), arguments.service or present_services()))


if __name__ == "__main__":
    main()
