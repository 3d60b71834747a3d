"""Which long work is begun while replicas of the recovery die? Backups of two machines, and drills of their plan."""

import random
from collections.abc import Callable
from typing import Any

from deploy.chaos.client import PROVIDERS, RECOVERY, Client
from deploy.chaos.operations import Operations, wait_for
from deploy.chaos.orders import machine_order

MACHINES_OF_A_PLAN = 2
BACKUPS = "/api/infrastructure/backups"

Feed = Callable[[], list[str]]
"""Begins one more piece of long work; the ids of its operations."""


class Recovering:
    """Backups of two machines, and drills of the plan that protects them: one for each four backups."""

    def __init__(self, client: Client, source: random.Random, operations: Operations) -> None:
        self._client = client
        self._source = source
        self._machines, self._plan = self._protected(operations)

    def __call__(self) -> list[str]:
        if self._source.random() < 0.2 and not self._drill_runs():
            return [str(self._client.call("POST", f"{RECOVERY}/test", {"plan_id": self._plan})["operation"]["id"])]
        body = {"target": self._source.choice(self._machines), "regions": ["us-west-2"]}
        return [str(self._client.call("POST", BACKUPS, body)["operation"]["id"])]

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
