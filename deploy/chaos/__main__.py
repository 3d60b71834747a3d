"""`python -m deploy.chaos [--seed N] [--kills 1000] [--scans 2000] [--resume]`: all campaigns, then docs/chaos.md."""

import argparse
import itertools
import secrets
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from deploy.chaos.campaign import Campaign, Conditions, Round, read_conditions, summary
from deploy.chaos.clouds import CLOUDS
from deploy.chaos.report import write_report
from deploy.chaos.scan_campaign import run_scans

KILLS_A_ROUND, RECOVERY_KILLS_A_ROUND = 25, 10
"""What a campaign that is broken off loses at most: a round that has not ended is run again."""
STRETCH_KILLS = 150
"""Then a fresh deployment: the simulated cloud saves all it has at each change, which gets slow with 200 machines."""
PRODUCTION_KILLS = 5
RECOVERY_KILLS = 20
IN_FLIGHT = 24
SCANS = 2000
RECOVERY_IN_FLIGHT = 6
SHORT_LEASE_S, SHORT_ACK_WAIT_S = 3.0, 3.0
PRODUCTION_LEASE_S, PRODUCTION_ACK_WAIT_S = 60.0, 30.0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="of all ends and all work (default: drawn and printed)")
    parser.add_argument("--kills", type=int, default=1000, help="at the provisioner's journal, with short leases")
    parser.add_argument("--recovery-kills", type=int, default=RECOVERY_KILLS, help="at that of backups and drills")
    parser.add_argument("--production-kills", type=int, default=PRODUCTION_KILLS, help="with production settings")
    parser.add_argument("--scans", type=int, default=SCANS, help="runs of fuzzed reads of an inventory")
    parser.add_argument("--resume", action="store_true", help="go on where the last campaign was broken off")
    parser.add_argument("--home", type=Path, default=Path(".canopy/chaos"))
    parser.add_argument("--report", type=Path, default=Path("docs/chaos.md"))
    return parser.parse_args()


def main() -> int:
    arguments = read_arguments()
    if not arguments.resume:
        shutil.rmtree(arguments.home, ignore_errors=True)
    number = _seed_of(arguments)
    say(f"seed {number}")
    short = Conditions(number, SHORT_LEASE_S, SHORT_ACK_WAIT_S, IN_FLIGHT, KILLS_A_ROUND, tuple(CLOUDS))
    production = Conditions(
        number, PRODUCTION_LEASE_S, PRODUCTION_ACK_WAIT_S, IN_FLIGHT, PRODUCTION_KILLS, tuple(CLOUDS)
    )
    recovery = Conditions(number, SHORT_LEASE_S, SHORT_ACK_WAIT_S, RECOVERY_IN_FLIGHT, RECOVERY_KILLS_A_ROUND)
    parts = [
        ("short", short, "provisioner", arguments.kills),
        ("recovery", recovery, "recovery", arguments.recovery_kills),
        ("production", production, "provisioner", arguments.production_kills),
    ]
    found: dict[str, tuple[Conditions, list[Round]]] = {}
    for name, conditions, service, kills in parts:
        found[name] = conditions, run_part(arguments.home / name, conditions, service, kills)
        write_report(arguments.report, found)
        if any(each.findings for each in found[name][1]):
            return 1
    scans = run_scans(arguments.home / "scans", number, arguments.scans, say)
    write_report(arguments.report, found, scans.section())
    return 1 if scans.findings else 0


def run_part(home: Path, conditions: Conditions, service: str, kills: int) -> list[Round]:
    """All rounds of one part. Each stretch has a deployment and a seed of its own; ends after a round with findings."""
    rounds: list[Round] = []
    for stretch in itertools.count(1):
        left = kills - sum(len(each.kills) for each in rounds)
        if left <= 0 or any(each.findings for each in rounds):
            break
        own = replace(conditions, seed=conditions.seed + stretch - 1)
        folder = home.with_name(f"{home.name}-{stretch}")
        rounds += run_stretch(folder, own, service, min(left, STRETCH_KILLS), stretch)
    return rounds


def run_stretch(home: Path, conditions: Conditions, service: str, kills: int, stretch: int) -> list[Round]:
    """Rounds on one deployment until there are enough kills, or findings: then its data is there for whoever looks."""
    home.mkdir(parents=True, exist_ok=True, mode=0o711)
    campaign = Campaign(home, conditions, say, stretch)
    if campaign.kills >= kills:
        return campaign.rounds
    say(f"{kills} kills of the {service}, lease {conditions.lease_s:g} s, ack wait {conditions.ack_wait_s:g} s")
    campaign.start()
    try:
        while campaign.kills < kills:
            done = campaign.run_round(service, min(conditions.kills_a_round, kills - campaign.kills))
            say(summary(done))
            for finding in done.findings:
                say(f"  FOUND {finding}")
            if done.findings:
                break
    finally:
        campaign.stop()
    return campaign.rounds


def _seed_of(arguments: argparse.Namespace) -> int:
    """The given one, that of the campaign to go on with, or a new one."""
    kept = [file for file in arguments.home.glob("*/campaign.json") if file.exists()]
    if kept:
        return min(read_conditions(file).seed for file in kept)
    return secrets.randbelow(1_000_000) if arguments.seed is None else int(arguments.seed)


def say(line: str) -> None:
    print(f"chaos: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
