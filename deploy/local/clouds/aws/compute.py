"""How does EC2 behave where moto is too fast or too kind?

A subclass of moto's backend: client tokens, states that take time, refused transitions, and a catalogue of images small
enough to be saved with every change (moto's 1,300 per region are almost all for ECS).
"""

import copy
import itertools
from collections.abc import Mapping
from typing import Any

import moto.ec2.urls
from moto.core.parse import default_timestamp_parser
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.amis import AMIS, Ami
from moto.ec2.models.elastic_block_store import Snapshot, Volume, VolumeAttachment
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceState, Reservation
from moto.utilities.utils import load_resource

from deploy.local.clouds.aws import spot
from deploy.local.clouds.aws.calls import Call, current_call
from deploy.local.clouds.aws.networks import OccupiedNetworks
from deploy.local.clouds.aws.states import MACHINE_STATES, Transition, is_accepted
from deploy.local.clouds.aws.tokens import ClientTokens, TokenMismatch
from deploy.local.clouds.clock import Clock

COPIED_FROM_VOLUME = "vol-ffffffff"  # what AWS shows as the volume of a copied snapshot


class SlowSnapshot(Snapshot):
    """A moto snapshot whose progress is not always 100 %."""

    progress_percent = 100
    is_copy = False

    @property
    def progress(self) -> str:
        return f"{self.progress_percent}%"

    @property
    def volume_id(self) -> str:
        return COPIED_FROM_VOLUME if self.is_copy else str(self.volume.id)


class SlowCompute(OccupiedNetworks):
    """EC2 of one account and region. `clock` and `state_seconds` are the deployment's, set on the class before use."""

    clock = Clock()
    state_seconds = 2.5

    def __init__(self, region_name: str, account_id: str) -> None:
        self.transitions: dict[str, Transition] = {}
        self.client_tokens = ClientTokens()
        super().__init__(region_name, account_id)

    def _load_amis(self) -> None:
        try:
            regional = load_resource(f"ec2/resources/latest_amis/{self.region_name}.json")
        except FileNotFoundError:  # a region newer than moto's data
            regional = []
        for row in [*AMIS, *regional]:
            image = {**row, "owner_alias": "amazon"}
            if isinstance(image.get("creation_date"), str):
                image["creation_date"] = default_timestamp_parser(image["creation_date"])
            self.amis[image["ami_id"]] = Ami(self, **image)

    @property
    def _url_module(self) -> Any:
        return moto.ec2.urls  # moto looks beside the class, which is here

    # -- time

    def _wait(self, kind: str, identifier: str, final: str) -> None:
        now_s = self.clock.now_s()
        self.transitions[identifier] = Transition(kind, identifier, final, now_s, now_s + self.state_seconds)

    def settle(self) -> None:
        """Lets everything arrive whose time has come; called before every call to this backend."""
        now_s = self.clock.now_s()
        for identifier, transition in list(self.transitions.items()):
            if transition.is_due(now_s):
                del self.transitions[identifier]
            self._show(transition, now_s)

    def _show(self, transition: Transition, now_s: float) -> None:
        if transition.kind == "machine":
            machine = self.get_instance_by_id(transition.identifier)
            if machine is not None and transition.is_due(now_s):
                _set_state(machine, transition.final)
        elif transition.kind == "image":
            image = self.amis.get(transition.identifier)
            if image is not None and transition.is_due(now_s):
                image.state = transition.final
        else:
            snapshot = self.snapshots.get(transition.identifier)
            if isinstance(snapshot, SlowSnapshot):
                snapshot.progress_percent = transition.progress_percent(now_s)
                snapshot.status = transition.final if transition.is_due(now_s) else "pending"

    # -- client tokens

    def _repeated(self, call: Call | None, action: str) -> str | None:
        if call is None or call.action != action or call.client_token is None:
            return None
        try:
            known = self.client_tokens.result_of(action, call.client_token, call.fingerprint())
        except TokenMismatch as error:
            text = "The request uses the same client token as a previous, but non-identical request."
            raise EC2ClientError("IdempotentParameterMismatch", text) from error
        call.repeated = known is not None
        return known

    def _remember(self, call: Call | None, action: str, identifier: str) -> None:
        if call is not None and call.action == action and call.client_token is not None:
            self.client_tokens.remember(action, call.client_token, call.fingerprint(), identifier)

    # -- machines

    def run_instances(self, *args: Any, **kwargs: Any) -> Reservation:
        """MaxCount machines, pending; a repeat of a client token gives the same reservation again."""
        call = current_call.get()
        known = self._repeated(call, "RunInstances")
        if known is not None:
            return _alive(self.reservations[known])
        image_id, count, *rest = args
        image = self.amis.get(image_id)
        if image is not None and image.state != "available":
            raise EC2ClientError("InvalidAMIID.Unavailable", f"The image ID '{image_id}' is not available")
        spot_request_type = None
        if call is not None and call.action == "RunInstances":
            count, spot_request_type = _count(call), spot.request_type(call.parameters)
        try:
            reservation = super().run_instances(image_id, count, *rest, **kwargs)
        finally:
            # moto files the reservation before it knows whether its machines can be made.
            for identifier in [r.id for r in self.reservations.values() if not r.instances]:
                del self.reservations[identifier]
        for machine in reservation.instances:
            _name_root_volume(machine)
            self._boot_from(machine, image)
            spot.mark(machine, spot_request_type)
            self._move(machine, "pending", "running")
        self._remember(call, "RunInstances", reservation.id)
        return reservation

    def _alive(self, reservation: Reservation) -> Reservation:
        if all(machine.state in {"shutting-down", "terminated"} for machine in reservation.instances):
            text = "The client token was used for an instance that has been terminated."
            raise EC2ClientError("IdempotentInstanceTerminated", text)
        return reservation

    def _boot_from(self, machine: Instance, image: Ami | None) -> None:
        """A root volume is a copy of its image's snapshot; moto makes an empty one."""
        root = machine.block_device_mapping.get(machine.root_device_name)
        if root is not None and image is not None:
            volume = self.get_volume(root.volume_id)
            volume.snapshot_id = volume.snapshot_id or image.ebs_snapshot.id

    def _move(self, machine: Instance, through: str, final: str) -> None:
        _set_state(machine, through)
        self._wait("machine", machine.id, final)

    def _order(self, order: str, identifiers: list[str]) -> tuple[list[Instance], list[Instance]]:
        """Those that change and those that are there already; refused as a whole, as AWS does, when one is refused."""
        changing: list[Instance] = []
        staying: list[Instance] = []
        for machine in self.get_multi_instances_by_id(identifiers):
            try:
                (changing if is_accepted(order, machine.state) else staying).append(machine)
            except ValueError as error:
                text = f"The instance '{machine.id}' is not in a state from which it can be {_participle(order)}."
                raise EC2ClientError("IncorrectInstanceState", text) from error
        return changing, staying

    def start_instances(self, instance_ids: list[str]) -> list[tuple[Instance, InstanceState]]:
        changing, staying = self._order("start", instance_ids)
        started = super().start_instances([machine.id for machine in changing])
        for machine in changing:
            self._move(machine, "pending", "running")
        return started + _unchanged(staying)

    def stop_instances(self, instance_ids: list[str]) -> list[tuple[Instance, InstanceState]]:
        changing, staying = self._order("stop", instance_ids)
        spot.refuse_stop(changing)
        stopped = super().stop_instances([machine.id for machine in changing])
        for machine in changing:
            self._move(machine, "stopping", "stopped")
        return stopped + _unchanged(staying)

    def terminate_instances(self, instance_ids: list[str]) -> list[tuple[Instance, InstanceState]]:
        changing, staying = self._order("terminate", instance_ids)
        if not changing and staying:
            return _unchanged(staying)
        terminated = super().terminate_instances([machine.id for machine in changing])
        for machine in changing:
            self._move(machine, "shutting-down", "terminated")
        return terminated + _unchanged(staying)

    def reboot_instances(self, instance_ids: list[str]) -> list[Instance]:
        changing, staying = self._order("reboot", instance_ids)
        return [*super().reboot_instances([machine.id for machine in changing]), *staying]

    def modify_instance_attribute(self, instance_id: str, key: str, value: Any) -> Instance:
        machine = self.get_instance(instance_id)
        if key == "instance_type" and machine.state != "stopped":
            raise EC2ClientError(
                "IncorrectInstanceState", f"The instance '{instance_id}' is not in the 'stopped' state."
            )
        if key == "instance_type" and value not in INSTANCE_TYPES:
            raise EC2ClientError("InvalidInstanceAttributeValue", f"Invalid value '{value}' for instance type.")
        return super().modify_instance_attribute(instance_id, key, value)

    # -- volumes, snapshots, images

    def create_volume(self, *args: Any, **kwargs: Any) -> Volume:
        call = current_call.get()
        known = self._repeated(call, "CreateVolume")
        if known is not None:
            return self.get_volume(known)
        self.refuse_pending(kwargs.get("snapshot_id"))
        volume = super().create_volume(*args, **kwargs)
        self._remember(call, "CreateVolume", volume.id)
        return volume

    def attach_volume(self, volume_id: str, instance_id: str, *args: Any, **kwargs: Any) -> VolumeAttachment | None:
        volume, machine = self.get_volume(volume_id), self.get_instance(instance_id)
        if volume.attachment is not None:
            raise EC2ClientError("VolumeInUse", f"{volume_id} is already attached to an instance")
        if volume.availability_zone != machine.availability_zone:
            raise EC2ClientError("InvalidVolume.ZoneMismatch", f"The volume '{volume_id}' is not in the same zone.")
        if machine.state not in ("running", "stopped"):
            raise EC2ClientError("IncorrectState", f"Instance '{instance_id}' is not 'running'.")
        return super().attach_volume(volume_id, instance_id, *args, **kwargs)

    def refuse_pending(self, snapshot_id: str | None) -> None:
        """Raises IncorrectState when this snapshot exists and is not completed."""
        snapshot = self.snapshots.get(snapshot_id) if snapshot_id else None
        if snapshot is not None and snapshot.status != "completed":
            raise EC2ClientError("IncorrectState", f"Snapshot is in invalid state - {snapshot.status}")

    def _slow(self, snapshot: Snapshot, *, is_copy: bool) -> Snapshot:
        # moto makes its own class; only what is shown of it differs.
        snapshot.__class__ = SlowSnapshot
        snapshot.is_copy, snapshot.progress_percent, snapshot.status = is_copy, 0, "pending"  # type: ignore[attr-defined]
        self._wait("snapshot", snapshot.id, "completed")
        return snapshot

    def describe_snapshots(self, snapshot_ids: list[str] | None = None, filters: Any = None) -> list[Snapshot]:
        """Snapshots of the owners that were asked for; moto overlooks the owner."""
        found = super().describe_snapshots(snapshot_ids, filters)
        call = current_call.get()
        if call is None or call.action != "DescribeSnapshots":
            return found
        asked = [str(value) for name, value in call.parameters.items() if name.startswith("Owner.")]
        owners = {self.account_id if owner == "self" else owner for owner in asked}
        return [snapshot for snapshot in found if not owners or snapshot.owner_id in owners]

    def create_snapshot(
        self, volume_id: str, description: str, owner_id: str | None = None, from_ami: str | None = None
    ) -> Snapshot:
        snapshot = super().create_snapshot(volume_id, description, owner_id, from_ami)
        return snapshot if from_ami else self._slow(snapshot, is_copy=False)

    def copy_snapshot(
        self, source_snapshot_id: str, source_region: str, description: str, kms_key_id: str | None
    ) -> Snapshot:
        from moto.ec2.models import ec2_backends  # noqa: PLC0415 - moto fills it after this module was read

        source = ec2_backends[self.account_id][source_region]
        if isinstance(source, SlowCompute):
            source.settle()
            source.refuse_pending(source_snapshot_id)
        copied = super().copy_snapshot(source_snapshot_id, source_region, description, kms_key_id)
        return self._slow(copied, is_copy=True)

    def register_image(self, name: str | None = None, description: str | None = None) -> Ami:
        """Moto forgets everything but the name: here the image has its root snapshot, its hardware and its tags."""
        call = current_call.get()
        asked = {} if call is None else call.parameters
        if any(image.name == name and image.owner_id == self.account_id for image in self.amis.values()):
            raise EC2ClientError("InvalidAMIName.Duplicate", f"AMI name {name} is already in use")
        snapshot_id = asked.get("BlockDeviceMapping.1.Ebs.SnapshotId")
        snapshot = None if snapshot_id is None else self.get_snapshot(snapshot_id)
        self.refuse_pending(snapshot_id)
        image = super().register_image(name, description)
        image.architecture = asked.get("Architecture", "i386")
        image.root_device_name = asked.get("RootDeviceName", image.root_device_name)
        image.virtualization_type = asked.get("VirtualizationType", "paravirtual")
        if snapshot is not None:
            del self.snapshots[image.ebs_snapshot.id]
            image.ebs_snapshot, image.root_device_type = snapshot, "ebs"
        image.add_tags(_tags(asked))
        return self._slow_image(image)

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        """Moto deletes groups that machines are in."""
        for reservation in self.reservations.values():
            for machine in reservation.instances:
                if machine.state != "terminated" and group_id in {group.id for group in machine.security_groups}:
                    raise EC2ClientError("DependencyViolation", f"resource {group_id} has a dependent object")
        super().delete_security_group(name, group_id)

    def create_tags(self, resource_ids: list[str], tags: dict[str, str]) -> bool:
        """Refuses machines that do not exist; moto tags what is not there."""
        self.get_multi_instances_by_id([each for each in resource_ids if each.startswith("i-")])
        return super().create_tags(resource_ids, tags)

    def create_image(self, *args: Any, **kwargs: Any) -> Ami:
        return self._slow_image(super().create_image(*args, **kwargs))

    def copy_image(self, *args: Any, **kwargs: Any) -> Ami:
        call = current_call.get()
        known = self._repeated(call, "CopyImage")
        if known is not None:
            return self.amis[known]
        image = self._slow_image(super().copy_image(*args, **kwargs))
        self._remember(call, "CopyImage", image.id)
        return image

    def _slow_image(self, image: Ami) -> Ami:
        image.state = "pending"
        self._wait("image", image.id, "available")
        return image


def _set_state(machine: Instance, state: str) -> None:
    machine.instance_state.name, machine.instance_state.code = state, MACHINE_STATES[state]


def _name_root_volume(machine: Instance) -> None:
    """Moto attaches the root volume of any image as /dev/sda1; the machine itself says what its image says."""
    devices = machine.block_device_mapping
    if "/dev/sda1" in devices and machine.root_device_name not in devices:
        device = devices.pop("/dev/sda1")
        devices[machine.root_device_name] = device
        machine.ec2_backend.get_volume(device.volume_id).attachment.device = machine.root_device_name


def _alive(reservation: Reservation) -> Reservation:
    """The reservation of a repeated call; AWS refuses the repeat when its machines are gone."""
    if all(machine.state in ("shutting-down", "terminated") for machine in reservation.instances):
        text = (
            "The request uses the same client token as a previous request for which the instance has been terminated."
        )
        raise EC2ClientError("IdempotentInstanceTerminated", text)
    return reservation


def _tags(asked: Mapping[str, Any]) -> dict[str, str]:
    """The first tag specification of a call."""
    keys = (f"TagSpecification.1.Tag.{number}" for number in itertools.count(1))
    named = itertools.takewhile(lambda key: f"{key}.Key" in asked, keys)
    return {asked[f"{key}.Key"]: asked.get(f"{key}.Value", "") for key in named}


def _unchanged(machines: list[Instance]) -> list[tuple[Instance, InstanceState]]:
    return [(machine, copy.copy(machine.instance_state)) for machine in machines]


def _participle(order: str) -> str:
    return {"stop": "stopped", "terminate": "terminated"}.get(order, f"{order}ed")


def _count(call: Call) -> int:
    try:
        least, most = int(call.parameters["MinCount"]), int(call.parameters["MaxCount"])
    except (KeyError, ValueError) as error:
        raise EC2ClientError("MissingParameter", "The request must contain the parameter MinCount") from error
    if not 1 <= least <= most:
        raise EC2ClientError(
            "InvalidParameterValue", f"Invalid value '{most}' for maxCount. Must be at least minCount."
        )
    return most
