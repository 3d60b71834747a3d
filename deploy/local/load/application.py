"""What does each address of the load feeder answer?"""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.local.load.feeder import Feeder
from deploy.local.load.pushes import Pushes, read_push


def application(feeder: Feeder, pushes: Pushes) -> Starlette:
    """The ASGI application; the feeder runs as long as it does."""

    async def list_pushes(_request: Request) -> Response:
        return JSONResponse({"pushes": pushes.listed(time.time())})

    async def push(request: Request) -> Response:
        try:
            instance_id, wanted = read_push(json.loads(await request.body()), time.time())
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 422)
        pushes.put(instance_id, wanted)
        return await list_pushes(request)

    async def take_back(request: Request) -> Response:
        known = pushes.take_back(request.path_params["instance_id"])
        return JSONResponse({"taken_back": known}, 200 if known else 404)

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        feeder.start()
        yield
        await run_in_threadpool(feeder.stop)

    routes = [
        Route("/load", list_pushes, methods=["GET"]),
        Route("/load", push, methods=["POST"]),
        Route("/load/{instance_id}", take_back, methods=["DELETE"]),
        Route("/healthz", health),
    ]
    return Starlette(routes=routes, lifespan=lifespan)
