"""How do the services share the budgets of the clouds' APIs? A KV bucket, compare and set by revision.

Keys come from `shared.clouds.budget.limiter.budget_key`. Who follows a key hears each write of it by a plain
subscription: what is put into a bucket is a message like any other, and no consumer has to be made for it. A write that
the bucket refuses is heard too; it has the edition of the one that it lost to, which came before, and changes nothing.
"""

from collections.abc import Awaitable, Callable

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError

from shared.bus.connection import Bus
from shared.clouds.budget.ledger import Away, Outdated
from shared.messages.subjects import BUDGETS_STREAM, budget_subject

_EXPECTED = "Nats-Expected-Last-Subject-Sequence"
_WRONG_LAST_SEQUENCE = 10071
"""Source: nats-server's errors.json, JSStreamWrongLastSequenceErrF."""
_TIMEOUT_S = 2.0


class BudgetLedger:
    """`shared.clouds.budget.ledger.Ledger` over the bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def read(self, key: str) -> tuple[bytes | None, int]:
        """The record and its revision, 0 without one. Raises Away."""
        self._need_bus()
        try:
            message = await self._bus.jetstream.get_last_msg(BUDGETS_STREAM, budget_subject(key), direct=True)
        except NotFoundError:
            return None, 0
        except (NatsError, OSError, TimeoutError) as error:
            raise Away from error
        return message.data, message.seq or 0

    async def write(self, key: str, record: bytes, revision: int) -> None:
        """Replace what had that revision. Raises Outdated and Away."""
        self._need_bus()
        headers = {_EXPECTED: str(revision)}
        try:
            await self._bus.jetstream.publish(budget_subject(key), record, timeout=_TIMEOUT_S, headers=headers)
        except APIError as error:
            raise (Outdated if error.err_code == _WRONG_LAST_SEQUENCE else Away) from error
        except (NatsError, OSError, TimeoutError) as error:
            raise Away from error

    async def follow(self, key: str, told: Callable[[bytes], None]) -> Callable[[], Awaitable[None]]:
        """Call `told` with each new record until what is returned is called. Raises Away."""
        self._need_bus()

        async def hear(message: Msg) -> None:
            told(message.data)

        try:
            subscription = await self._bus.client.subscribe(budget_subject(key), cb=hear)
        except (NatsError, OSError) as error:
            raise Away from error

        async def stop() -> None:
            try:
                await subscription.unsubscribe()
            except (NatsError, OSError) as error:
                raise Away from error

        return stop

    def _need_bus(self) -> None:
        """A call may come before the connection stands, and while it is being made again: waiting is not worth it."""
        if not self._bus.is_connected:
            raise Away
