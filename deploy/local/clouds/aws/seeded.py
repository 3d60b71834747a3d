"""What are the machines of a seeded estate, beside those that moto keeps?

moto takes 32 s to describe 10,000 instances and pickles all of them with every change. These are plain values in
memory and one row each on disk: a page of 1,000 is answered in milliseconds, a change writes what changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from deploy.local.clouds.aws.states import Transition
from deploy.local.clouds.estate import Planned

REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-southeast-1")
TYPES = ("t3.micro", "t3.large", "m5.xlarge", "m5.2xlarge")
ROOT_GIB = 20
DEVICES = "fghij"
"""Letters of the devices that volumes are attached as, after the root's: /dev/sdf…"""

Row = dict[str, Any]


@dataclass
class SeededVolume:
    """A volume that is attached to a seeded machine; `device` is None once that is gone."""

    id: str
    device: str
    size_gib: int
    goes_with_machine: bool
    tags: dict[str, str]


@dataclass
class SeededMachine:
    """An EC2 instance. `state` is a name of EC2's; `transition` is where it is going."""

    id: str
    account_id: str
    region: str
    zone: str
    instance_type: str
    image_id: str
    state: str
    launched_s: float
    tags: dict[str, str]
    volumes: list[SeededVolume]
    number: int
    stopped_s: float | None = None
    transition: Transition | None = None
    shown: bytes | None = field(default=None, repr=False, compare=False)
    """Its XML, until something changes."""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.account_id, self.region, self.id

    def ran_at(self, time_s: float) -> bool:
        """Of a machine that was started again only the last run is known."""
        return self.launched_s <= time_s and (self.stopped_s is None or time_s < self.stopped_s)

    def settle(self, now_s: float) -> bool:
        """Arrive in the state whose time has come; True when the state changed."""
        if self.transition is None or not self.transition.is_due(now_s):
            return False
        self.state, self.transition, self.shown = self.transition.final, None, None
        return True

    def document(self) -> Row:
        row = asdict(self)
        del row["shown"]
        return row


def read_machine(row: Row) -> SeededMachine:
    """A machine of a row that `document` wrote."""
    volumes = [SeededVolume(**each) for each in row["volumes"]]
    moving = row["transition"]
    return SeededMachine(**{**row, "volumes": volumes, "transition": None if moving is None else Transition(**moving)})


def identifier(prefix: str, *parts: object) -> str:
    """An id in the form of EC2's, the same for the same parts."""
    return f"{prefix}-0{hashlib.sha256('|'.join(map(str, parts)).encode()).hexdigest()[:16]}"


def machine_of(planned: Planned, seed: int, account_id: str, image_of: dict[str, str]) -> SeededMachine:
    """The EC2 instance that a planned machine is; `image_of` a region is the image that machines there boot from."""
    region = planned.pick(REGIONS)
    number = planned.number
    machine_id = identifier("i", seed, account_id, number)
    root = SeededVolume(identifier("vol", machine_id, "root"), "/dev/xvda", ROOT_GIB, goes_with_machine=True, tags={})
    data = [
        SeededVolume(identifier("vol", machine_id, device), f"/dev/sd{device}", size, False, dict(planned.tags))
        for device, size in zip(DEVICES, planned.volumes_gib, strict=False)
    ]
    return SeededMachine(
        id=machine_id,
        account_id=account_id,
        region=region,
        zone=f"{region}{'abc'[number % 3]}",
        instance_type=TYPES[planned.size],
        image_id=image_of[region],
        state="stopped" if planned.is_stopped else "running",
        launched_s=planned.created_s,
        tags=dict(planned.tags),
        volumes=[root, *data],
        number=number,
        stopped_s=planned.created_s + 3600 if planned.is_stopped else None,
    )


class SeededPlace:
    """The seeded machines of one account and region, in the order of their ids."""

    def __init__(self) -> None:
        self._machines: dict[str, SeededMachine] = {}
        self._ordered = True

    def add(self, machine: SeededMachine) -> bool:
        """False for one that is there already."""
        if machine.id in self._machines:
            return False
        self._machines[machine.id] = machine
        self._ordered = False
        return True

    def find(self, machine_id: str) -> SeededMachine | None:
        return self._machines.get(machine_id)

    def machines(self) -> list[SeededMachine]:
        if not self._ordered:
            self._machines = dict(sorted(self._machines.items()))
            self._ordered = True
        return list(self._machines.values())

    def volumes(self) -> Iterator[tuple[SeededMachine, SeededVolume]]:
        """With their machines; those that went with a terminated machine are gone."""
        for machine in self.machines():
            for volume in machine.volumes:
                if machine.state != "terminated" or not volume.goes_with_machine:
                    yield machine, volume

    def owner_of(self, volume_id: str) -> SeededMachine | None:
        return next((machine for machine, volume in self.volumes() if volume.id == volume_id), None)
