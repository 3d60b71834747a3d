"""Who receives notifications in tests? A webhook receiver and a mail server, which answer what they are told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from deploy.local.ports import free_port


@dataclass
class Sink:
    """A webhook receiver: what came, and what it answers next. `/drip` answers without end."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    @property
    def drip_url(self) -> str:
        return self.url.replace("/hook", "/drip")

    async def receive(self, request: Request) -> Response:
        self.received.append((dict(request.headers), await request.body()))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        return PlainTextResponse("answer", status, headers)

    async def drip(self, request: Request) -> Response:
        self.received.append((dict(request.headers), await request.body()))

        async def drops() -> AsyncIterator[bytes]:
            while True:
                yield b"."
                await asyncio.sleep(0.05)

        return StreamingResponse(drops())


@asynccontextmanager
async def running_sink() -> AsyncIterator[Sink]:
    found, port = Sink(), free_port()
    found.url = f"http://127.0.0.1:{port}/hook"
    routes = [Route("/hook", found.receive, methods=["POST"]), Route("/drip", found.drip, methods=["POST"])]
    config = uvicorn.Config(
        Starlette(routes=routes), port=port, log_config=None, lifespan="off", timeout_graceful_shutdown=0
    )
    server = uvicorn.Server(config)
    server.capture_signals = nullcontext  # type: ignore[method-assign, assignment]
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield found
    server.should_exit = server.force_exit = True
    await task


@dataclass
class Mailbox:
    """A mail server: the mails that came, and what it answers to the next ones (RFC 5321)."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                self.mails.append(message_from_bytes(await reader.readuntil(b"\r\n.\r\n")))
                writer.write((self.answers.pop(0) if self.answers else "250 taken").encode() + b"\r\n")
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            else:
                writer.write(b"250 ok\r\n")
            await writer.drain()
        writer.close()


@asynccontextmanager
async def running_mailbox() -> AsyncIterator[Mailbox]:
    found = Mailbox(port=free_port())
    server = await asyncio.start_server(found.serve, "127.0.0.1", found.port)
    yield found
    server.close()
