"""Which way does a request go through a simulated cloud? Controls, or: account, faults, action, saving, answer."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from deploy.local.clouds.faults import DEFAULT_CODES, Fault
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.controls import Controls
from deploy.local.clouds.world.provider import Action, Answer, Call, HttpRequest, Provider, Refusal
from deploy.local.clouds.world.world import World

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
BODY_LIMIT_BYTES = 16 * 1024 * 1024
NOBODY = Account("", "", {}, scope="full")
_KIND_OF_STATUS = {
    401: "unauthenticated", 403: "forbidden", 404: "not_found", 409: "conflict", 422: "invalid", 429: "throttled",
    500: "internal", 503: "unavailable",
}  # fmt: skip


@dataclass(frozen=True)
class _Outcome:
    """An answer and how it is to be sent; `answer` None: the connection is reset."""

    answer: Answer | None
    fault: Fault | None = None


class Application:
    """The ASGI application of one provider."""

    def __init__(self, provider: Provider, accounts: Sequence[Account], world: World, controls: Controls) -> None:
        self._provider = provider
        self._accounts = [account for account in accounts if account.provider == provider.name]
        self._world = world
        self._controls = controls
        self._actions = list(provider.actions())
        self._public = list(provider.public_actions())

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        request = await _read(scope, receive)
        if self._controls.concerns(request.path):
            await _send(send, self._controls.answer(self._provider.name, request))
            return
        outcome = await self._carry_out(request)
        if outcome.answer is None:
            _reset(scope)
            return
        await _send(send, outcome.answer, outcome.fault)

    async def _carry_out(self, request: HttpRequest) -> _Outcome:
        try:
            return await self._answer(request)
        except Refusal as refusal:
            return _Outcome(self._provider.refuse(refusal))
        except Exception:
            logger.exception("simulating %s %s %s failed", self._provider.name, request.method, request.path)
            return _Outcome(self._provider.refuse(Refusal("internal")))

    async def _answer(self, request: HttpRequest) -> _Outcome:
        public = _find(self._public, request)
        if public is not None:
            return _Outcome(public[0].handler(self._call(request, NOBODY, "global", public[1], None)))
        account = self._provider.authenticate(request, self._accounts, self._world.clock.wall_s())
        found = _find(self._actions, request)
        if found is None:
            raise Refusal("no_route", f"{request.method} {request.path}")
        action, path = found
        region = self._provider.region_of(request, path, self._world.things, account)
        self._world.count(self._provider.name, account.account_id, region, action.name)
        facts = {"account": account.account_id, "region": region, "service": self._provider.name, "action": action.name}
        fault = self._world.faults.take(facts)
        if fault is not None:
            await asyncio.sleep(fault.latency_ms / 1000)
            if fault.is_refusal and not fault.after:
                return self._refused(fault)
        if action.mutates and not account.may_write:
            raise self._provider.forbidden(action, request)
        answer = self._act(action, self._call(request, account, region, path, fault))
        return self._refused(fault) if fault is not None and fault.after else _Outcome(answer, fault)

    def _act(self, action: Action, call: Call) -> Answer:
        """Do it, and keep what it did before anybody hears of it."""
        answer = action.handler(call)
        if action.mutates and answer.status < 400:
            self._world.note(call.account, call.region, action.name, call.http, answer)
        self._world.save()
        return answer

    def _refused(self, fault: Fault) -> _Outcome:
        if fault.reset or fault.status is None:
            return _Outcome(None)
        kind = _KIND_OF_STATUS.get(fault.status, "invalid" if fault.status < 500 else "unavailable")
        code = "" if fault.code in DEFAULT_CODES.values() else fault.code  # AWS's words, when a fault names none
        known = kind if code not in Refusal.KINDS else code
        refusal = Refusal(
            known, "A fault on demand.", code="" if known == code else code, status=fault.status,
            retry_after_s=fault.retry_after_s,
        )  # fmt: skip
        return _Outcome(self._provider.refuse(refusal))

    def _call(self, request: HttpRequest, account: Account, region: str, path: Any, fault: Fault | None) -> Call:
        world = self._world

        def is_lost(code: str) -> bool:
            return world.faults.lose_region({"account": account.account_id, "service": self._provider.name}, code)

        return Call(
            request, account, region, path, world.things, world.clock.now_s(), world.settings.state_seconds, fault,
            world.push_of, is_lost,
        )  # fmt: skip


def _find(actions: Sequence[Action], request: HttpRequest) -> tuple[Action, Any] | None:
    for action in actions:
        path = action.match(request)
        if path is not None:
            return action, path
    return None


async def _read(scope: Scope, receive: Any) -> HttpRequest:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False) and len(body) <= BODY_LIMIT_BYTES
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(reversed(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)))
    path = unquote(scope["raw_path"].decode().partition("?")[0])
    base_url = f"{scope['scheme']}://{headers.get('host', '')}"
    return HttpRequest(scope["method"], path, query, headers, body, base_url)


async def _send(send: Any, answer: Answer, fault: Fault | None = None) -> None:
    body = answer.payload()
    headers = {"content-type": "application/json", **{name.lower(): value for name, value in answer.headers.items()}}
    headers["content-length"] = str(len(body))
    listed = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": listed})
    if fault is not None and (fault.slow_body_ms or fault.cut_body):
        half = len(body) // 2
        await send({"type": "http.response.body", "body": body[:half], "more_body": True})
        await asyncio.sleep(fault.slow_body_ms / 1000)
        if fault.cut_body:
            return  # shorter than its Content-Length: the server closes the connection
        body = body[half:]
    await send({"type": "http.response.body", "body": body})


def _reset(scope: Scope) -> None:
    """Close the connection without a word, as a TCP reset (a linger time of zero)."""
    transport: asyncio.Transport = scope["transport"]
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
