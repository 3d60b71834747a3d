"""Which long work is begun while replicas die? Provisionings and terminations; backups and drills."""

import random
from collections.abc import Callable
from typing import Any

from deploy.chaos.client import Client
from deploy.chaos.operations import Operations, wait_for

RESOURCES = "/api/cloud/resources"
RECOVERY = "/api/cloud/disaster-recovery"
INSTANCE_TYPES = ("t3.micro", "t3.small")
MACHINES_OF_A_PLAN = 2

Feed = Callable[[], str]
"""Begins one more piece of long work; the id of its operation."""


class Provisioning:
    """New machines; and those of earlier rounds are terminated, one for each three that are made."""

    def __init__(self, client: Client, source: random.Random) -> None:
        self._client = client
        self._source = source
        self._provider = next(client.items("/api/cloud/providers"))["id"]
        self._earlier = [item["id"] for item in client.items(RESOURCES, resource_status="running")]

    def __call__(self) -> str:
        if self._earlier and self._source.random() < 0.25:
            return self.terminate(self._earlier.pop())
        return str(self.provision(self._source.choice(INSTANCE_TYPES))["operation"]["id"])

    def provision(self, instance_type: str) -> dict[str, Any]:
        body = {
            "provider_id": self._provider,
            "region": "us-east-1",
            "resource_name": f"chaos-{self._source.getrandbits(40):010x}",
            "resource_type": "compute",
            "resource_subtype": "ec2_instance",
            "configuration": {"instance_type": instance_type},
            "environment": "development",
            "tags": {},
        }
        accepted: dict[str, Any] = self._client.call("POST", RESOURCES, body)
        return accepted

    def terminate(self, resource: str) -> str:
        return str(self._client.call("DELETE", f"{RESOURCES}/{resource}")["operation"]["id"])


class Recovering:
    """Backups of two machines, and drills of the plan that protects them: one for each four backups."""

    def __init__(self, client: Client, source: random.Random, operations: Operations) -> None:
        self._client = client
        self._source = source
        self._machines, self._plan = self._protected(operations)

    def __call__(self) -> str:
        if self._source.random() < 0.2 and not self._drill_runs():
            return str(self._client.call("POST", f"{RECOVERY}/test", {"plan_id": self._plan})["operation"]["id"])
        body = {"target": self._source.choice(self._machines), "regions": ["us-west-2"]}
        return str(self._client.call("POST", "/api/infrastructure/backups", body)["operation"]["id"])

    def _drill_runs(self) -> bool:
        """A plan is tested by one drill at a time."""
        return any(drill["completed_at"] is None for drill in self._client.items(f"{RECOVERY}/tests"))

    def _protected(self, operations: Operations) -> tuple[list[str], str]:
        """The machines and the plan of an earlier round, or new ones with their first backups done."""
        plan = next(self._client.items(f"{RECOVERY}/plans"), None)
        if plan is None:
            plan = self._new_plan(operations)
        backups = "/api/infrastructure/backups"
        wait_for(lambda: any(item["status"] == "completed" for item in self._client.items(backups)), "a first backup")
        return plan["resources"], plan["id"]

    def _new_plan(self, operations: Operations) -> dict[str, Any]:
        made = [Provisioning(self._client, self._source).provision("t3.micro") for _ in range(MACHINES_OF_A_PLAN)]
        for accepted in made:
            operations.begun(accepted["operation"]["id"])
        operations.wait()
        resources = [accepted["resource"]["id"] for accepted in made]
        provider = made[0]["resource"]["provider_id"]
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
