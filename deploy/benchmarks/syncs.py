"""How soon is an inventory of 10,000 resources over six clouds read, at first and after 1 % of it changed?"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from deploy.benchmarks.deployment import Deployment, processes, profiled, running
from deploy.benchmarks.estates import REGIONS, add_provider, begin_sync, credentials, ended, plant
from deploy.benchmarks.measurements import Row, listed, wait_until
from deploy.benchmarks.usage import cpu_s, forget_peak, peak_mb
from shared.clouds.models import Credentials
from shared.clouds.registry import open_cloud
from shared.clouds.settings import CloudSettings

FULL_S, PEAK_MB, AGAIN_S = 30.0, 400.0, 10.0
MACHINES, RESOURCES = 6_200, 10_000
"""So many machines of an estate come with so many volumes that both are more than 10,000 resources."""
SHARE = 0.01
STACKS = 3
"""A first sync is one only on a deployment that knows nothing yet."""
SETTLE_S = 5
"""How far the clouds' lists may lag, instead of a minute: the second sync need not wait so long to believe them."""
_SETTINGS = {
    "CANOPY_SYNC_CHECK_EVERY_S": "3600",  # nobody but this benchmark begins a sync
    "CANOPY_INVENTORY_SETTLE_S": str(SETTLE_S),
}
_KNOWN = "SELECT count(*) FROM cloud_resources WHERE resource_status <> 'terminated'"


@dataclass(frozen=True, slots=True)
class _Round:
    resources: int
    full_s: float
    full_cpu_s: float
    peak_mb: float
    changed: int
    again_s: float
    by_provider: dict[str, float]
    profiles: list[str]


def measure() -> list[Row]:
    """Three deployments, the median of each number."""
    rounds = [_round() for _ in range(STACKS)]
    full, again = [each.full_s for each in rounds], [each.again_s for each in rounds]
    peaks = [each.peak_mb for each in rounds]
    full_s, peak, again_s = (statistics.median(values) for values in (full, peaks, again))
    last = rounds[-1]
    slowest = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in last.by_provider.items())
    notes = [listed(full, 1), f"peaks {', '.join(f'{each:.0f}' for each in peaks)} MB",
             f"CPU of the provisioner {last.full_cpu_s:.1f} s", f"ended after: {slowest}", *last.profiles]  # fmt: skip
    resources, changed = min(each.resources for each in rounds), last.changed
    what = f"full sync, {resources} resources over six clouds"
    return [
        Row(what, f"{FULL_S:.0f} s, peak < {PEAK_MB:.0f} MB", f"{full_s:.1f} s, peak {peak:.0f} MB",
            full_s <= FULL_S and peak < PEAK_MB and resources >= RESOURCES, "; ".join(notes)),
        Row(f"the same again, {changed} changed", f"{AGAIN_S:.0f} s", f"{again_s:.1f} s", again_s <= AGAIN_S,
            f"{listed(again, 1)}; every change found; clouds' lists may lag {SETTLE_S} s"),
    ]  # fmt: skip


def _round() -> _Round:
    with (
        tempfile.TemporaryDirectory() as home,
        running(Path(home), services=("gateway", "provisioner"), without=("load",), settings=_SETTINGS) as deployment,
    ):
        plant(deployment, MACHINES)
        ids = {provider: add_provider(deployment, provider) for provider in REGIONS}
        pid = processes(deployment)["provisioner"]
        forget_peak(pid)
        before_s = cpu_s(pid)
        full_s, by_provider = _sync(deployment, ids)
        full_cpu_s, peak = cpu_s(pid) - before_s, peak_mb(pid)
        resources = deployment.count("provisioner", _KNOWN)
        wait_until(lambda: deployment.count("provisioner", "SELECT count(*) FROM outbox") == 0, 120, 0.5)
        changed = asyncio.run(_change(deployment))
        time.sleep(SETTLE_S + 1)
        versions = "SELECT coalesce(sum(version), 0) FROM cloud_resources"
        version = deployment.count("provisioner", versions)
        again_s, _ = _sync(deployment, ids)
        found = deployment.count("provisioner", versions) - version
        if found < changed:
            raise RuntimeError(f"{changed} machines changed, {found} changes were found")
        profiles = []
        if full_s > FULL_S or again_s > AGAIN_S:
            profiles = profiled(deployment, {"provisioner": pid}, lambda: _sync(deployment, ids))
        return _Round(resources, full_s, full_cpu_s, peak, changed, again_s, by_provider, profiles)


def _sync(deployment: Deployment, ids: dict[str, str]) -> tuple[float, dict[str, float]]:
    """Seconds until the last of the six was read, and until each was."""
    started_s = time.monotonic()
    operations = {provider: begin_sync(deployment, provider_id) for provider, provider_id in ids.items()}
    took_s = {}
    for provider, operation in operations.items():
        ended(deployment, operation)
        took_s[provider] = time.monotonic() - started_s
    return max(took_s.values()), took_s


async def _change(deployment: Deployment) -> int:
    """Give a tag to 1 % of the machines of each cloud, as their owners would; how many those are."""
    endpoints = {f"{name}_endpoint_url": url for name, url in deployment.stack.cloud_urls.items()}
    settings = CloudSettings.model_validate(endpoints)
    changed = 0
    for provider, regions in REGIONS.items():
        cloud = open_cloud(provider, Credentials(credentials(deployment, provider)), settings)
        try:
            for region in regions:
                found = [each async for page in cloud.machines.pages(region) for each in page]  # type: ignore[attr-defined]
                for machine in found[: max(1, round(len(found) * SHARE * RESOURCES / MACHINES))]:
                    await cloud.machines.tag(region, machine.id, {"Reviewed": "2026-11"})  # type: ignore[attr-defined]
                    changed += 1
        finally:
            await cloud.close()
    return changed
