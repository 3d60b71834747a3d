"""How does a service live? Start in any order, wait for what it needs, serve, drain on SIGTERM.

A service's `main.py` gives `build(foundation) -> Application`; everything else about a process is the same for all and
stands here.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

import structlog
import uvicorn
import uvloop
from nats.js.errors import NotFoundError

from shared.bus.commands import CommandConsumer
from shared.bus.connection import Bus, create_bus
from shared.bus.events import EventConsumer
from shared.bus.metrics import MetricsConsumer
from shared.bus.responder import Responder
from shared.bus.router import Router
from shared.bus.topology import consumers_of
from shared.db.engine import Database, create_engine
from shared.db.idempotency import forget_old_keys
from shared.db.inbox import forget_old
from shared.db.journal import Journal, JournalSettings
from shared.db.outbox import Relay
from shared.db.revisions import current, known
from shared.db.sagas import forget_finished
from shared.kit.clock import Clock, SystemClock
from shared.kit.settings import BaseServiceSettings
from shared.messages.context import Context
from shared.runtime.health import Check, health_application
from shared.runtime.jobs import Jobs, Scheduler
from shared.runtime.logging import configure_logging
from shared.runtime.memory import keep_few_heaps, set_apart_what_stays
from shared.runtime.tracing import configure_tracing

S = TypeVar("S", bound=BaseServiceSettings)

log = structlog.get_logger(__name__)


@dataclass
class Foundation(Generic[S]):
    """What every service stands on, made before its own `build` runs."""

    settings: S
    bus: Bus
    database: Database
    journal: Journal
    clock: Clock = field(default_factory=SystemClock)


@dataclass
class Application:
    """What a service gives to its process. `http` is what it serves to the world, on a port of its own (the gateway's).

    Health and metrics stay on `http_port` in every process: they are the deployment's, not the world's.
    """

    router: Router
    deps: Any
    jobs: Jobs = field(default_factory=Jobs)
    background: list[Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=list)
    close: Callable[[], Awaitable[None]] | None = None
    http: Any = None
    """An ASGI application."""
    public_port: int = 0


Build = Callable[[Foundation[S]], Awaitable[Application]]


class _Server(uvicorn.Server):
    """Signals belong to the process: draining the bus comes before closing the port."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Process(Generic[S]):
    """One running service. `database_service` differs from the name where two process kinds share a database.

    `on_started` is called once everything that stays has been made.
    """

    def __init__(
        self,
        name: str,
        settings: S,
        build: Build[S],
        database_service: str = "",
        on_started: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.settings = settings
        self._build = build
        self._database_service = database_service or name
        self._on_started = on_started
        self.foundation: Foundation[S] | None = None
        self._stop = asyncio.Event()
        self._ready: dict[str, bool] = {"migrations": False, "topology": False, "started": False}
        replica = settings.replica or socket.gethostname()
        self._owner = f"{name}@{replica}:{os.getpid()}"

    @property
    def started(self) -> bool:
        """Everything it needs was there and it serves."""
        return self._ready["started"]

    def stop(self) -> None:
        """Begin to drain."""
        self._stop.set()

    async def run(self) -> None:
        """Live until `stop` or until a part fails; then drain what was begun."""
        foundation = self.foundation = self._foundation()
        application = await self._build(foundation)
        servers = self._servers(application, foundation)
        async with asyncio.TaskGroup() as group:
            serving = [group.create_task(server.serve()) for server in servers]
            living = group.create_task(self._live(application, foundation))
            group.create_task(self._end(servers, living, serving))
        await foundation.database.close()

    async def _end(
        self, servers: list[uvicorn.Server], living: "asyncio.Task[None]", serving: "list[asyncio.Task[None]]"
    ) -> None:
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([stopping, living, *serving], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        for server in servers:
            server.should_exit = True
        await asyncio.wait(serving, timeout=self.settings.drain_s)
        living.cancel()

    def _foundation(self) -> Foundation[S]:
        settings = self.settings
        engine = create_engine(
            settings.database_url.get_secret_value(), pool_size=settings.database_pool_size, application_name=self.name
        )
        database = Database(engine, self._database_service)
        journal = Journal(database, JournalSettings(lease_s=settings.lease_s), self._owner)
        return Foundation(settings, create_bus(settings, self.name), database, journal)

    def _servers(self, application: Application, foundation: Foundation[S]) -> list[uvicorn.Server]:
        checks: dict[str, Check] = {
            "nats": foundation.bus.is_reachable,
            "database": foundation.database.is_reachable,
            **{part: self._check(part) for part in self._ready},
        }
        servers = [self._server(health_application(self.name, checks), self.settings.http_port)]
        if application.http is not None:
            servers.append(self._server(application.http, application.public_port))
        return servers

    def _server(self, http: Any, port: int) -> uvicorn.Server:
        config = uvicorn.Config(
            http, host=self.settings.http_host, port=port, log_config=None, access_log=False,
            lifespan="off", timeout_graceful_shutdown=int(self.settings.drain_s), server_header=False,
            ws_ping_interval=20, ws_ping_timeout=20, h11_max_incomplete_event_size=64 * 1024,
            proxy_headers=False,  # uvicorn believes anybody on loopback; the gateway says itself whom it believes
        )  # fmt: skip
        return _Server(config)

    def _check(self, part: str) -> Check:
        async def check() -> bool:
            return self._ready[part]

        return check

    async def _live(self, application: Application, foundation: Foundation[S]) -> None:
        database, bus, router = foundation.database, foundation.bus, application.router
        await self._wait_for_migrations()
        await bus.open()
        await self._wait_for_topology(bus, router)
        responder = Responder(bus, router, application.deps, self.settings.request_concurrency)
        events = EventConsumer(bus, router, application.deps, database)
        metrics = MetricsConsumer(bus, router, application.deps)
        commands = CommandConsumer(
            bus,
            router,
            application.deps,
            foundation.journal,
            events,
            metrics,
            self.settings.command_concurrency,
            self.settings.ack_wait_s,
        )
        commands.subscribe()
        relay = self._relay(foundation)
        relay.until_calm = responder.until_calm
        scheduler = Scheduler(database, self._jobs(application, foundation), application.deps, self._owner)
        tasks: list[Callable[[], Coroutine[Any, Any, None]]] = [
            relay.run,
            partial(self._watch_topology, bus, router),
            scheduler.run,
            *application.background,
        ]
        if router.events:
            tasks.append(events.run)
        if router.metrics is not None:
            tasks.append(metrics.run)
        try:
            await bus.broker.start()
            await responder.start()
            self._on_started()
            self._ready["started"] = True
            log.info("started", owner=self._owner)
            async with asyncio.TaskGroup() as group:
                for start in tasks:
                    group.create_task(start())
        finally:
            await self._drain(application, bus, responder, commands)

    async def _drain(self, application: Application, bus: Bus, responder: Responder, commands: CommandConsumer) -> None:
        self._ready["started"] = False
        for stop in (responder.stop, bus.stop_consuming, commands.stop, bus.close):
            with suppress(Exception):
                await stop()
        if application.close is not None:
            await application.close()
        log.info("stopped")

    def _relay(self, foundation: Foundation[S]) -> Relay:
        url = self.settings.database_url.get_secret_value()
        relay = Relay(url, self._database_service, foundation.bus.publish)
        foundation.database.wake = relay.wake
        foundation.database.relay_is_here = lambda: relay.is_leader
        return relay

    def _jobs(self, application: Application, foundation: Foundation[S]) -> Jobs:
        """The service's own jobs and those that every service has."""
        jobs = Jobs()
        jobs.scheduled = list(application.jobs.scheduled)

        async def requeue(_: Any) -> int:
            return await foundation.journal.requeue()

        async def tidy(_: Any) -> int:
            async with foundation.database.work(Context.background()) as work:
                return await forget_old(work) + await forget_old_keys(work) + await forget_finished(work)

        if application.router.programs:
            jobs.add(5, f"{self.name}.requeue", requeue)
        jobs.add(3600, f"{self.name}.tidy", tidy)
        return jobs

    async def _wait_for_migrations(self) -> None:
        """Older than this code: wait. Newer: go on, because migrations only expand while old code may run."""
        revisions = known(self._database_service)
        url = self.settings.database_url.get_secret_value()
        while True:
            try:
                at = await asyncio.to_thread(current, url)
            except Exception as error:  # noqa: BLE001 - the database may be anything from away to starting
                log.info("waiting for the database", error=type(error).__name__)
            else:
                if at is not None and (at == revisions[-1] or at not in revisions):
                    self._ready["migrations"] = True
                    return
                log.info("waiting for migrations", at=at, head=revisions[-1])
            await asyncio.sleep(0.5)

    async def _wait_for_topology(self, bus: Bus, router: Router) -> None:
        while not await self._topology_stands(bus, router):
            log.info("waiting for the topology")
            await asyncio.sleep(0.5)
        self._ready["topology"] = True

    async def _watch_topology(self, bus: Bus, router: Router) -> None:
        """A consumer that is deleted leaves its subscriber silently dead: say so through readiness."""
        while True:
            await asyncio.sleep(30)
            with suppress(OSError, TimeoutError):
                self._ready["topology"] = await self._topology_stands(bus, router)

    async def _topology_stands(self, bus: Bus, router: Router) -> bool:
        try:
            for consumer in consumers_of(router):
                await bus.jetstream.consumer_info(consumer.stream, str(consumer.config.durable_name), timeout=2)
        except NotFoundError:
            return False
        except Exception as error:  # noqa: BLE001 - also a permission that is not there yet looks like a time-out
            log.info("topology not readable", error=type(error).__name__)
            return self._ready["topology"]
        return True


def run(name: str, settings: S, build: Build[S], database_service: str = "") -> None:
    """Run one service until SIGTERM or SIGINT. Called by `__main__`."""
    keep_few_heaps()
    set_apart_what_stays()
    configure_logging(name, settings.log_level)
    configure_tracing(name, settings.otlp_endpoint, settings.trace_sample_ratio)

    async def main() -> None:
        process = Process(name, settings, build, database_service, on_started=set_apart_what_stays)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, process.stop)
        with suppress(asyncio.CancelledError):
            await process.run()

    uvloop.run(main())
