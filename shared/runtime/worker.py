"""How does code that a tenant wrote run? In one worker process with a time limit: a runaway is killed, not awaited."""

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

T = TypeVar("T")

START_S = 20.0
"""The first call of a fresh process also imports; that time is not the tenant's."""


class Worker:
    """One process, started at the first call and again after a kill."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._lock = asyncio.Lock()

    async def run(self, limit_s: float, function: Callable[..., T], *arguments: object) -> T:
        """Call a module's function (picklable arguments). Raises TimeoutError after `limit_s`: the process is gone."""
        async with self._lock:
            pool = await self._started()
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(limit_s):
                    return await loop.run_in_executor(pool, function, *arguments)
            except (TimeoutError, BrokenProcessPool) as error:
                self._kill()
                raise TimeoutError(f"gave no answer within {limit_s:g} s") from error

    async def close(self) -> None:
        """End the process."""
        self._kill()

    async def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
            loop = asyncio.get_running_loop()
            async with asyncio.timeout(START_S):
                await loop.run_in_executor(self._pool, _begin)
        return self._pool

    def _kill(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        for process in list((pool._processes or {}).values()):  # noqa: SLF001 - the pool has no kill before 3.14
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """What the first call of a fresh process does."""
