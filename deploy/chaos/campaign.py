"""How does a campaign go? Rounds of kills with work in flight; after each, everything is compared with everything.

A campaign lives in a folder: the stack's data and `campaign.json`, the results of its finished rounds. Each round's
ends come from the campaign's seed and the round's number, so that one that was broken off goes on as it would have.
"""

import json
import random
import signal
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from deploy.chaos.client import PROVIDERS, RECOVERY, RESOURCES, Client, instruct, simulated
from deploy.chaos.clouds import CLOUDS, SDKS
from deploy.chaos.crashes import Kill, read_kills
from deploy.chaos.feeds import Feed, Feeding, Recovering
from deploy.chaos.fleets import Fleet
from deploy.chaos.ledger import Comparison, compare_held, compare_machines, compare_snapshots
from deploy.chaos.operations import Operations, Stuck, wait_for
from deploy.chaos.orders import refusals
from deploy.chaos.provisioning import Provisioning
from deploy.chaos.records import Records
from deploy.holdings import held_at
from deploy.local.environment import NOTIFIER, SERVICES
from deploy.local.processes import Process
from deploy.local.seed import seed
from deploy.local.stack import Stack

FAVOURITES: Mapping[str, Sequence[str]] = {
    "provisioner": ("create machine", "create machine*", "create *", "clear offer *", "change *", "undo *", "remove *",
                    "stop machine", "start machine", "resize machine", "terminate *"),
    "recovery": (),
}  # fmt: skip
REPLICAS = 3
SETTLE_S = 120.0


@dataclass(frozen=True)
class Conditions:
    """What a campaign runs under. Times in seconds."""

    seed: int
    lease_s: float
    ack_wait_s: float
    in_flight: int
    kills_a_round: int
    clouds: Sequence[str] = ("aws",)

    def settings(self) -> dict[str, str]:
        return {
            "CANOPY_LEASE_S": f"{self.lease_s:g}",
            "CANOPY_ACK_WAIT_S": f"{self.ack_wait_s:g}",
            "CANOPY_SYNC_CHECK_EVERY_S": "86400",
            "CANOPY_MACHINE_POLL_S": "0.5",
            "CANOPY_CLOUD_POLL_S": "0.5",
            "CANOPY_CLOUD_SETTLE_S": "1",
            "CANOPY_DURATIONS_NOTE": "measured against a simulated cloud, whose states take seconds",
        }


@dataclass
class Round:
    """What one round did and found. `converged_s`: from the kill to the end of the saga it hit, for each kill.

    `stretch` counts the deployments of a campaign; `machines`, `made` (by cloud and kind), `placed` and `events` are
    all that this one has seen so far. `placed` are machines whose place was left open, `moved` those of them that were
    refused somewhere before. `fleets` are this round's, by what had to become of them.
    """

    number: int
    service: str
    stretch: int = 1
    kills: list[Kill] = field(default_factory=list)
    operations: int = 0
    failed: int = 0
    converged_s: list[float] = field(default_factory=list)
    took_s: float = 0.0
    machines: int = 0
    machines_by_cloud: dict[str, int] = field(default_factory=dict)
    made: dict[str, dict[str, int]] = field(default_factory=dict)
    placed: int = 0
    moved: int = 0
    fleets: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    orphans: int = 0
    missing: int = 0
    events: int = 0
    findings: list[str] = field(default_factory=list)


class Campaign:
    """The rounds of one folder. Use `start`, `run_round`, `stop` from one thread: the processes die with it."""

    def __init__(self, home: Path, conditions: Conditions, say: Callable[[str], None], stretch: int = 1) -> None:
        self.conditions = conditions
        self._stretch = stretch
        self._file = home / "campaign.json"
        self.rounds = read_rounds(self._file)
        services = tuple(service for service in (*SERVICES, NOTIFIER) if service not in FAVOURITES)
        self._home = home
        self._stack = Stack(home / "stack", services=services, settings=conditions.settings(), say=say)

    @property
    def kills(self) -> int:
        return sum(len(each.kills) for each in self.rounds)

    def start(self) -> None:
        """Bring the deployment up, with one replica in peace of each service that will be under fire."""
        self._stack.start()
        try:
            for service in FAVOURITES:
                self._start_replicas(service, 0, 1)
            demonstration = seed(self._stack)
        except BaseException:
            self._stack.stop()
            raise
        self._client = Client(self._stack.url, demonstration.token)
        self._add_providers()
        self._records = Records(self._stack, UUID(demonstration.organization))

    def stop(self) -> None:
        self._stack.stop()

    def _add_providers(self) -> None:
        """An account at each cloud of the campaign; AWS's is the demonstration's."""
        known = {each["provider_name"] for each in self._client.items(PROVIDERS)}
        credentials = {
            each.provider: each.credentials for each in reversed(self._stack.other_accounts) if each.may_be_used
        }
        for name in self.conditions.clouds:
            if name not in known:
                body = {
                    "provider_name": name,
                    "display_name": name,
                    "regions": [CLOUDS[name].region, CLOUDS[name].refusing],
                    "credentials_config": dict(credentials[name]),
                }
                self._client.call("POST", PROVIDERS, body)

    def run_round(self, service: str, kills: int) -> Round:
        """Kill replicas of a service that many times while work is in flight, and compare. The round is then kept."""
        number = len(self.rounds) + 1
        done, begun_s = Round(number, service, self._stretch), time.monotonic()
        operations = Operations(self._client)
        provisioning = self._provisioning(operations) if service == "provisioner" else None
        feed = provisioning or self._recovering(operations)
        self._start_replicas(service, kills, REPLICAS)
        try:
            self._feed_until(service, kills, feed, operations)
            operations.wait()
            wait_for(lambda: not self._records.unsettled(), "rest", SETTLE_S)
        except Stuck as stuck:
            done.findings += [str(stuck), *self._records.unsettled()]
        done.kills = self._killed(service)
        done.took_s = round(time.monotonic() - begun_s, 1)
        self._judge(done, operations)
        if provisioning is not None:
            self._judge_fleets(done, provisioning.fleets, operations)
        self.rounds.append(done)
        write_rounds(self._file, self.conditions, self.rounds)
        return done

    def _provisioning(self, operations: Operations) -> Provisioning:
        """Each cloud refuses machines in one region; not for the recovery, whose drills restore there."""
        for name, refusal in refusals(self.conditions.clouds):
            instruct(self._stack.cloud_urls[name], "fault", refusal)
        return Provisioning(self._client, self._source(), operations, self.conditions.clouds)

    def _recovering(self, operations: Operations) -> Recovering:
        return Recovering(self._client, self._source(), operations)

    def _source(self) -> random.Random:
        return random.Random(f"{self.conditions.seed}/{len(self.rounds) + 1}/feed")

    def _feed_until(self, service: str, kills: int, feed: Feed, operations: Operations) -> None:
        """Keep work in flight until that many have died; work enough for all of them comes in about a minute each."""
        feeding = Feeding(feed, operations, self.conditions.in_flight)

        def enough() -> bool:
            if len(self._killed(service)) >= kills:
                return True
            feeding.top_up()
            return False

        try:
            wait_for(enough, f"kill number {kills}", 60.0 * kills + self.conditions.lease_s * 5)
        finally:
            feeding.finish()

    def _killed(self, service: str) -> list[Kill]:
        """The kills of this round, of all its replicas, in the order of time."""
        logs = [self._log(service, replica) for replica in range(1, REPLICAS + 1)]
        return sorted((kill for log in logs for kill in read_kills(log)), key=lambda kill: kill.time_s)

    def _log(self, service: str, replica: int) -> Path:
        return self._home / "kills" / f"{len(self.rounds) + 1}-{service}-{replica}.jsonl"

    def _start_replicas(self, service: str, kills: int, count: int) -> None:
        """Let that many replicas of a service begin lives of which that many end by a kill, together.

        Those that are there keep what they imported, which takes half a minute when all three import at once.
        """
        names = [service if number == 1 else f"{service}-{number}" for number in range(1, count + 1)]
        shares = [kills // count + (number < kills % count) for number in range(count)]
        supervisor, new, following = self._stack.supervisor, [], []
        for number, (name, share) in enumerate(zip(names, shares, strict=True), 1):
            words, orders = self._lives(service, number, share), self._home / f"{name}.following"
            if name in supervisor.names() and supervisor.process(name).alive:
                unfinished = orders.with_suffix(".unfinished")
                unfinished.write_text("\n".join(words))
                unfinished.replace(orders)
                following.append((supervisor.process(name), orders))
            else:
                orders.unlink(missing_ok=True)
                new.append(self._replica(name, [*words, "--following", str(orders)]))
        supervisor.start(new)
        for process, orders in following:
            wait_for(partial(_has_taken, process, orders), f"the next lives of {process.name}", SETTLE_S)
        supervisor.wait_ready(names)

    def _lives(self, service: str, number: int, kills: int) -> list[str]:
        """What a replica of this round is told."""
        log = self._log(service, number)
        log.parent.mkdir(parents=True, exist_ok=True)
        if kills:
            log.unlink(missing_ok=True)
        return [
            service, "--kills", str(kills), "--log", str(log),
            "--seed", f"{self.conditions.seed}/{len(self.rounds) + 1}/{number}",
            "--favourites", *FAVOURITES[service], "--preload", *(SDKS if service == "provisioner" else ()),
        ]  # fmt: skip

    def _replica(self, name: str, words: Sequence[str]) -> Process:
        return Process(
            name,
            [sys.executable, "-m", "deploy.chaos.replica", *words],
            self._stack.home / "logs" / f"{name}.log",
            environment=self._stack.environment_of(name),
            ready_url=f"{self._stack.url_of(name)}/readyz",
        )

    def _judge(self, done: Round, operations: Operations) -> None:
        """Compare what was asked for, what the product says, what the cloud has, and what was told."""
        done.operations = len(operations.ended)
        failed = operations.failed()
        done.failed = len(failed)
        done.findings += [f"{item['kind']} {item['id']} ended {item['status']}: {item['error']}" for item in failed]
        ends = [(operations.finished_s(kill.saga), kill.time_s) for kill in done.kills]
        done.converged_s = [round(end - killed, 2) for end, killed in ends if end is not None]
        self._judge_clouds(done)
        events = self._records.events(f"chaos{done.number}x{int(time.time())}")
        done.events = len(events)
        done.findings += self._records.wrong(events)
        verified = self._client.call("GET", "/api/audit/verify")
        if verified["valid"] is not True:
            done.findings.append(f"the audit chain does not verify: {verified}")

    def _judge_fleets(self, done: Round, fleets: Sequence[Fleet], operations: Operations) -> None:
        for fleet in fleets:
            done.fleets[fleet.kind] = done.fleets.get(fleet.kind, 0) + 1
            if fleet.operation in operations.ended:  # otherwise the round is stuck, and says so
                done.findings += fleet.wrong(operations.ended[fleet.operation])

    def _judge_clouds(self, done: Round) -> None:
        """What each simulated cloud holds and has ever made, against the rows and their tokens."""
        resources, drills = list(self._client.items(RESOURCES)), list(self._client.items(f"{RECOVERY}/tests"))
        tokens = self._records.tokens()
        _count_made(done, resources)
        held = held_at({name: self._stack.cloud_urls[name] for name in self.conditions.clouds})
        for name in self.conditions.clouds:
            url = self._stack.cloud_urls[name]
            machines = simulated(url, "instances", "instances")
            ledger = [each for each in simulated(url, "ledger", "entries") if each.get("provider", name) == name]
            own = [each | {"token": tokens.get(each["id"])} for each in resources if each["provider_name"] == name]
            found = compare_machines(machines, ledger, own, drills if name == "aws" else [], CLOUDS[name])
            done.machines += found.machines
            done.machines_by_cloud[name] = found.machines
            for each in (found, compare_held([one for one in held if one.cloud == name], own)):
                _add(done, name, each)
        backups = list(self._client.items("/api/infrastructure/backups"))
        done.findings += compare_snapshots(simulated(self._stack.simulator_url, "snapshots", "snapshots"), backups)


def _has_taken(replica: Process, orders: Path) -> bool:
    """Whether it has begun the lives that were ordered; it is told again as long as it has not: a busy one drains."""
    if orders.exists():
        replica.signal(signal.SIGHUP)
        return False
    return True


def _add(done: Round, cloud: str, found: Comparison) -> None:
    done.duplicates += found.duplicates
    done.orphans += found.orphans
    done.missing += found.missing
    done.findings += [f"{cloud}: {finding}" for finding in found.findings]


def _count_made(done: Round, resources: Sequence[Mapping[str, Any]]) -> None:
    """By cloud and kind, what was ever made whole; and the machines whose place was left open."""
    for each in resources:
        if each["resource_id"] is not None:
            made = done.made.setdefault(each["provider_name"], {})
            made[each["resource_subtype"]] = made.get(each["resource_subtype"], 0) + 1
    placements = [each["placement"] for each in resources if each["placement"] and each["placement"]["offer"]]
    done.placed, done.moved = len(placements), sum(bool(each["tried"]) for each in placements)


def read_rounds(file: Path) -> list[Round]:
    """The finished rounds of a campaign; none when it has not begun."""
    if not file.exists():
        return []
    found: list[dict[str, Any]] = json.loads(file.read_text())["rounds"]
    return [Round(**{**each, "kills": [Kill(**kill) for kill in each["kills"]]}) for each in found]


def read_conditions(file: Path) -> Conditions:
    return Conditions(**json.loads(file.read_text())["conditions"])


def write_rounds(file: Path, conditions: Conditions, rounds: list[Round]) -> None:
    unfinished = file.with_suffix(".unfinished")
    document = {"conditions": asdict(conditions), "rounds": [asdict(each) for each in rounds]}
    unfinished.write_text(json.dumps(document, indent=1))
    unfinished.replace(file)


def summary(done: Round) -> str:
    """One line for whoever watches."""
    median = f"{statistics.median(done.converged_s):.1f} s" if done.converged_s else "-"
    return (
        f"round {done.number} ({done.service}): {len(done.kills)} kills, {done.operations} operations, "
        f"{done.failed} failed, {done.duplicates} duplicates, {done.orphans} orphans, {done.missing} missing, "
        f"median {median} to the end of the saga that was hit, {done.took_s:.0f} s, {len(done.findings)} findings"
    )
