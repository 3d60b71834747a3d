"""How soon does an organization hear live what it did? From the time of the change to the frame, on every socket."""

import asyncio
import json
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from deploy.benchmarks.deployment import Deployment, running
from deploy.benchmarks.measurements import ROUNDS, Row, listed, percentile

GOAL_MS = 1000
SOCKETS = 20
CHANGES = 50
GAP_S = 0.02


def measure() -> list[Row]:
    """A resource is changed over REST; each socket of its organization hears each change."""
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), services=("gateway", "provisioner"), without=("load",)) as deployment,
    ):
        rounds = [asyncio.run(_round(deployment, number)) for number in range(ROUNDS)]
    slowest = [max(values) for values in rounds]
    worst, p50 = statistics.median(slowest), statistics.median(value for values in rounds for value in values)
    p99 = percentile([value for values in rounds for value in values], 0.99)
    return [Row("change to every live socket of the organization", f"all in {GOAL_MS} ms", f"slowest {worst:.0f} ms",
                worst <= GOAL_MS,
                f"{listed(slowest)}; p50 {p50:.0f} ms, p99 {p99:.0f} ms; {SOCKETS} sockets, {CHANGES} changes a round",
                )]  # fmt: skip


async def _round(deployment: Deployment, number: int) -> list[float]:
    """Milliseconds from each event's time to its frame on each socket."""
    url = deployment.stack.url.replace("http", "ws", 1) + "/api/cloud/monitoring/stream"
    headers = {"X-API-Key": deployment.api_key}
    sockets = [await connect(url, additional_headers=headers, proxy=None) for _ in range(SOCKETS)]
    for socket in sockets:
        await socket.send(json.dumps({"subscribe": ["provider.updated"]}))
        await _frame(socket, "subscribed")
    listening = [asyncio.create_task(_listen(socket)) for socket in sockets]
    for change in range(CHANGES):
        body = {"display_name": f"AWS {number}-{change}"}
        path = f"/api/cloud/providers/{deployment.provider_id}"
        (await asyncio.to_thread(deployment.http.put, path, json=body)).raise_for_status()
        await asyncio.sleep(GAP_S)
    async with asyncio.timeout(30):
        heard = await asyncio.gather(*listening)
    for socket in sockets:
        await socket.close()
    return [value for values in heard for value in values]


async def _listen(socket: ClientConnection) -> list[float]:
    return [await _frame(socket, "provider.updated") for _ in range(CHANGES)]


async def _frame(socket: ClientConnection, kind: str) -> float:
    """Wait for a frame of this type; milliseconds since its time."""
    while True:
        frame = json.loads(await socket.recv())
        if frame["type"].startswith(kind):
            return (datetime.now(UTC) - datetime.fromisoformat(frame["time"])).total_seconds() * 1000
