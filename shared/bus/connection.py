"""How does a process reach the bus? One NATS connection under FastStream's broker, and what is sent over it."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from faststream import AckPolicy
from faststream.nats import NatsBroker
from faststream.security import BaseSecurity, SASLPlaintext
from nats.aio.client import Client
from nats.errors import MaxPayloadError, NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from opentelemetry import propagate

from shared.bus.replies import STATUS, Reply, raise_problem
from shared.kit.errors import TimedOut, TooLarge, Unavailable
from shared.kit.settings import BaseServiceSettings
from shared.kit.telemetry import tracer
from shared.messages.base import Request

PUBLISH_TIMEOUT_S = 5.0

log = structlog.get_logger(__name__)


@dataclass
class Bus:
    """An open connection. `broker` is FastStream's, `client` the nats-py connection below it."""

    broker: NatsBroker
    name: str
    client: Client = field(init=False)
    jetstream: JetStreamContext = field(init=False)
    reconnected: list[Callable[[], None]] = field(default_factory=list)

    @property
    def inbox_prefix(self) -> bytes:
        """Where replies and pulled messages may arrive; FastStream's subscribers forget the connection's own."""
        return f"_INBOX.{self.name}.".encode()

    async def open(self) -> None:
        """Connect; waits for a server that is not there yet. Raises what is wrong with the credentials."""
        while True:
            try:
                self.client = await self.broker.connect()
                break
            except (OSError, NatsTimeoutError, TimeoutError) as error:
                log.info("waiting for NATS", error=type(error).__name__)
                await asyncio.sleep(0.5)
        self.jetstream = self.client.jetstream(timeout=PUBLISH_TIMEOUT_S)

    async def publish(self, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        """Store a message in its stream; returns after the acknowledgement, raises when there was none."""
        await self.jetstream.publish(subject, payload, timeout=PUBLISH_TIMEOUT_S, headers=dict(headers))

    async def flush(self) -> None:
        """Return when the server has all that was sent and subscribed before.

        Twice, because the PING of nats-py's flush overtakes what waits to be written (`_send_ping` writes it at once):
        a responder was "started" and yet nobody was there to answer.
        """
        await self.client.flush()
        await self.client.flush()

    async def ask(self, request: Request) -> Reply:
        """Send a request to its owner; its errors are replies. Raises Unavailable (owner away), TimedOut, TooLarge."""
        cls = type(request)
        headers: dict[str, str] = {}
        with tracer.start_as_current_span(f"ask {cls.pattern()}"):
            propagate.inject(headers)
            try:
                message = await self.client.request(
                    request.subject(), request.to_bytes(), timeout=cls.timeout_s, headers=headers
                )
            except NoRespondersError:
                raise Unavailable(f"{cls.owner} is away", retry_after_s=2) from None
            except (NatsTimeoutError, TimeoutError):
                raise TimedOut(f"{cls.owner} did not answer within {cls.timeout_s:g} s") from None
            except MaxPayloadError:
                raise TooLarge("the request does not fit into one message") from None
            except (OSError, RuntimeError) as error:
                raise Unavailable("the bus is away", retry_after_s=2) from error
        return Reply(message.data, int((message.headers or {}).get(STATUS, "200")), message.headers or {})

    async def ask_for(self, request: Request) -> Any:
        """The reply as the request's reply model. Raises the owner's error as CanopyError."""
        reply = await self.ask(request)
        raise_problem(reply)
        return type(request).reply.model_validate_json(reply.body)

    @property
    def is_connected(self) -> bool:
        """Whether something that is sent now would go out at once; False also before `open`."""
        client: Client | None = getattr(self, "client", None)
        return client is not None and client.is_connected

    async def is_reachable(self) -> bool:
        try:
            await self.client.flush(timeout=1)
        except Exception:  # noqa: BLE001 - readiness turns every failure into an answer
            return False
        return True

    async def stop_consuming(self) -> None:
        """Fetch no more; let subscribers finish what they do, up to the drain time."""
        await asyncio.gather(*(subscriber.stop() for subscriber in self.broker.subscribers))

    async def close(self) -> None:
        """Close the connection. Not by the client's own drain, which waits 30 s for messages that nobody will take."""
        await self.stop_consuming()
        with suppress(Exception):  # what could not be said any more is delivered again
            await self.client.flush(timeout=1)
        await self.client.close()


def create_bus(settings: BaseServiceSettings, name: str) -> Bus:
    """A bus for one process; reconnects for ever. `name` is the NATS user, whose inbox is `_INBOX.<name>`."""
    hooks: list[Callable[[], None]] = []

    async def on_reconnect() -> None:
        log.info("reconnected to NATS")
        for hook in hooks:
            hook()

    async def on_error(error: Exception) -> None:
        log.warning("NATS", error=f"{type(error).__name__}: {error}"[:300])

    broker = NatsBroker(
        settings.nats_url,
        name=f"canopy-{name}",
        security=_security(settings),
        ack_policy=AckPolicy.MANUAL,
        graceful_timeout=settings.drain_s,
        connect_timeout=2,
        max_reconnect_attempts=-1,
        reconnect_time_wait=0.25,  # type: ignore[arg-type]
        ping_interval=10,
        max_outstanding_pings=2,
        inbox_prefix=f"_INBOX.{name}",
        error_cb=on_error,
        reconnected_cb=on_reconnect,
        allow_reconnect=True,
        logger=None,
    )
    bus = Bus(broker, name)
    bus.reconnected = hooks
    return bus


def _security(settings: BaseServiceSettings) -> BaseSecurity | None:
    """Who we are, and whose certificates we trust; a public authority's need no setting, only a tls:// address."""
    trusted = ssl.create_default_context(cafile=settings.nats_tls_ca) if settings.nats_tls_ca else None
    if settings.nats_user is None:
        return BaseSecurity(ssl_context=trusted) if trusted else None
    password = settings.nats_password.get_secret_value() if settings.nats_password else ""
    return SASLPlaintext(username=settings.nats_user, password=password, ssl_context=trusted)
