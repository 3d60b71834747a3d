"""A hundred provisionings at once: are all accepted soon, do all succeed, is none made twice?"""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from deploy.benchmarks.deployment import Deployment, running
from deploy.benchmarks.measurements import ROUNDS, Row, listed, percentile, wait_until

GOAL_P95_MS = 500
COUNT = 100


def measure() -> list[Row]:
    """Five rounds of a hundred; every machine of the simulator's own list is compared with the accepted resources."""
    with tempfile.TemporaryDirectory() as home, running(Path(home), without=("load",)) as deployment:
        rounds = [asyncio.run(_round(deployment, number)) for number in range(ROUNDS)]
        p95s = [percentile(latencies, 0.95) * 1000 for latencies, _ in rounds]
        took = statistics.median(seconds for _, seconds in rounds)
        made = _machines(deployment)
        p95, all_once = statistics.median(p95s), made == COUNT * ROUNDS
        notes = f"{listed(p95s)}; all running after {took:.1f} s; machines at the cloud: {made} for {COUNT * ROUNDS}"
        return [Row("100 provisionings at once", f"each once, p95 {GOAL_P95_MS} ms", f"accepted p95 {p95:.0f} ms",
                    p95 <= GOAL_P95_MS and all_once, notes)]  # fmt: skip


async def _round(deployment: Deployment, number: int) -> tuple[list[float], float]:
    """The seconds each acceptance took, and the seconds until all run."""
    limits = httpx.Limits(max_connections=COUNT)
    headers = {"X-API-Key": deployment.api_key}
    started_s = time.monotonic()
    async with httpx.AsyncClient(base_url=deployment.stack.url, headers=headers, timeout=30, limits=limits) as client:
        latencies = await asyncio.gather(*(_begin(client, deployment, f"r{number}-{item}") for item in range(COUNT)))
    wait_until(lambda: _running(deployment) == COUNT * (number + 1), 180, 0.25)
    return list(latencies), time.monotonic() - started_s


async def _begin(client: httpx.AsyncClient, deployment: Deployment, name: str) -> float:
    body = {
        "provider_id": str(deployment.provider_id), "region": "us-east-1", "resource_name": name,
        "resource_type": "compute", "resource_subtype": "ec2_instance", "configuration": {"instance_type": "t3.micro"},
    }  # fmt: skip
    started_s = time.monotonic()
    (await client.post("/api/cloud/resources", json=body)).raise_for_status()
    return time.monotonic() - started_s


def _running(deployment: Deployment) -> int:
    return deployment.count("provisioner", "SELECT count(*) FROM cloud_resources WHERE resource_status = 'running'")


def _machines(deployment: Deployment) -> int:
    found = deployment.http.get(f"{deployment.stack.simulator_url}/_sim/instances").json()
    return len(found["instances"])
