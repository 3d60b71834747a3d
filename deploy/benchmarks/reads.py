"""`GET /api/cloud/resources/{id}` through gateway, NATS, provisioner and PostgreSQL, with everything switched on."""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.benchmarks.deployment import Deployment, processes, profiled, running
from deploy.benchmarks.measurements import ROUNDS, Row, listed, wait_until
from deploy.benchmarks.usage import cpu_s

GOAL_PER_S, GOAL_P95_MS = 800, 35
SECONDS = 8
PARTS = ("gateway", "provisioner", "nats")


def measure() -> list[Row]:
    """Five rounds at 16 connections with one gateway worker and one provisioner; a profile of both when it misses."""
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), services=("gateway", "provisioner"), without=("load",)) as deployment,
    ):
        url = f"{deployment.stack.url}/api/cloud/resources/{_resource(deployment)}"
        _load(url, deployment.api_key, 3)  # warm
        pids = processes(deployment)
        before = {part: cpu_s(pids[part]) for part in PARTS}
        rounds = [_load(url, deployment.api_key, SECONDS) for _ in range(ROUNDS)]
        served = sum(found["requests_per_s"] * SECONDS for found in rounds)
        cost = {part: (cpu_s(pids[part]) - before[part]) / served * 1e6 for part in PARTS}
        rate = statistics.median(found["requests_per_s"] for found in rounds)
        p95 = statistics.median(found["p95_ms"] for found in rounds)
        failures = sum(found["failures"] for found in rounds)
        met = rate >= GOAL_PER_S and p95 <= GOAL_P95_MS and not failures
        notes = [
            listed([found["requests_per_s"] for found in rounds]),
            f"load generator {statistics.median(found['load_generator_cpu'] for found in rounds):.0%} of a core",
            "CPU a request: " + ", ".join(f"{part} {microseconds:.0f} us" for part, microseconds in cost.items()),
        ]
        if not met:
            suspects = {part: pids[part] for part in ("gateway", "provisioner")}
            notes += profiled(deployment, suspects, lambda: _load(url, deployment.api_key, 8))
    goal = f"{GOAL_PER_S}/s, p95 {GOAL_P95_MS} ms"
    return [Row("GET a resource, 16 connections", goal, f"{rate:.0f}/s, p95 {p95:.1f} ms", met, "; ".join(notes))]


def _resource(deployment: Deployment) -> str:
    body = {
        "provider_id": str(deployment.provider_id), "region": "us-east-1", "resource_name": "bench",
        "resource_type": "compute", "resource_subtype": "ec2_instance", "configuration": {"instance_type": "t3.micro"},
        "tags": {"team": "photos"},
    }  # fmt: skip
    resource: str = deployment.http.post("/api/cloud/resources", json=body).json()["resource"]["id"]
    path = f"/api/cloud/resources/{resource}"
    wait_until(lambda: deployment.http.get(path).json()["resource_status"] == "running", 60)
    return resource


def _load(url: str, api_key: str, seconds: int) -> dict[str, float]:
    command = [
        sys.executable,
        "-m",
        "deploy.benchmarks.http_load",
        url,
        "--api-key",
        api_key,
        "--seconds",
        str(seconds),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
