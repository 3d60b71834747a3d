"""How are two thousand fuzzed reads run on a deployment's database, and what is written down about them?"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.chaos.scans import SETTLE_S, Run, fuzz
from deploy.chaos.scripted import ManualClock
from deploy.local.stack import Stack
from deploy.provisioner_replica import replica_of

_SAY_EVERY = 200


@dataclass
class ScanCampaign:
    """All runs of a campaign, whose seeds follow each other from `seed` on."""

    seed: int
    runs: list[Run] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def findings(self) -> list[str]:
        return [finding for run in self.runs for finding in run.findings]

    def section(self) -> str:
        """Its part of docs/chaos.md."""
        fooled = [run for run in self.runs if run.lost_by_age]
        by_age = f"{sum(run.lost_by_age for run in self.runs)}, in {len(fooled)} of the runs"
        rows = [
            ("seeds", f"{self.seed} to {self.seed + len(self.runs) - 1}"),
            ("**runs**", f"**{len(self.runs)}**"),
            ("reads of a scope", str(sum(run.reads for run in self.runs))),
            ("living things deleted", str(sum(len(run.false_deletions) for run in self.runs))),
            ("wrong after the next complete read", str(sum(len(run.missed) for run in self.runs))),
            ("living things that a clean-up by age would have deleted", by_age),
            ("duration", f"{self.took_s:.1f} s"),
        ]
        table = ["| | |", "|---|---|", *(f"| {left} | {right} |" for left, right in rows)]
        return "\n".join(["## Scans: reads of an inventory", "", _HEAD, "", *table, "", *_listed(self.findings)])


_HEAD = """
Each run is one account whose machines come, go and change, by others' hands and by our own sagas, while its scope is
read: with refusals, throttling, time-outs, cut and repeated pages, answers that make no sense, lists that lag up to
30 s, two reads at once, and replicas that die in the middle. Then everything is read once without a fault. The clean-up
by age deletes what was on no page for two minutes: the provisioner does not do that.
""".strip()


def _listed(findings: list[str]) -> list[str]:
    return [f"- {finding}" for finding in findings[:20]]


def run_scans(home: Path, seed: int, count: int, say: Callable[[str], None]) -> ScanCampaign:
    """The runs, on a deployment of their own without services."""
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    stack = Stack(home, services=())
    stack.start()
    try:
        return asyncio.run(_run(stack, seed, count, say))
    finally:
        stack.stop()


async def _run(stack: Stack, seed: int, count: int, say: Callable[[str], None]) -> ScanCampaign:
    campaign, clock = ScanCampaign(seed), ManualClock()
    environment = stack.environment_of("provisioner") | {"CANOPY_INVENTORY_SETTLE_S": str(SETTLE_S)}
    deps = replica_of(environment, clock)
    started_s = time.monotonic()
    for number in range(count):
        campaign.runs.append(await fuzz(deps, clock, seed + number))
        for finding in campaign.runs[-1].findings:
            say(f"  FOUND {finding}")
        if (number + 1) % _SAY_EVERY == 0:
            say(f"{number + 1} fuzzed reads, {len(campaign.findings)} findings")
    campaign.took_s = time.monotonic() - started_s
    await deps.database.close()
    return campaign
