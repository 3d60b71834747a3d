"""A hundred provisionings at once: are all accepted soon, do all succeed, is none made twice?"""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from deploy.benchmarks.deployment import Deployment, processes, profiled, running
from deploy.benchmarks.measurements import ROUNDS, Row, listed, percentile, wait_until
from deploy.chaos.ledger import compare_machines

GOAL_P95_MS = 500
COUNT = 100


def measure() -> list[Row]:
    """Five rounds of a hundred; then every machine of the simulator's own list is compared with the resources."""
    with tempfile.TemporaryDirectory() as home, running(Path(home), without=("load",)) as deployment:
        rounds = [_round(deployment, number) for number in range(ROUNDS)]
        p95s = [percentile(latencies, 0.95) * 1000 for latencies, _ in rounds]
        p95, took_s = statistics.median(p95s), statistics.median(seconds for _, seconds in rounds)
        findings = _compare(deployment)
        met = p95 <= GOAL_P95_MS and not findings
        notes = [listed(p95s), f"all running after {took_s:.1f} s", *(findings or ["each made once, none lost"])]
        if not met:
            pids = {name: processes(deployment)[name] for name in ("gateway", "provisioner")}
            notes += profiled(deployment, pids, lambda: _round(deployment, ROUNDS))
        return [Row("100 provisionings at once", f"each once, p95 {GOAL_P95_MS} ms", f"accepted p95 {p95:.0f} ms",
                    met, "; ".join(notes))]  # fmt: skip


def _round(deployment: Deployment, number: int) -> tuple[list[float], float]:
    """The seconds each acceptance took, and the seconds until all run."""
    started_s = time.monotonic()
    latencies = asyncio.run(_begin_all(deployment, number))
    wait_until(lambda: _running(deployment) == COUNT * (number + 1), 180, 0.25)
    return latencies, time.monotonic() - started_s


async def _begin_all(deployment: Deployment, number: int) -> list[float]:
    return list(await asyncio.gather(*(_begin(deployment, f"r{number}-{item}") for item in range(COUNT))))


async def _begin(deployment: Deployment, name: str) -> float:
    """Connect, post, read the answer: by hand, since an HTTP client of Python takes as long as the server does."""
    body = json.dumps({
        "provider_id": str(deployment.provider_id), "region": "us-east-1", "resource_name": name,
        "resource_type": "compute", "resource_subtype": "ec2_instance", "configuration": {"instance_type": "t3.micro"},
    })  # fmt: skip
    host = urlsplit(deployment.stack.url)
    head = (
        f"POST /api/cloud/resources HTTP/1.1\r\nHost: {host.netloc}\r\nX-API-Key: {deployment.api_key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    started_s = time.monotonic()
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    writer.write((head + body).encode())
    answer = await reader.read()
    took_s = time.monotonic() - started_s
    writer.close()
    if not answer.startswith(b"HTTP/1.1 202"):
        raise RuntimeError(answer.partition(b"\r\n")[0].decode())
    return took_s


def _running(deployment: Deployment) -> int:
    return deployment.count("provisioner", "SELECT count(*) FROM cloud_resources WHERE resource_status = 'running'")


def _compare(deployment: Deployment) -> list[str]:
    """What the simulator's lists say against the product's."""
    simulator = f"{deployment.stack.simulator_url}/_sim"
    machines = deployment.http.get(f"{simulator}/instances").json()["instances"]
    ledger = deployment.http.get(f"{simulator}/ledger").json()["entries"]
    known = [each for each in deployment.everything("/api/cloud/resources") if each["resource_type"] == "compute"]
    return compare_machines(machines, ledger, known, []).findings
