"""How is work kept in flight while replicas die? And which is it for the recovery: backups, and drills of a plan."""

import random
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Any

from deploy.chaos.client import PROVIDERS, RECOVERY, Client
from deploy.chaos.operations import Operations, wait_for
from deploy.chaos.orders import machine_order

MACHINES_OF_A_PLAN = 2
BACKUPS = "/api/infrastructure/backups"

BEGINNERS = 8
"""So many at once: who asks just when a replica dies waits for seconds until somebody answers."""

Begin = Callable[[], list[str]]
"""Asks for one piece of long work; the ids of its operations."""
Feed = Callable[[], Begin]
"""Draws what is to be begun next."""


class Feeding:
    """Keeps `in_flight` operations going: draws from a feed in one thread, asks in several."""

    def __init__(self, feed: Feed, operations: Operations, in_flight: int) -> None:
        self._feed = feed
        self._operations = operations
        self._in_flight = in_flight
        self._pool = ThreadPoolExecutor(BEGINNERS)
        self._asked: set[Future[list[str]]] = set()

    def top_up(self) -> None:
        """Begin as much as is missing; raises what a beginning raised."""
        self._note()
        for _ in range(min(BEGINNERS, self._in_flight - self._operations.look()) - len(self._asked)):
            self._asked.add(self._pool.submit(self._feed()))

    def finish(self) -> None:
        """Wait for the answers of all that was asked for."""
        wait(self._asked)
        self._note()
        self._pool.shutdown()

    def _note(self) -> None:
        for done in [each for each in self._asked if each.done()]:
            self._asked.discard(done)
            self._operations.begun(*done.result())


class Recovering:
    """Backups of two machines, and drills of the plan that protects them: one for each four backups."""

    def __init__(self, client: Client, source: random.Random, operations: Operations) -> None:
        self._client = client
        self._source = source
        self._one_drill = Lock()
        self._machines, self._plan = self._protected(operations)

    def __call__(self) -> Begin:
        is_drill, target = self._source.random() < 0.2, self._source.choice(self._machines)

        def begin() -> list[str]:
            with self._one_drill:
                if is_drill and not self._drill_runs():
                    return [self._begun(f"{RECOVERY}/test", {"plan_id": self._plan})]
            return [self._begun(BACKUPS, {"target": target, "regions": ["us-west-2"]})]

        return begin

    def _begun(self, path: str, body: dict[str, Any]) -> str:
        return str(self._client.call("POST", path, body)["operation"]["id"])

    def _drill_runs(self) -> bool:
        """A plan is tested by one drill at a time."""
        return any(drill["completed_at"] is None for drill in self._client.items(f"{RECOVERY}/tests"))

    def _protected(self, operations: Operations) -> tuple[list[str], str]:
        """The machines and the plan of an earlier round, or new ones with their first backups done."""
        plan = next(self._client.items(f"{RECOVERY}/plans"), None)
        if plan is None:
            plan = self._new_plan(operations)
        wait_for(lambda: any(item["status"] == "completed" for item in self._client.items(BACKUPS)), "a first backup")
        return plan["resources"], plan["id"]

    def _new_plan(self, operations: Operations) -> dict[str, Any]:
        provider = next(each["id"] for each in self._client.items(PROVIDERS) if each["provider_name"] == "aws")
        made = [
            self._client.call("POST", "/api/cloud/resources", machine_order("aws", provider, f"protected-{number}"))
            for number in range(MACHINES_OF_A_PLAN)
        ]
        for accepted in made:
            operations.begun(accepted["operation"]["id"])
        operations.wait()
        resources = [accepted["resource"]["id"] for accepted in made]
        body = {
            "plan_name": "chaos",
            "plan_type": "backup_restore",
            "primary_region": {"provider_id": provider, "region_code": "us-east-1"},
            "disaster_recovery_regions": [{"provider_id": provider, "region_code": "us-west-2"}],
            "resources": resources,
            "recovery_objectives": {"rto_minutes": 60, "rpo_minutes": 60},
        }
        plan: dict[str, Any] = self._client.call("POST", f"{RECOVERY}/plans", body)
        return plan
