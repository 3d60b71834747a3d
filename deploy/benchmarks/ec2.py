"""What do 10,000 EC2 instances cost, listed, mapped and stored, beside boto3's bare paginated describe of the same?"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.benchmarks.deployment import Deployment, running
from deploy.benchmarks.estates import add_provider, credentials, plant
from deploy.benchmarks.measurements import Row, listed

INSTANCES, ROUNDS = 10_000, 3
GOAL_CPU, GOAL_PEAK_MB = 1.2, 200.0
_SETTINGS = {"CANOPY_SYNC_CHECK_EVERY_S": "3600"}


def measure() -> list[Row]:
    """Three rounds of three processes; each round stores for an organization's provider that knows nothing yet."""
    found: dict[str, list[dict[str, float]]] = {"boto3": [], "ours": [], "stored": []}
    for _ in range(ROUNDS):
        with (
            tempfile.TemporaryDirectory() as home,
            running(
                Path(home), services=("gateway", "provisioner"), without=("load",), settings=_SETTINGS
            ) as deployment,
        ):
            plant(deployment, INSTANCES, provider="aws")
            provider = add_provider(deployment, "aws")
            deployment.stack.kill("provisioner")
            for way, rounds in found.items():
                rounds.append(_run(deployment, way, provider))
    return [_row(found)]


def _row(found: dict[str, list[dict[str, float]]]) -> Row:
    cpu = {way: statistics.median(each["cpu_s"] for each in rounds) for way, rounds in found.items()}
    peak = {way: statistics.median(each["peak_mb"] for each in rounds) for way, rounds in found.items()}
    counts = {each["count"] for rounds in found.values() for each in rounds}
    if counts != {INSTANCES}:
        raise RuntimeError(f"not every way read all instances: {counts}")
    ratio = cpu["stored"] / cpu["boto3"]
    notes = [
        listed([each["cpu_s"] for each in found["stored"]], 1),
        f"boto3 alone: CPU {cpu['boto3']:.1f} s, peak {peak['boto3']:.0f} MB",
        f"our adapter alone: CPU {cpu['ours']:.1f} s, peak {peak['ours']:.0f} MB",
        "whole processes, imports included",
    ]
    return Row(
        f"{INSTANCES} EC2 instances listed, mapped, stored",
        f"CPU {GOAL_CPU:g} x boto3's, peak {GOAL_PEAK_MB:.0f} MB",
        f"CPU {cpu['stored']:.1f} s ({ratio:.2f} x), peak {peak['stored']:.0f} MB",
        ratio <= GOAL_CPU and peak["stored"] <= GOAL_PEAK_MB,
        "; ".join(notes),
    )


def _run(deployment: Deployment, way: str, provider: str) -> dict[str, float]:
    keys = credentials(deployment, "aws")
    command = [sys.executable, "-m", "deploy.benchmarks.ec2_listing", way, "--url", deployment.stack.simulator_url,
               "--organization", str(deployment.organization), "--provider", provider]  # fmt: skip
    own = {
        "AWS_ACCESS_KEY_ID": keys["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    environment = {**os.environ, **deployment.stack.environment_of("provisioner"), **own}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer
