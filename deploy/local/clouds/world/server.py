"""How do the simulated clouds listen, and how do they stop?"""

from __future__ import annotations

import asyncio
import importlib
import json
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from deploy.local.clouds.world.accounts import load_accounts
from deploy.local.clouds.world.application import Application
from deploy.local.clouds.world.controls import Controls
from deploy.local.clouds.world.provider import Provider
from deploy.local.clouds.world.settings import Settings
from deploy.local.clouds.world.storage import Storage
from deploy.local.clouds.world.world import World

PROVIDERS: Mapping[str, str] = {
    "gcp": "deploy.local.clouds.gcp.provider:GcpProvider",
}
"""Where each provider's wire protocol is, as `module:class`."""


class _Protocol(HttpToolsProtocol):
    """Tells the application its transport, so that a fault can reset the connection."""

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]


class _Server(uvicorn.Server):
    """Signals end the process, not one of its servers."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def providers() -> dict[str, Provider]:
    """One object of each provider that is served."""
    found = {}
    for name, place in PROVIDERS.items():
        module, _, attribute = place.partition(":")
        found[name] = getattr(importlib.import_module(module), attribute)()
    return found


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT."""
    storage = Storage(settings.data_dir)
    served = providers()
    accounts = load_accounts(settings.data_dir, {name: provider.new_accounts for name, provider in served.items()})
    world = World(storage, settings)
    controls = Controls(world, served, accounts)
    applications = {name: Application(provider, accounts, world, controls) for name, provider in served.items()}
    try:
        asyncio.run(_serve(settings, applications))
    finally:
        world.save()
        storage.close()


async def _serve(settings: Settings, applications: Mapping[str, Any]) -> None:
    sockets = {name: _listen(settings.host, settings.ports.get(name, 0)) for name in applications}
    servers = {name: _server(application) for name, application in applications.items()}
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for server in servers.values():
            server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    serving = [asyncio.create_task(server.serve([sockets[name]])) for name, server in servers.items()]
    while not all(server.started for server in servers.values()):  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    _tell_ports(settings, {name: each.getsockname()[1] for name, each in sockets.items()})
    await asyncio.gather(*serving)


def _server(application: Any) -> _Server:
    return _Server(
        uvicorn.Config(
            application,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=1,
            server_header=False,
            proxy_headers=False,
        )
    )


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def _tell_ports(settings: Settings, ports: Mapping[str, int]) -> None:
    if settings.port_file is not None:
        draft = settings.port_file.with_suffix(".draft")
        draft.write_text(json.dumps(ports) + "\n")
        draft.replace(settings.port_file)
