"""How does the simulated AWS listen, and how does it stop?"""

import signal
import socket
import struct
import threading
from collections.abc import Mapping
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from deploy.local.clouds.aws import backends
from deploy.local.clouds.aws.accounts import load_accounts
from deploy.local.clouds.aws.application import Application
from deploy.local.clouds.aws.cloud import Cloud
from deploy.local.clouds.aws.settings import Settings
from deploy.local.clouds.aws.storage import Storage
from deploy.local.clouds.clock import Clock
from deploy.local.clouds.faults import Faults


class QuietHandler(MotoRequestHandler):
    """moto's handler, which keeps header names as they were sent, without a log line per call."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Says nothing: the ledger and the counts of calls are the log."""

    def connection_dropped(self, *_: object) -> None:
        """Closes the connection that a fault cut; kept alive, its client would wait for an answer."""
        self.close_connection = True


def reset_connection(environ: Mapping[str, Any]) -> None:
    """Makes the coming close of this connection a TCP reset (a linger time of zero)."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _save_metrics_regularly(cloud: Cloud, stopping: threading.Event, period_s: float) -> None:
    while not stopping.wait(period_s):
        cloud.save_metrics()


def _listen(settings: Settings, application: Application) -> BaseWSGIServer:
    server = make_server(settings.host, settings.port, application, threaded=True, request_handler=QuietHandler)
    if settings.port_file is not None:
        draft = settings.port_file.with_suffix(".draft")
        draft.write_text(f"{server.server_port}\n")
        draft.replace(settings.port_file)
    return server


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT, then saves and returns."""
    storage = Storage(settings.data_dir)
    accounts = load_accounts(settings.data_dir)
    clock = Clock(offset_s=storage.fact("clock_offset_s"))
    backends.install(clock, settings.state_seconds)
    cloud = Cloud(storage, clock)
    cloud.load()
    cloud.warm_up(accounts[0].account_id)
    server = _listen(settings, Application(cloud, accounts, clock, Faults(), reset_connection))
    stopping = threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        # shutdown() waits for the loop that this very signal interrupts, so it has to happen beside it.
        threading.Thread(target=server.shutdown, daemon=True).start()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    saver = threading.Thread(
        target=_save_metrics_regularly, args=(cloud, stopping, settings.metrics_save_s), daemon=True
    )
    saver.start()
    server.serve_forever()
    saver.join()
    cloud.save_metrics()
    storage.close()
