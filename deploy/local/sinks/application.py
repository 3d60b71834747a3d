"""What does each address of the sinks answer?"""

import asyncio
import html
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deploy.local.sinks.faults import Faults
from deploy.local.sinks.mail import smtp_protocol
from deploy.local.sinks.messages import CHANNELS, Messages

BODY_LIMIT_BYTES = 1024 * 1024
LOOPBACK = "127.0.0.1"
SHOWN = 200  # messages on the page for people


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def slack_problem(document: Any) -> str | None:
    """What the real Slack refuses this body for, None when it takes it (its documentation, "Incoming webhooks")."""
    if not isinstance(document, dict):
        return "invalid_payload"
    if not document.get("text") and not document.get("blocks"):
        return "no_text"
    return None


class Sinks:
    """The routes. One event loop, so that nothing here needs a lock."""

    def __init__(self, messages: Messages, faults: Faults) -> None:
        self._messages = messages
        self._faults = faults

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        if len(body) > BODY_LIMIT_BYTES:
            return PlainTextResponse("too large", 413)
        path = request.url.path
        channel = path.split("/")[1]
        document = _parse(body)
        fault = self._faults.take(path)
        if fault is not None:
            await asyncio.sleep(fault.latency_ms / 1000)
        problem = slack_problem(document) if channel == "slack" else None
        answer = PlainTextResponse(problem or "ok", 400 if problem else 200)
        status = answer.status_code
        if fault is not None:
            pause = {} if fault.retry_after_s is None else {"Retry-After": f"{fault.retry_after_s:g}"}
            answer = PlainTextResponse("a fault on demand", fault.status, headers=pause)
            status = status if fault.after else fault.status
        headers = dict(request.headers)
        self._messages.add(channel, path, headers, body.decode("utf-8", "replace"), document, status)
        return answer

    async def list_messages(self, request: Request) -> Response:
        channel = request.query_params.get("channel")
        if channel is not None and channel not in CHANNELS:
            return JSONResponse({"error": f"channel is one of {', '.join(CHANNELS)}"}, 422)
        refused = request.query_params.get("refused") == "true"
        return JSONResponse({"messages": self._messages.listed(channel, refused=refused)})

    async def clear_messages(self, _request: Request) -> Response:
        return JSONResponse({"cleared": self._messages.clear()})

    async def add_fault(self, request: Request) -> Response:
        try:
            self._faults.add(_parse(await request.body()))
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        return await self.list_faults(request)

    async def list_faults(self, _request: Request) -> Response:
        return JSONResponse({"faults": self._faults.listed()})

    async def clear_faults(self, request: Request) -> Response:
        self._faults.clear()
        return await self.list_faults(request)

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def page(self, _request: Request) -> Response:
        rows = "".join(_row(message) for message in reversed(self._messages.listed(None, refused=True)[-SHOWN:]))
        head = "<tr><th>#<th>time<th>channel<th>to<th>answer<th>message</tr>"
        style = "<style>body{font:14px sans-serif}td{vertical-align:top;padding:4px 8px}pre{margin:0}</style>"
        return HTMLResponse(f"<!doctype html><title>Sent messages</title>{style}<table>{head}{rows}</table>")


def _row(message: Mapping[str, Any]) -> str:
    shown = (
        json.dumps(message["document"], indent=1, ensure_ascii=False)
        if message["document"] is not None
        else message["body"]
    )
    cells = [message[name] for name in ("sequence", "time", "channel", "path", "status")]
    plain = "".join(f"<td>{html.escape(str(cell))}" for cell in cells)
    return f"<tr>{plain}<td><pre>{html.escape(shown)}</pre></tr>"


def application(messages: Messages, faults: Faults, smtp_port: int, host: str = LOOPBACK) -> Starlette:
    """The ASGI application; the mail server lives as long as it does."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: smtp_protocol(messages, faults), host, smtp_port)
        yield
        server.close()

    sinks = Sinks(messages, faults)
    routes = [
        Route("/slack/{rest:path}", sinks.receive, methods=["POST"]),
        Route("/webhook/{rest:path}", sinks.receive, methods=["POST"]),
        Route("/messages", sinks.list_messages, methods=["GET"]),
        Route("/messages", sinks.clear_messages, methods=["DELETE"]),
        Route("/_sink/fault", sinks.add_fault, methods=["POST"]),
        Route("/_sink/fault", sinks.list_faults, methods=["GET"]),
        Route("/_sink/fault", sinks.clear_faults, methods=["DELETE"]),
        Route("/healthz", sinks.health),
        Route("/", sinks.page),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
