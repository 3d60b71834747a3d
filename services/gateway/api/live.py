"""How do messages reach the sockets? One core subscription of this process, fanned out by organization.

A socket gets every event it asked for and the newest point of each resource it watches; one that cannot keep up, and
all of them when this process may have missed something, are closed with 1013: the client reads afresh and comes back.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from prometheus_client import Counter, Gauge

from services.gateway.deps import Deps
from services.gateway.domain.operations import may_follow
from services.gateway.domain.subscriptions import Subscriptions
from shared.kit.errors import TooManyRequests
from shared.messages.metrics import DECODER, MetricBatch
from shared.messages.subjects import ALL_EVENTS, ALL_METRICS, organization_of
from shared.security.principals import Principal

TRY_AGAIN_LATER = 1013
POLICY_VIOLATION = 1008
BACKLOG = 50_000
"""Messages that may wait in this process before its sockets are told to start afresh; nats-py drops at 524,288."""

_SILENT_CHANGES = frozenset({"created"})
_STANDING = frozenset({"user", "api_key"})
"""Families whose events change what a principal may do; their aggregate is the principal."""

SOCKETS = Gauge("canopy_live_sockets", "Open live sockets")
FRAMES = Counter("canopy_live_frames_total", "Frames queued for live sockets", ("kind",))
CLOSED = Counter("canopy_live_closed_total", "Live sockets closed by the gateway", ("reason",))

log = structlog.get_logger(__name__)


class _Head(msgspec.Struct):
    """What the fan-out reads of an event; its bytes pass as they are."""

    type: str
    time: datetime
    aggregate_id: UUID


class _Target(msgspec.Struct):
    type: str


class _Operation(msgspec.Struct):
    target: _Target


class _OperationHead(_Head):
    """Of an operation also whose it is and what it works on: not everybody may follow it."""

    actor: str
    operation: _Operation


_HEAD = msgspec.json.Decoder(_Head)
_OPERATION_HEAD = msgspec.json.Decoder(_OperationHead)


class Socket:
    """One open socket: what it wants, and what waits for it. Knows nothing of WebSocket itself."""

    def __init__(self, principal: Principal, limit: int) -> None:
        self.principal = principal
        self.wanted = Subscriptions()
        self.closing: tuple[int, str] | None = None
        self._limit = limit
        self._events: deque[bytes] = deque()
        self._points: dict[UUID, bytes] = {}
        self._wake = asyncio.Event()

    def add_event(self, frame: bytes) -> None:
        """Queue a frame, each of them; too many and the socket is closed."""
        if len(self._events) >= self._limit:
            self.close(TRY_AGAIN_LATER, "too slow: read afresh and come back")
            return
        self._events.append(frame)
        self._wake.set()

    def add_point(self, resource: UUID, frame: bytes) -> None:
        """Queue the newest point of a resource in place of an older one."""
        self._points[resource] = frame
        self._wake.set()

    def close(self, code: int, reason: str) -> None:
        """Ask whoever serves the socket to close it."""
        if self.closing is None:
            self.closing = (code, reason)
            self._events.clear()
            self._points.clear()
            CLOSED.labels(str(code)).inc()
        self._wake.set()

    async def next_frames(self) -> list[bytes]:
        """Everything that waits, events first, at least one; none when the socket is to be closed."""
        while not (self._events or self._points or self.closing):
            self._wake.clear()
            await self._wake.wait()
        frames = [*self._events, *self._points.values()]
        self._events.clear()
        self._points.clear()
        return frames


class Live:
    """The sockets of this process. `forget` is told of organizations where keys, roles or users changed."""

    def __init__(self, deps: Deps, forget: Callable[[UUID], None]) -> None:
        self._deps = deps
        self._forget = forget
        self._sockets: dict[str, set[Socket]] = {}
        self._subscriptions: list[Subscription] = []

    async def run(self) -> None:
        """Listen until cancelled."""
        bus = self._deps.bus
        bus.reconnected.append(self._on_reconnect)
        client = bus.client
        self._subscriptions = [
            await client.subscribe(ALL_EVENTS, cb=self._on_event),
            await client.subscribe(ALL_METRICS, cb=self._on_metrics),
        ]
        await asyncio.Event().wait()

    def open(self, principal: Principal) -> Socket:
        """Begin a socket. Raises TooManyRequests when the principal has too many."""
        sockets = self._sockets.setdefault(str(principal.organization), set())
        if sum(each.principal.id == principal.id for each in sockets) >= self._deps.settings.sockets_per_principal:
            raise TooManyRequests("too many live sockets", code="too_many_sockets", retry_after_s=10)
        socket = Socket(principal, self._deps.settings.socket_queue)
        sockets.add(socket)
        SOCKETS.inc()
        return socket

    def ended(self, socket: Socket) -> None:
        """Forget a socket; it may be forgotten twice."""
        organization = str(socket.principal.organization)
        sockets = self._sockets.get(organization, set())
        if socket in sockets:
            sockets.discard(socket)
            SOCKETS.dec()
        if not sockets:
            self._sockets.pop(organization, None)

    async def close(self) -> None:
        """The process ends: clients come back to another replica."""
        self._close_all("the gateway stops")

    def _on_reconnect(self) -> None:
        self._close_all("messages may be missing: read afresh and come back")

    def _close_all(self, reason: str) -> None:
        for sockets in self._sockets.values():
            for socket in sockets:
                socket.close(TRY_AGAIN_LATER, reason)

    async def _on_event(self, message: Msg) -> None:
        self._start_afresh_when_behind()
        organization = organization_of(message.subject)
        sockets = self._sockets.get(organization)
        family, name = message.subject.split(".")[3:5]
        if family in _STANDING or family == "organization":
            self._standing_changed(organization, family, name, message)
        if not sockets:
            return
        try:
            head = (_OPERATION_HEAD if family == "operation" else _HEAD).decode(message.data)
        except msgspec.DecodeError:
            return  # its consumers bury it; a socket has no use for it
        interested = [socket for socket in sockets if _interested(socket, head)]
        if interested:
            frame = frame_of(head.type, head.time, message.data)
            for socket in interested:
                socket.add_event(frame)
            FRAMES.labels("event").inc(len(interested))

    async def _on_metrics(self, message: Msg) -> None:
        self._start_afresh_when_behind()
        sockets = self._sockets.get(organization_of(message.subject))
        watching = [socket for socket in sockets or () if socket.wanted.resources]
        if not watching:
            return
        try:
            batch = DECODER.decode(message.data)
        except msgspec.DecodeError:
            return
        self._fan_out(batch, watching)

    def _fan_out(self, batch: MetricBatch, watching: list[Socket]) -> None:
        wanted = frozenset[UUID]().union(*(socket.wanted.resources for socket in watching))
        for sample in batch.samples:
            if sample.resource_id not in wanted:
                continue
            frame = frame_of("metrics", sample.time, msgspec.json.encode(sample))
            for socket in watching:
                if socket.wanted.wants_metrics(sample.resource_id):
                    socket.add_point(sample.resource_id, frame)
                    FRAMES.labels("metrics").inc()

    def _standing_changed(self, organization: str, family: str, name: str, message: Msg) -> None:
        """Look at credentials again at once, and end the sockets of whoever lost something."""
        try:
            identifier = UUID(organization)
        except ValueError:
            return
        self._forget(identifier)
        if name in _SILENT_CHANGES:
            return
        principal = message.subject.rpartition(".")[2]
        for socket in self._sockets.get(organization, ()):
            if family == "organization":
                socket.close(TRY_AGAIN_LATER, "roles changed: come back")
            elif str(socket.principal.id) == principal:
                socket.close(POLICY_VIOLATION, "your credentials changed")

    def _start_afresh_when_behind(self) -> None:
        if sum(subscription.pending_msgs for subscription in self._subscriptions) > BACKLOG:
            log.warning("live fan-out is behind: sockets start afresh")
            self._close_all("messages may be missing: read afresh and come back")


def _interested(socket: Socket, head: _Head) -> bool:
    if not socket.wanted.wants_event(head.type, head.aggregate_id):
        return False
    return not isinstance(head, _OperationHead) or may_follow(socket.principal, head.actor, head.operation.target.type)


def frame_of(kind: str, time: datetime, data: bytes) -> bytes:
    """`{"type", "time", "data"}` around JSON that stays as it is."""
    return msgspec.json.encode({"type": kind, "time": time, "data": msgspec.Raw(data)})


def control_frame(kind: str, time: datetime, data: Any) -> bytes:
    """A frame of the gateway's own: `subscribed`, `error`."""
    return msgspec.json.encode({"type": kind, "time": time, "data": data})
