"""How does one tenant's failure not stop what a job does for all others? Each part is done apart."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog

from shared.bus.failures import is_connectivity

Part = TypeVar("Part")

log = structlog.get_logger(__name__)


async def each_apart(parts: Iterable[Part], run: Callable[[Part], Awaitable[object]]) -> None:
    """Do all parts, also after one has failed.

    An outage ends the run at once: it is every part's. Other failures are logged where they happen and raised together
    at the end as an ExceptionGroup, so that the run counts as failed.
    """
    failures: list[Exception] = []
    for part in parts:
        try:
            await run(part)
        except Exception as error:
            if is_connectivity(error):
                raise
            log.exception("a part of a job failed", part=str(part))
            failures.append(error)
    if failures:
        raise ExceptionGroup("parts of a job failed", failures)
