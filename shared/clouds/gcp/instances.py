"""How does a machine look in Compute Engine's words, and an instance in ours?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.errors import InvalidRequest
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project, in_utc_or_none, last_part, region_of_zone, zonal_id
from shared.clouds.gcp.errors import from_operation
from shared.clouds.gcp.operations import Past
from shared.clouds.models import TOKEN_TAG, AttachedVolume, CapacityType, Machine, MachineSpec, MachineState

ROOT_DEVICE = "persistent-disk-0"
"""What Google calls the boot disk's device when nobody names it."""

# cloud.google.com/compute/docs/instances/instance-lifecycle; TERMINATED means stopped: the instance is kept.
_STATES: Mapping[str, MachineState] = {
    "PROVISIONING": MachineState.PENDING,
    "STAGING": MachineState.PENDING,
    "PENDING": MachineState.PENDING,
    "REPAIRING": MachineState.PENDING,  # on its way back to running
    "RUNNING": MachineState.RUNNING,
    "PENDING_STOP": MachineState.STOPPING,
    "STOPPING": MachineState.STOPPING,
    "SUSPENDING": MachineState.STOPPING,
    "STOPPED": MachineState.STOPPED,
    "SUSPENDED": MachineState.STOPPED,
    "TERMINATED": MachineState.STOPPED,
    "DEPROVISIONING": MachineState.SHUTTING_DOWN,
}

_ARCHITECTURES: Mapping[str, str] = {"X86_64": "x86_64", "ARM64": "arm64"}


# cloud.google.com/compute/docs/instances/create-use-spot: a spot machine is neither moved nor restarted by Google.
_SPOT_SCHEDULING: Mapping[str, Any] = {
    "provisioning_model": "SPOT",
    "instance_termination_action": "STOP",
    "on_host_maintenance": "TERMINATE",
    "automatic_restart": False,
}


def architecture_of(words: str) -> str | None:
    return _ARCHITECTURES.get(words)


def architecture_to_google(architecture: str) -> str:
    return {"x86_64": "X86_64", "arm64": "ARM64"}.get(architecture, architecture.upper())


def insertion(spec: MachineSpec, zone: str, image: str, tags: Mapping[str, str], *, root_device: str) -> dict[str, Any]:
    """The instance to insert. Without a subnet it is in the default network, with an external address."""
    labels = gcp_tags.to_labels(tags)
    disk: dict[str, Any] = {"source_image": image, "labels": labels, "description": _disk_description(tags)}
    if spec.root_volume_gib is not None:
        disk["disk_size_gb"] = spec.root_volume_gib
    network: dict[str, Any] = (
        {"subnetwork": spec.subnet_id}
        if spec.subnet_id is not None
        else {
            "network": "global/networks/default",
            "subnetwork": f"regions/{region_of_zone(zone)}/subnetworks/default",
            "access_configs": [{"name": "external-nat", "type_": "ONE_TO_ONE_NAT"}],
        }
    )
    network["stack_type"] = "IPV4_ONLY"  # the rules of a wall deny IPv4; nothing else may be open
    body: dict[str, Any] = {
        "name": gcp_tags.name_of(spec.token),
        "machine_type": f"zones/{zone}/machineTypes/{spec.instance_type}",
        "labels": labels,
        "metadata": {
            "items": [
                {"key": gcp_tags.METADATA_TAGS, "value": gcp_tags.to_text(tags)},
                {"key": gcp_tags.METADATA_IMAGE, "value": image},
            ]
        },
        "disks": [{"boot": True, "auto_delete": True, "device_name": root_device, "initialize_params": disk}],
        "network_interfaces": [network],
    }
    if spec.capacity_type is CapacityType.SPOT:
        body["scheduling"] = dict(_SPOT_SCHEDULING)
    if spec.security_groups:
        body["tags"] = {"items": list(spec.security_groups)}
    return body


def _disk_description(tags: Mapping[str, str]) -> str:
    """The boot disk carries its machine's tags too, or where they are too long the token alone."""
    try:
        return gcp_tags.to_description(tags, operation="instances.insert")
    except InvalidRequest:
        return gcp_tags.to_description({TOKEN_TAG: tags[TOKEN_TAG]}, operation="instances.insert")


def machine_of(instance: Mapping[str, Any], region: str) -> Machine:
    """From its JSON. Google does not say what an instance was made from; we wrote it into its metadata."""
    items, disks = _metadata(instance), instance.get("disks", [])
    boot: Mapping[str, Any] = next((each for each in disks if each.get("boot")), {})
    network: Mapping[str, Any] = next(iter(instance.get("networkInterfaces", [])), {})
    addresses = [each["natIP"] for each in network.get("accessConfigs", []) if each.get("natIP")]
    return Machine(
        id=zonal_id(instance["selfLink"]),
        state=_STATES.get(instance["status"], MachineState.PENDING),
        instance_type=last_part(instance["machineType"]),
        image=items.get(gcp_tags.METADATA_IMAGE, ""),
        region=region,
        zone=last_part(instance["zone"]),
        tags=gcp_tags.merged(gcp_tags.from_text(items.get(gcp_tags.METADATA_TAGS, "")), instance.get("labels", {})),
        private_ip=network.get("networkIP") or None,
        public_ip=addresses[0] if addresses else None,
        network_id=from_project(network.get("network", "")) or None,
        subnet_id=from_project(network.get("subnetwork", "")) or None,
        security_groups=tuple(instance.get("tags", {}).get("items", [])),
        launched_at=in_utc_or_none(instance.get("lastStartTimestamp") or instance.get("creationTimestamp")),
        state_reason=instance.get("statusMessage") or None,
        architecture=architecture_of(boot.get("architecture", "")),
        root_device_name=boot.get("deviceName"),
        volumes=tuple(
            AttachedVolume(zonal_id(each["source"]), each.get("deviceName", "")) for each in disks if each.get("source")
        ),  # a local SSD has no source, and no volume of its own
        capacity_type=_capacity_of(instance.get("scheduling", {})),
    )


def _capacity_of(scheduling: Mapping[str, Any]) -> CapacityType:
    """A preemptible machine, spot's predecessor, is sold at spot's price."""
    is_spot = scheduling.get("provisioningModel") == "SPOT" or scheduling.get("preemptible")
    return CapacityType.SPOT if is_spot else CapacityType.ON_DEMAND


def vanished(region: str, name: str, past: Past, tags: Mapping[str, str]) -> Machine:
    """A machine of which only its operations are left: terminated, never come, or not visible yet."""
    return Machine(
        id=f"zones/{past.zone}/instances/{name}",
        state=MachineState.PENDING if past.coming else MachineState.TERMINATED,
        instance_type="",
        image="",
        region=region,
        zone=past.zone,
        tags=tags,
        launched_at=past.began_at,
        state_reason=past.failure,
        failure=from_operation(past.errors, operation="instances.insert") if past.errors else None,
    )


def with_metadata(instance: Mapping[str, Any], tags: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The instance's metadata with these tags added to our exact ones, and all exact ones."""
    items = _metadata(instance)
    exact = {**gcp_tags.from_text(items.get(gcp_tags.METADATA_TAGS, "")), **tags}
    items[gcp_tags.METADATA_TAGS] = gcp_tags.to_text(exact)
    listed = [{"key": key, "value": value} for key, value in items.items()]
    return {"fingerprint": instance["metadata"]["fingerprint"], "items": listed}, exact


def _metadata(instance: Mapping[str, Any]) -> dict[str, str]:
    return {each["key"]: each.get("value", "") for each in instance.get("metadata", {}).get("items", [])}
