"""What does a campaign have to know of each simulated cloud? What to ask for there, and how its own lists read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cloud:
    """One provider: where machines are made, in which two sizes (all can be enlarged, not all reduced), and its words.

    `creation` is the ledger's name of what makes a machine; `gone` are the states of those that some clouds still list.
    In `refusing`, a second region, no machine can be had: `refusal` is how the simulator is told to say so.
    """

    region: str
    refusing: str
    refusal: Mapping[str, Any]
    subtype: str
    size: str
    larger: str
    creation: str
    running: str
    stopped: tuple[str, ...]
    gone: tuple[str, ...] = ()

    @property
    def emptied(self) -> str:
        """The region where machines are made that are refused all the same, and removed again; empty when none is."""
        return self.refusing if self.refusal.get("after") or self.refusal.get("fail_operation") else ""


LOST_FIRST = {"after": True}
"""The machine is made, its answer lost, and the next try refused: what the refusal leaves is to be looked for."""

AWS = Cloud(
    region="us-east-1",
    refusing="us-west-2",
    refusal={"status": 500, "code": "InsufficientInstanceCapacity"},
    subtype="ec2_instance",
    size="t3.micro",
    larger="t3.small",
    creation="RunInstances",
    running="running",
    stopped=("stopped",),
    gone=("shutting-down", "terminated"),
)

SDKS = (
    "google.cloud.compute_v1", "azure.mgmt.compute.aio", "azure.mgmt.network.aio", "azure.mgmt.storage.aio",
    "azure.mgmt.sql.aio", "azure.mgmt.dns.aio", "azure.mgmt.resource.resources.aio",
    "azure.mgmt.resource.subscriptions.aio",
    *(f"shared.clouds.{name}.cloud" for name in ("aws", "azure", "digitalocean", "gcp", "linode", "vultr")),
)  # fmt: skip
"""What a provisioner imports at its first calls to these clouds."""

CLOUDS: Mapping[str, Cloud] = {
    "aws": AWS,
    "azure": Cloud(
        region="eastus",
        refusing="westeurope",
        refusal={"status": 409, "code": "no_capacity", **LOST_FIRST},
        subtype="virtual_machine",
        size="Standard_B1s",
        larger="Standard_B2s",
        creation="virtual_machines.create_or_update",
        running="running",
        stopped=("deallocated", "stopped"),
        gone=("deleting", "deleted"),
    ),
    "digitalocean": Cloud(
        region="nyc3",
        refusing="fra1",
        refusal={"status": 422, "code": "no_capacity", **LOST_FIRST},
        subtype="droplet",
        size="s-1vcpu-1gb",
        larger="s-2vcpu-4gb",
        creation="droplets.create",
        running="active",
        stopped=("off",),
    ),
    "gcp": Cloud(
        region="us-central1",
        refusing="europe-west1",
        refusal={"fail_operation": True, "code": "ZONE_RESOURCE_POOL_EXHAUSTED"},
        subtype="gce_instance",
        size="e2-micro",
        larger="e2-small",
        creation="instances.insert",
        running="RUNNING",
        stopped=("TERMINATED",),
        gone=("DELETED",),
    ),
    "linode": Cloud(
        region="us-east",
        refusing="eu-central",
        refusal={"status": 400, "code": "no_capacity", **LOST_FIRST},
        subtype="linode",
        size="g6-nanode-1",
        larger="g6-standard-2",
        creation="instances.create",
        running="running",
        stopped=("offline", "stopped"),
    ),
    "vultr": Cloud(
        region="ewr",
        refusing="fra",
        refusal={"status": 400, "code": "no_capacity", **LOST_FIRST},
        subtype="vultr_instance",
        size="vc2-1c-1gb",
        larger="vc2-2c-4gb",
        creation="instances.create",
        running="running",
        stopped=("stopped",),
    ),
}
