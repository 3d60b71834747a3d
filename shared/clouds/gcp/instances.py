"""How does a machine look in Compute Engine's words, and an instance in ours?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.errors import InvalidRequest
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project, in_utc_or_none, last_part, region_of_zone, zonal_id
from shared.clouds.gcp.operations import Past
from shared.clouds.models import TOKEN_TAG, AttachedVolume, Machine, MachineSpec, MachineState

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
    if spec.security_groups:
        body["tags"] = {"items": list(spec.security_groups)}
    return body


def _disk_description(tags: Mapping[str, str]) -> str:
    """The boot disk carries its machine's tags too, or where they are too long the token alone."""
    try:
        return gcp_tags.to_description(tags, operation="instances.insert")
    except InvalidRequest:
        return gcp_tags.to_description({TOKEN_TAG: tags[TOKEN_TAG]}, operation="instances.insert")


def machine_of(instance: Any, region: str) -> Machine:
    """From the SDK's message. Google does not say what an instance was made from; we wrote it into its metadata."""
    items = {each.key: each.value for each in instance.metadata.items}
    boot = next((each for each in instance.disks if each.boot), None)
    network = next(iter(instance.network_interfaces), None)
    configs = [] if network is None else [each.nat_i_p for each in network.access_configs if each.nat_i_p]
    return Machine(
        id=zonal_id(instance.self_link),
        state=_STATES.get(instance.status, MachineState.PENDING),
        instance_type=last_part(instance.machine_type),
        image=items.get(gcp_tags.METADATA_IMAGE, ""),
        region=region,
        zone=last_part(instance.zone),
        tags=gcp_tags.merged(gcp_tags.from_text(items.get(gcp_tags.METADATA_TAGS, "")), instance.labels),
        private_ip=None if network is None else network.network_i_p or None,
        public_ip=configs[0] if configs else None,
        network_id=None if network is None else from_project(network.network) or None,
        subnet_id=None if network is None else from_project(network.subnetwork) or None,
        security_groups=tuple(instance.tags.items),
        launched_at=in_utc_or_none(instance.last_start_timestamp or instance.creation_timestamp),
        state_reason=instance.status_message or None,
        architecture=None if boot is None else architecture_of(boot.architecture),
        root_device_name=None if boot is None else boot.device_name,
        volumes=tuple(
            AttachedVolume(zonal_id(each.source), each.device_name) for each in instance.disks if each.source
        ),  # a local SSD has no source, and no volume of its own
    )


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
    )


def with_metadata(instance: Any, tags: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The instance's metadata with these tags added to our exact ones, and all exact ones."""
    items = {each.key: each.value for each in instance.metadata.items}
    exact = {**gcp_tags.from_text(items.get(gcp_tags.METADATA_TAGS, "")), **tags}
    items[gcp_tags.METADATA_TAGS] = gcp_tags.to_text(exact)
    listed = [{"key": key, "value": value} for key, value in items.items()]
    return {"fingerprint": instance.metadata.fingerprint, "items": listed}, exact
