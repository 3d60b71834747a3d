"""When does a handler get an event? A process of its own that notes the moment each handler is called.

`python -m deploy.benchmarks.subscriber`, with a service's settings in its environment: a real EventConsumer on that
service's durable, its inbox and its database; prints `<event id> <nanoseconds>` a line.
"""

import asyncio
import sys
import time
from typing import Any

import uvloop

from shared.bus.connection import create_bus
from shared.bus.events import EventConsumer
from shared.bus.router import Router, Routes
from shared.db.engine import Database, create_engine
from shared.db.work import Work
from shared.kit.settings import BaseServiceSettings
from shared.messages.resources import ResourceStarted

SERVICE = "recovery"


async def run() -> None:
    settings = BaseServiceSettings()
    routes = Routes()

    @routes.event(ResourceStarted)
    async def on_resource_started(event: ResourceStarted, _: Work, __: Any) -> None:
        sys.stdout.write(f"{event.id} {time.time_ns()}\n")
        sys.stdout.flush()

    database = Database(create_engine(settings.database_url.get_secret_value()), SERVICE)
    bus = create_bus(settings, SERVICE)
    await bus.open()
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    await EventConsumer(bus, Router(SERVICE, routes), None, database).run()


if __name__ == "__main__":
    try:
        uvloop.run(run())
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(0)
