"""What does a campaign have to know of each simulated cloud? What to ask for there, and how its own lists read."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cloud:
    """One provider: where machines are made, in which two sizes (all can be enlarged, not all reduced), and its words.

    `creation` is the ledger's name of what makes a machine; `gone` are the states of those that some clouds still list.
    """

    region: str
    subtype: str
    size: str
    larger: str
    creation: str
    running: str
    stopped: tuple[str, ...]
    gone: tuple[str, ...] = ()


AWS = Cloud(
    region="us-east-1",
    subtype="ec2_instance",
    size="t3.micro",
    larger="t3.small",
    creation="RunInstances",
    running="running",
    stopped=("stopped",),
    gone=("shutting-down", "terminated"),
)

CLOUDS: Mapping[str, Cloud] = {
    "aws": AWS,
    "azure": Cloud(
        region="eastus",
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
        subtype="droplet",
        size="s-1vcpu-1gb",
        larger="s-2vcpu-4gb",
        creation="droplets.create",
        running="active",
        stopped=("off",),
    ),
    "gcp": Cloud(
        region="us-central1",
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
        subtype="linode",
        size="g6-nanode-1",
        larger="g6-standard-2",
        creation="instances.create",
        running="running",
        stopped=("offline", "stopped"),
    ),
    "vultr": Cloud(
        region="ewr",
        subtype="vultr_instance",
        size="vc2-1c-1gb",
        larger="vc2-2c-4gb",
        creation="instances.create",
        running="running",
        stopped=("stopped",),
    ),
}
