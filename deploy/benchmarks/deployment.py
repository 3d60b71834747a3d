"""What do the benchmarks run against? One embedded stack with production settings, and ways to speak to each part."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import psycopg

from deploy.local.environment import TOPOLOGY
from deploy.local.seed import seed
from deploy.local.stack import PROGRAMS, Stack
from shared.bus.connection import Bus, create_bus
from shared.kit.ids import SYSTEM_ACTOR, new_id
from shared.kit.settings import BaseServiceSettings
from shared.messages.context import Context
from shared.messages.resources import Resource, ResourceStarted

T = TypeVar("T")
BATCH = 256
PROFILE_S = 6


class Deployment:
    """A running stack with its demonstration organization."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        found = seed(stack)
        self.organization = UUID(found.organization)
        self.api_key = found.token
        self.http = httpx.Client(base_url=stack.url, headers={"X-API-Key": found.token}, timeout=30, trust_env=False)
        self.provider_id = UUID(self.http.get("/api/cloud/providers").json()["items"][0]["id"])

    def bus(self, user: str, use: Callable[[Bus], Awaitable[T]]) -> T:
        """Run a function with the connection of one of the stack's NATS users."""

        async def run() -> T:
            variables = self.stack.nats_environment(user)
            settings = BaseServiceSettings(
                nats_url=variables["CANOPY_NATS_URL"],
                nats_user=variables["CANOPY_NATS_USER"],
                nats_password=variables["CANOPY_NATS_PASSWORD"],
            )
            bus = create_bus(settings, user)
            await bus.open()
            try:
                return await use(bus)
            finally:
                await bus.close()

        return asyncio.run(run())

    def waiting(self, stream: str, durable: str) -> int:
        """Messages of a consumer that are not acknowledged yet."""

        async def ask(bus: Bus) -> int:
            info = await bus.jetstream.consumer_info(stream, durable)
            return (info.num_pending or 0) + (info.num_ack_pending or 0)

        return self.bus(TOPOLOGY, ask)

    def count(self, service: str, statement: str) -> int:
        """One number from a service's database, seen by its system role."""
        environment = self.stack.environment_of(service)
        with psycopg.connect(environment["CANOPY_DATABASE_URL"]) as connection:
            connection.execute(f"SET ROLE {service}_system".encode())
            row = connection.execute(statement.encode()).fetchone()
            return int(row[0]) if row else 0

    def announce(self, count: int) -> list[UUID]:
        """Say, as the provisioner would, that `count` new resources run; returns their ids."""
        resources = [self.resource(number) for number in range(count)]
        context = Context(self.organization, SYSTEM_ACTOR, new_id())
        now = datetime.now(UTC)
        events = [ResourceStarted(**context.about(item.id, item.version, now), resource=item) for item in resources]

        async def say(bus: Bus) -> None:
            for start in range(0, len(events), BATCH):
                await asyncio.gather(
                    *(
                        bus.publish(event.subject(), event.to_bytes(), {"Nats-Msg-Id": str(event.id)})
                        for event in events[start : start + BATCH]
                    )
                )

        self.bus("provisioner", say)
        return [item.id for item in resources]

    def everything(self, path: str) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            parameters = {"limit": "200"} | ({} if cursor is None else {"cursor": cursor})
            page = self.http.get(path, params=parameters).raise_for_status().json()
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    def resource(self, number: int) -> Resource:
        now = datetime.now(UTC)
        return Resource(
            id=new_id(), organization_id=self.organization, provider_id=self.provider_id, provider_name="aws",
            region="us-east-1", resource_id=f"i-{number:017x}", resource_name=f"bench-{number}",
            resource_type="compute", resource_subtype="ec2_instance", configuration={"instance_type": "t3.micro"},
            resource_status="running", environment="production", project="bench", created_at=now, updated_at=now,
            version=2,
        )  # fmt: skip


@contextmanager
def running(
    home: Path,
    *,
    services: tuple[str, ...] = PROGRAMS,
    without: tuple[str, ...] = (),
    settings: Mapping[str, str] | None = None,
) -> Iterator[Deployment]:
    """A stack for one benchmark; `without` are processes that would only disturb it (the load feeder)."""
    stack = Stack(home, services=services, settings=settings)
    stack.start()
    try:
        deployment = Deployment(stack)
        for name in without:
            stack.kill(name)
        yield deployment
    finally:
        stack.stop()


def profiled(deployment: Deployment, pids: Mapping[str, int], load: Callable[[], object]) -> list[str]:
    """What each process does while `load` runs once more: the notes of a miss. Its figures are not counted."""
    with ThreadPoolExecutor() as pool:
        begun = {
            name: pool.submit(profile, pid, PROFILE_S, deployment.stack.home / f"{name}.raw")
            for name, pid in pids.items()
        }
        time.sleep(1)  # py-spy has to read the process's symbols first
        load()
        return [f"\nprofile of {name}:\n{found.result()}" for name, found in begun.items()]


def profile(pid: int, seconds: int, file: Path) -> str:
    """A py-spy profile of a process, for a miss: our functions that take most processor time, one a line."""
    spy = Path(sys.executable).with_name("py-spy")
    command: list[str | Path] = [
        spy,
        "record",
        "--pid",
        str(pid),
        "--duration",
        str(seconds),
        "--gil",
        "--format",
        "raw",
        "--output",
        file,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return f"no profile: {done.stderr.strip()[-200:]}"
    return "\n".join(_hottest(file.read_text().splitlines()))


def _hottest(stacks: list[str], count: int = 12) -> list[str]:
    """The share of all samples in which a function of ours was on the stack."""
    seen: Counter[str] = Counter()
    total = 0
    for line in stacks:
        frames, _, samples = line.rpartition(" ")
        total += int(samples)
        for frame in set(frames.split(";")):
            if re.search(r"\((shared|services)/", frame):
                seen[frame.rpartition(":")[0] + ")"] += int(samples)
    return [f"{samples / max(total, 1):5.1%}  {frame}" for frame, samples in seen.most_common(count)]


def processes(deployment: Deployment) -> dict[str, int]:
    """The pid of each running process, by name."""
    return processes_of(deployment.stack.home)


def processes_of(home: Path) -> dict[str, int]:
    """The same of any data folder."""
    state = json.loads((home / "state.json").read_text())
    return {name: entry["pid"] for name, entry in state["processes"].items() if entry["pid"]}
