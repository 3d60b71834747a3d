"""What exists in the simulated EC2, whoever made it? The simulator's own list, to compare the product's with."""

from typing import Any

from deploy.local.clouds.aws.compute import SlowCompute
from deploy.local.clouds.aws.seeded import SeededMachine, identifier
from deploy.local.clouds.aws.seeded_xml import moment

Row = dict[str, Any]


def _tags(rows: list[dict[str, str]]) -> dict[str, str]:
    return {row["key"]: row["value"] for row in rows}


def describe_machines(account_id: str, region: str, backend: SlowCompute) -> list[Row]:
    """Every machine ever made here, terminated ones too."""
    return [
        {
            "id": machine.id,
            "account": account_id,
            "region": region,
            "state": machine.state,
            "instance_type": machine.instance_type,
            "image_id": machine.image_id,
            "availability_zone": machine.availability_zone,
            "client_token": machine.client_token,
            "reservation_id": reservation.id,
            "launch_time": machine.launch_time.isoformat() + "Z",
            "volumes": [device.volume_id for _, device in machine.get_block_device_mapping],
            "tags": _tags(machine.get_tags()),
        }
        for reservation in backend.reservations.values()
        for machine in reservation.instances
    ]


def describe_seeded(machine: SeededMachine) -> Row:
    """A machine of a seeded estate, which no client made."""
    return {
        "id": machine.id,
        "account": machine.account_id,
        "region": machine.region,
        "state": machine.state,
        "instance_type": machine.instance_type,
        "image_id": machine.image_id,
        "availability_zone": machine.zone,
        "client_token": None,
        "reservation_id": identifier("r", machine.id),
        "launch_time": moment(machine.launched_s),
        "volumes": [volume.id for volume in machine.volumes],
        "tags": machine.tags,
        "seeded": True,
    }


def describe_seeded_volumes(machine: SeededMachine) -> list[Row]:
    """The volumes of a seeded machine that have not gone with it."""
    attached = machine.state != "terminated"
    return [
        {
            "id": volume.id,
            "account": machine.account_id,
            "region": machine.region,
            "state": "in-use" if attached else "available",
            "size_gb": volume.size_gib,
            "snapshot_id": None,
            "instance_id": machine.id if attached else None,
            "availability_zone": machine.zone,
            "tags": volume.tags,
            "seeded": True,
        }
        for volume in machine.volumes
        if attached or not volume.goes_with_machine
    ]


def describe_snapshots(account_id: str, region: str, backend: SlowCompute) -> list[Row]:
    """Every snapshot of the account's own; those behind the images of Amazon are left out."""
    return [
        {
            "id": snapshot.id,
            "account": account_id,
            "region": region,
            "state": snapshot.status,
            "progress": snapshot.progress,
            "volume_id": snapshot.volume_id,
            "size_gb": snapshot.volume_size,
            "tags": _tags(snapshot.get_tags()),
        }
        for snapshot in backend.snapshots.values()
        if not snapshot.from_ami
    ]


def describe_volumes(account_id: str, region: str, backend: SlowCompute) -> list[Row]:
    """Every volume that has not been deleted."""
    return [
        {
            "id": volume.id,
            "account": account_id,
            "region": region,
            "state": volume.status,
            "size_gb": volume.size,
            "snapshot_id": volume.snapshot_id,
            "instance_id": volume.attachment.instance.id if volume.attachment else None,
            "availability_zone": volume.availability_zone,
            "tags": _tags(volume.get_tags()),
        }
        for volume in backend.volumes.values()
    ]
