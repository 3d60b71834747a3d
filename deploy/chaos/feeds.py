"""Which long work is begun while replicas die? The whole life of machines at many clouds; backups and drills."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from deploy.chaos.client import Client
from deploy.chaos.clouds import CLOUDS
from deploy.chaos.operations import Operations, wait_for

PROVIDERS = "/api/cloud/providers"
RESOURCES = "/api/cloud/resources"
RECOVERY = "/api/cloud/disaster-recovery"
NEW_SHARE = 0.4
"""Of the work that is begun; the rest changes machines that are there, and ends nearly as many as are made."""
CHANGES = {"running": ("stop", "scale", "terminate", "terminate"), "stopped": ("start", "scale", "terminate")}
MACHINES_OF_A_PLAN = 2

Feed = Callable[[], str]
"""Begins one more piece of long work; the id of its operation."""


class Provisioning:
    """New machines at all clouds, and those that are there stopped, started, enlarged and terminated."""

    def __init__(
        self, client: Client, source: random.Random, operations: Operations, clouds: Sequence[str] = ("aws",)
    ) -> None:
        self._client = client
        self._source = source
        self._operations = operations
        self._clouds = clouds
        self._providers = {each["provider_name"]: each["id"] for each in client.items(PROVIDERS)}
        self._at_rest = [each for each in client.items(RESOURCES) if each["resource_status"] in CHANGES]
        self._at_work: dict[str, str] = {}

    def __call__(self) -> str:
        self._look()
        if self._at_rest and self._source.random() > NEW_SHARE:
            return self._change(self._at_rest.pop(self._source.randrange(len(self._at_rest))))
        return self._begun(self.provision(self._source.choice(self._clouds)))

    def provision(self, name: str) -> dict[str, Any]:
        cloud = CLOUDS[name]
        body = {
            "provider_id": self._providers[name],
            "region": cloud.region,
            "resource_name": f"chaos-{self._source.getrandbits(40):010x}",
            "resource_type": "compute",
            "resource_subtype": cloud.subtype,
            "configuration": {"instance_type": cloud.size},
            "environment": "development",
            "tags": {},
        }
        accepted: dict[str, Any] = self._client.call("POST", RESOURCES, body)
        return accepted

    def _change(self, resource: dict[str, Any]) -> str:
        """One of the changes that its state allows; what has been enlarged stays so."""
        address, larger = f"{RESOURCES}/{resource['id']}", CLOUDS[resource["provider_name"]].larger
        change = self._source.choice(CHANGES[resource["resource_status"]])
        if change == "scale" and resource["configuration"]["instance_type"] != larger:
            body = {"action": "configuration_change", "instance_type": larger}
            return self._begun(self._client.call("POST", f"{address}/scale", body))
        if change in {"stop", "start"}:
            return self._begun(self._client.call("POST", f"{address}/{change}"))
        return self._begun(self._client.call("DELETE", address))

    def _begun(self, accepted: dict[str, Any]) -> str:
        operation = str(accepted["operation"]["id"])
        self._at_work[operation] = accepted["resource"]["id"]
        return operation

    def _look(self) -> None:
        """What has come to its end may be changed again."""
        for operation in [each for each in self._at_work if each in self._operations.ended]:
            resource = self._client.call("GET", f"{RESOURCES}/{self._at_work.pop(operation)}")
            if resource["resource_status"] in CHANGES:
                self._at_rest.append(resource)


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
        provisioning = Provisioning(self._client, self._source, operations)
        made = [provisioning.provision("aws") for _ in range(MACHINES_OF_A_PLAN)]
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
