"""How soon is a page of 100,000 resources listed, whatever is asked for and however deep the page lies?"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from deploy.benchmarks import many_resources
from deploy.benchmarks.deployment import Deployment, processes, profiled, running
from deploy.benchmarks.list_plans import Plans
from deploy.benchmarks.measurements import ROUNDS, Row, listed, percentile

RESOURCES, CONNECTIONS, SECONDS = 100_000, 16, 6
GOAL_P95_MS, GOAL_DATABASE_P95_MS = 50.0, 10.0
FLAT = 1.5
"""How much longer the deepest page may take in the database than the first."""
DEPTHS = (0, 50_000, 99_000)

QUESTIONS: tuple[Mapping[str, str], ...] = (
    {},
    {"sort": "resource_name"},
    {"tag": "Team=team-42"},
    {"tag": "Rare"},
    {"tag": "Environment=production"},
    {"resource_status": "running"},
    {"resource_status": "error", "region": "region-3"},
    {"region": "region-7"},
    {"provider": "gcp", "environment": "staging"},
    {"q": "web-0"},
    {"q": "web-00", "sort": "resource_name"},
    {"q": "cache-0123", "resource_status": "running"},
    {"project": "photos", "tag": "Team=team-07"},
)


def measure() -> list[Row]:
    """Rounds over HTTP, and each question's plans in the database under row level security, as the service's role."""
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), services=("gateway", "provisioner"), without=("load",)) as deployment,
    ):
        many_resources.fill(deployment, RESOURCES)
        plans = asyncio.run(_planned(deployment))
        urls = [_url(deployment, each) for each in _questions(plans)]
        _load(urls, deployment.api_key, 3)  # warm
        rounds = [_load(urls, deployment.api_key, SECONDS) for _ in range(ROUNDS)]
        plans = asyncio.run(_planned(deployment))
        return [_over_http(deployment, rounds, urls), _in_database(plans)]


def _questions(plans: Plans) -> list[dict[str, str]]:
    """Every question, and the first of them at every depth."""
    deep = [{"cursor": cursor} for cursor in plans.cursors if cursor]
    return [dict(each) for each in QUESTIONS] + deep


async def _planned(deployment: Deployment) -> Plans:
    return await Plans.read(deployment, QUESTIONS, DEPTHS)


def _url(deployment: Deployment, question: Mapping[str, str]) -> str:
    return f"{deployment.stack.url}/api/cloud/resources" + (f"?{urlencode(question)}" if question else "")


def _over_http(deployment: Deployment, rounds: list[dict[str, float]], urls: list[str]) -> Row:
    p95s = [found["p95_ms"] for found in rounds]
    p95, failures = statistics.median(p95s), sum(found["failures"] for found in rounds)
    met = p95 <= GOAL_P95_MS and not failures
    rate = statistics.median(found["requests_per_s"] for found in rounds)
    notes = [listed(p95s, 1), f"{rate:.0f} pages of 50 a second", f"alone: {_alone(deployment, urls)}"]
    if not met:
        suspects = {part: processes(deployment)[part] for part in ("gateway", "provisioner")}
        notes += profiled(deployment, suspects, lambda: _load(urls, deployment.api_key, 8))
    what = f"list and filter {RESOURCES} resources, {CONNECTIONS} connections"
    return Row(what, f"p95 {GOAL_P95_MS:.0f} ms", f"p95 {p95:.0f} ms", met, "; ".join(notes))


def _alone(deployment: Deployment, urls: list[str]) -> str:
    """The median of each question, one at a time."""
    medians = []
    for url in urls:
        took = []
        for _ in range(7):
            started_s = time.perf_counter()
            deployment.http.get(url).raise_for_status()
            took.append((time.perf_counter() - started_s) * 1000)
        medians.append(statistics.median(took))
    return f"{min(medians):.0f} to {max(medians):.0f} ms"


def _in_database(plans: Plans) -> Row:
    p95 = percentile([each for times in plans.times_ms.values() for each in times], 0.95)
    depths = [statistics.median(times) for times in plans.depths_ms]
    flat = max(depths) <= FLAT * max(depths[0], 0.5)
    slowest = sorted(plans.times_ms.items(), key=lambda pair: -statistics.median(pair[1]))[:4]
    notes = [
        "pages at " + ", ".join(f"{depth}: {each:.1f} ms" for depth, each in zip(DEPTHS, depths, strict=True)),
        "slowest: " + ", ".join(f"{name} {statistics.median(times):.1f} ms" for name, times in slowest),
    ]
    met = p95 <= GOAL_DATABASE_P95_MS and flat
    goal = f"p95 {GOAL_DATABASE_P95_MS:.0f} ms, flat in depth"
    return Row("the same in the database", goal, f"p95 {p95:.1f} ms, {'flat' if flat else 'not flat'}", met,
               "; ".join(notes))  # fmt: skip


def _load(urls: list[str], api_key: str, seconds: int) -> dict[str, float]:
    command = [sys.executable, "-m", "deploy.benchmarks.http_load", *urls, "--api-key", api_key, "--seconds",
               str(seconds), "--connections", str(CONNECTIONS)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
