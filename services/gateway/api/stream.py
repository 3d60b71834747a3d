"""What happens live? `WS /api/cloud/monitoring/stream`: after connect, send `{"subscribe": [patterns]}`; frames follow.

Close codes: 1013 read afresh and come back; 1008 the token ended or lost its standing; 1009 a frame was too large.
"""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from starlette.websockets import WebSocket, WebSocketDisconnect

from services.gateway.api.addresses import address_of
from services.gateway.api.authentication import Authentication
from services.gateway.api.live import POLICY_VIOLATION, Socket, control_frame
from services.gateway.api.problems import correlation_of, problem_body, problem_response
from services.gateway.domain import subscriptions
from services.gateway.domain.rate_limits import RouteKind
from shared.kit.errors import CanopyError, InvalidInput
from shared.security.principals import Principal

router = APIRouter(tags=["stream"])

LONGEST_FRAME = 64 * 1024
TOO_LARGE = 1009


class _Subscribe(msgspec.Struct, forbid_unknown_fields=True):
    subscribe: list[str]


_SUBSCRIBE = msgspec.json.Decoder(_Subscribe)


@router.websocket("/api/cloud/monitoring/stream")
async def stream(websocket: WebSocket, ticket: Annotated[str | None, Query()] = None) -> None:
    """One live socket, from its ticket or token to its end."""
    doors: Any = websocket.app.state.doors
    try:
        principal = await _principal_of(websocket, ticket)
        doors.rate_limits.count(principal.actor, RouteKind.WRITE)  # each makes a row's worth of work, as a write does
        socket: Socket = doors.live.open(principal)
    except CanopyError as error:
        await websocket.send_denial_response(problem_response(error, correlation_of(websocket)))
        return
    try:
        await websocket.accept()
        await _serve(websocket, socket)
    except (WebSocketDisconnect, RuntimeError):
        pass  # RuntimeError: starlette's word for a socket that is gone already
    finally:
        doors.live.ended(socket)


async def _principal_of(websocket: WebSocket, ticket: str | None) -> Principal:
    authentication: Authentication = websocket.app.state.doors.authentication
    if ticket is None:
        return await authentication.principal_of(websocket)
    return await authentication.redeem(ticket, address_of(websocket))


async def _serve(websocket: WebSocket, socket: Socket) -> None:
    """Until the client goes, the socket is to be closed, or its token ends."""
    hearing = asyncio.create_task(_hear(websocket, socket))
    speaking = asyncio.create_task(_speak(websocket, socket))
    try:
        await asyncio.wait(
            [hearing, speaking], timeout=_remaining_s(websocket, socket), return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        for task in (hearing, speaking):
            task.cancel()
        ended = await asyncio.gather(hearing, speaking, return_exceptions=True)
    if any(isinstance(each, WebSocketDisconnect) for each in ended):
        return
    code, reason = socket.closing or (POLICY_VIOLATION, "the token has expired")
    await websocket.close(code, reason)


def _remaining_s(websocket: WebSocket, socket: Socket) -> float | None:
    expires_at = socket.principal.token_expires_at
    if expires_at is None:
        return None
    now: datetime = websocket.app.state.doors.deps.clock.now()
    return max(0.0, (expires_at - now).total_seconds())


async def _speak(websocket: WebSocket, socket: Socket) -> None:
    while frames := await socket.next_frames():
        for frame in frames:
            await websocket.send_text(frame.decode())


async def _hear(websocket: WebSocket, socket: Socket) -> None:
    while socket.closing is None:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text") or (message.get("bytes") or b"").decode("utf-8", "replace")
        if len(text) > LONGEST_FRAME:
            socket.close(TOO_LARGE, "the frame is too large")
            return
        socket.add_event(_subscribed(websocket, socket, text))


def _subscribed(websocket: WebSocket, socket: Socket, text: str) -> bytes:
    """Take a subscription in place of the earlier one; what is wrong with it is answered, and the earlier one stays."""
    now = websocket.app.state.doors.deps.clock.now()
    try:
        wanted = _read(text)
        socket.wanted = subscriptions.parse(wanted, socket.principal)
    except CanopyError as error:
        return control_frame("error", now, problem_body(error, correlation_of(websocket)))
    return control_frame("subscribed", now, {"subscribe": wanted})


def _read(text: str) -> list[str]:
    try:
        return _SUBSCRIBE.decode(text).subscribe
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidInput('send {"subscribe": ["resource.*", …]}') from None
