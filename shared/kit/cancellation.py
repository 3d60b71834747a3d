"""Was this task asked to stop? For loops that run until they are cancelled."""

import asyncio


def stop_if_cancelled() -> None:
    """Raise CancelledError when a cancellation was swallowed on the way.

    `asyncio.wait_for` before Python 3.12 swallows it when what it waits for ends in the same moment, and libraries use
    it: a loop that goes on then never ends, and neither does the process.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
