"""What runs by the clock? Jobs, each once per interval however many replicas there are: a row and a lease decide."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.db.engine import Database
from shared.db.tables import schedule
from shared.kit.cancellation import stop_if_cancelled
from shared.kit.telemetry import JOB_RUNS, tracer
from shared.messages.context import Context

Job = Callable[[Any], Awaitable[object]]

_NOW = func.clock_timestamp()
_FREE = or_(schedule.c.lease_until.is_(None), schedule.c.lease_until < _NOW)
_DUE = and_(schedule.c.next_run_at <= _NOW, _FREE)
LOOK_S = 1.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One job: its name, its interval, and how long a run may take before another replica starts the next."""

    name: str
    every_s: float
    run: Job
    lease_s: float


class Jobs:
    """The jobs of one service."""

    def __init__(self) -> None:
        self.scheduled: list[Scheduled] = []

    def add(self, seconds: float, name: str, run: Job, *, lease_s: float | None = None) -> None:
        """Run a function of deps once per interval, on one replica."""
        self.scheduled.append(Scheduled(name, seconds, run, lease_s or max(60.0, seconds * 2)))


class Scheduler:
    """Runs a service's jobs. Missed runs are not made up for: the next one sees what is there.

    All of a replica's jobs share one look: a service with a dozen jobs, all idle, asks its database one thing a second.
    """

    def __init__(self, database: Database, jobs: Jobs, deps: Any, owner: str) -> None:
        self._database = database
        self._jobs = {job.name: job for job in jobs.scheduled}
        self._deps = deps
        self._owner = owner
        self._running: set[str] = set()
        self._enrolled = False

    async def run(self) -> None:
        """Run until cancelled; returns at once when there are no jobs."""
        if not self._jobs:
            return
        look_s = min([LOOK_S, *(job.every_s / 2 for job in self._jobs.values())])
        async with asyncio.TaskGroup() as group:
            while True:
                try:
                    for name in await self._due():
                        self._running.add(name)
                        group.create_task(self._once(self._jobs[name]))
                except Exception:
                    log.exception("jobs could not be looked at")
                stop_if_cancelled()
                await asyncio.sleep(look_s)

    async def _due(self) -> list[str]:
        """The jobs whose time has come and that nobody runs; another replica may still be the first to claim one."""
        idle = [name for name in self._jobs if name not in self._running]
        async with self._database.work(Context.background()) as work:
            if not self._enrolled:
                rows = [{"name": name, "next_run_at": _NOW} for name in self._jobs]
                await work.execute(insert(schedule).values(rows).on_conflict_do_nothing())
            due = await work.execute(select(schedule.c.name).where(schedule.c.name.in_(idle), _DUE))
            names = list(due.scalars())
        self._enrolled = True
        return names

    async def _once(self, job: Scheduled) -> None:
        try:
            if await self._claim(job):
                await self._run(job)
                await self._release(job)
        except Exception:
            log.exception("job failed", job=job.name)
        finally:
            self._running.discard(job.name)

    async def _run(self, job: Scheduled) -> None:
        try:
            with tracer.start_as_current_span(f"job {job.name}"), structlog.contextvars.bound_contextvars(job=job.name):
                async with asyncio.timeout(job.lease_s):
                    await job.run(self._deps)
        except Exception:
            JOB_RUNS.labels(job.name, "failed").inc()
            log.exception("job failed", job=job.name)
        else:
            JOB_RUNS.labels(job.name, "ok").inc()

    async def _claim(self, job: Scheduled) -> bool:
        """True when this replica runs the job now."""
        async with self._database.work(Context.background()) as work:
            claimed = await work.execute(
                update(schedule)
                .where(schedule.c.name == job.name, _DUE)
                .values(
                    next_run_at=_NOW + timedelta(seconds=job.every_s),
                    lease_until=_NOW + timedelta(seconds=job.lease_s),
                    owner=self._owner,
                )
            )
            return claimed.rowcount == 1

    async def _release(self, job: Scheduled) -> None:
        async with self._database.work(Context.background()) as work:
            await work.execute(
                update(schedule)
                .where(schedule.c.name == job.name, schedule.c.owner == self._owner)
                .values(lease_until=None, finished_at=_NOW)
            )
