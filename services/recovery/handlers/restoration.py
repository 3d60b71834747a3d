"""How are a plan's machines restored in isolation and looked at? The cloud's part of a drill, step by step.

A refusal by the cloud that a repeat cannot help is an outcome of the drill, not an exception: it is journaled as
`{"failed": why}`, what depends on it is left out, and the report tells it. Everything made is removed in any case.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.recovery.deps import Deps
from services.recovery.domain.drills import Disk, Observed, Target, checks_of
from services.recovery.handlers.cleaning import IMAGE, MACHINE, SECURITY_GROUP, VOLUME, Cleaner
from shared.clouds.capabilities import Cloud, WithVolumes, images_of, machines_of, networks_of, volumes_of
from shared.clouds.errors import CloudError
from shared.clouds.errors import NotFound as CloudNotFound
from shared.clouds.models import ImageSpec, ImageState, MachineSpec, MachineState, VolumeSpec, VolumeState
from shared.clouds.restoring import machine_images_of, restored_volumes_of
from shared.db.saga import Saga
from shared.kit.errors import CanopyError
from shared.messages.drills import Check, RestoredResource

FAILED = "failed"
GROUP_STEP = "security group"
SUSPENDED_TWICE = 2
DEFAULT_ARCHITECTURE = "x86_64"
DEFAULT_ROOT_DEVICE = "/dev/xvda"

Outcome = dict[str, Any]


@dataclass
class Restored:
    """How far one target has come; `number` names its steps."""

    number: int
    target: Target
    image_id: str | None = None
    machine_id: str | None = None
    zone: str | None = None
    checks: list[Check] = field(default_factory=list)
    verified_at: datetime | None = None


@dataclass
class Restoration:
    """One drill's restore of all its targets in one region."""

    saga: Saga
    deps: Deps
    drill_id: UUID
    provider_id: UUID
    region: str
    started_at: datetime
    targets: Sequence[Target]
    security_group_id: str | None = None
    issues: list[str] = field(default_factory=list)
    made: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cleaner = Cleaner(self.saga, self.deps, self.drill_id, self.provider_id, self.region)
        self.tags = {"canopy:drill": str(self.drill_id)}
        with_backup = [target for target in self.targets if target.is_restorable]
        self.restored = [Restored(number, target) for number, target in enumerate(with_backup, 1)]

    async def run(self) -> None:
        """The security group first; then each stage for all machines, so that they wait together."""
        if not self.restored:
            return
        await self._create_security_group()
        if self.security_group_id is None:
            return
        for each in self.restored:
            await self._register_image(each)
        for each in self.restored:
            await self._wait_for_image(each)
        for each in self.restored:
            await self._boot(each)
        for each in self.restored:
            await self._wait_for_machine(each)
        for each in self.restored:
            await self._restore_disks(each)
        for each in self.restored:
            await self._verify(each)

    async def clean(self) -> None:
        """Remove everything, the last made first."""
        settings = self.deps.settings
        limit_s = SUSPENDED_TWICE * settings.cleaning_timeout_s
        for kind, name in reversed(self.made):

            async def poll(kind: str = kind, name: str = name) -> str | None:
                return await self.cleaner.remove(kind, name, is_outcome_known=True)

            await self.saga.until(f"remove {name}", poll, every_s=settings.cloud_poll_s, timeout_s=limit_s)

    @property
    def checks(self) -> list[Check]:
        return [check for each in self.restored for check in each.checks]

    @property
    def verified_at(self) -> datetime | None:
        """When the last machine was verified; None unless all were."""
        times = [each.verified_at for each in self.restored if each.verified_at is not None]
        return max(times) if times and len(times) == len(self.targets) else None

    def told(self) -> list[RestoredResource]:
        """Every resource of the plan, with what it was restored as."""
        found = {each.target.resource_id: each for each in self.restored}
        return [
            RestoredResource(
                resource_id=target.resource_id,
                resource_name=target.resource_name,
                backup_id=target.backup_id,
                recovery_point_at=target.recovery_point_at,
                image_id=each.image_id if each else None,
                machine_id=each.machine_id if each else None,
            )
            for target in self.targets
            for each in [found.get(target.resource_id)]
        ]

    async def _create_security_group(self) -> None:
        async def create(token: UUID, cloud: Cloud) -> Outcome:
            group = await networks_of(cloud).create_isolated_group(
                self.region,
                token=str(token),
                tags=self.tags,
                description=f"Canopy drill {self.drill_id}: closed",
            )
            return {"id": group.id}

        self.security_group_id = await self._make(SECURITY_GROUP, GROUP_STEP, create)

    async def _register_image(self, each: Restored) -> None:
        target = each.target
        if target.machine_image_id is not None:
            each.image_id = target.machine_image_id
            return

        async def create(token: UUID, cloud: Cloud) -> Outcome:
            spec = ImageSpec(
                str(token), _snapshot(target), target.architecture or DEFAULT_ARCHITECTURE, _device(target), self.tags
            )
            return {"id": (await images_of(cloud).register(self.region, spec)).id}

        each.image_id = await self._make(IMAGE, f"image {each.number}", create)

    async def _wait_for_image(self, each: Restored) -> None:
        if each.image_id is None:
            return
        image_id = each.image_id

        async def look(cloud: Cloud) -> Outcome | None:
            ports = images_of if each.target.machine_image_id is None else machine_images_of
            state = (await ports(cloud).get(self.region, image_id)).state
            return _arrived(state, ImageState.AVAILABLE, ImageState.PENDING)

        if await self._wait(f"image {each.number} available", look) is None:
            each.image_id = None

    async def _boot(self, each: Restored) -> None:
        if each.image_id is None:
            return
        image_id, target, groups = each.image_id, each.target, (str(self.security_group_id),)

        async def create(token: UUID, cloud: Cloud) -> Outcome:
            size = str(target.instance_type)
            spec = MachineSpec(str(token), size, self.tags, image=image_id, security_groups=groups)
            machine = await machines_of(cloud).create(self.region, spec)
            return {"id": machine.id}

        each.machine_id = await self._make(MACHINE, f"machine {each.number}", create)

    async def _wait_for_machine(self, each: Restored) -> None:
        if each.machine_id is None:
            return
        machine_id = each.machine_id

        async def look(cloud: Cloud) -> Outcome | None:
            machine = await machines_of(cloud).get(self.region, machine_id)
            arrived = _arrived(machine.state, MachineState.RUNNING, MachineState.PENDING)
            return None if arrived is None else {**arrived, "zone": machine.zone}

        running = await self._wait(f"machine {each.number} running", look)
        each.zone = running["zone"] if running else None

    async def _restore_disks(self, each: Restored) -> None:
        if each.machine_id is None or each.zone is None:
            return
        for index, disk in enumerate(each.target.data_disks, 1):
            await self._restore_disk(f"{each.number}.{index}", disk, each.zone, each.machine_id)

    async def _restore_disk(self, number: str, disk: Disk, zone: str, machine_id: str) -> None:
        async def create(token: UUID, cloud: Cloud) -> Outcome:
            spec = VolumeSpec(str(token), zone, disk.snapshot_id, self.tags)
            return {"id": (await restored_volumes_of(cloud).create_from_snapshot(self.region, spec)).id}

        volume_id = await self._make(VOLUME, f"volume {number}", create)
        if volume_id is None:
            return

        async def look(cloud: Cloud) -> Outcome | None:
            state = (await volumes_of(cloud).get(self.region, volume_id)).state
            return {} if state is VolumeState.IN_USE else _arrived(state, VolumeState.AVAILABLE, VolumeState.CREATING)

        async def attach(_: UUID, cloud: Cloud) -> Outcome:
            await volumes_of(cloud).attach(self.region, volume_id, machine_id, disk.device_name)
            return {"id": volume_id}

        if await self._wait(f"volume {number} available", look) is not None:
            await self._do(f"attach {number}", attach)

    async def _verify(self, each: Restored) -> None:
        if each.machine_id is None:
            return
        machine_id = each.machine_id

        async def look(_: UUID, cloud: Cloud) -> Outcome:
            seen = await self._observe(cloud, machine_id)
            checks = checks_of(
                each.target, seen, region=self.region, security_group_id=str(self.security_group_id), tags=self.tags,
                root_device=_device(each.target),
            )  # fmt: skip
            return {"checks": [check.model_dump(mode="json") for check in checks], "at": self._now().isoformat()}

        verified = await self._do(f"verify {each.number}", look)
        if verified is not None:
            each.checks = [Check.model_validate(check) for check in verified["checks"]]
            each.verified_at = datetime.fromisoformat(verified["at"])

    async def _observe(self, cloud: Cloud, machine_id: str) -> Observed:
        machine = await machines_of(cloud).get(self.region, machine_id)
        has_volumes = isinstance(cloud, WithVolumes)
        volumes = await volumes_of(cloud).of_machine(self.region, machine_id) if has_volumes else []
        networks = networks_of(cloud)
        group = await networks.find_by_token(self.region, str(self.saga.token(GROUP_STEP)))
        return Observed(
            state=machine.state, region=machine.region, instance_type=machine.instance_type, image=machine.image,
            tags=machine.tags, security_groups=await networks.of_machine(self.region, machine_id),
            security_group_rules=None if group is None else group.ingress_rules + group.egress_rules,
            snapshots={str(volume.device_name): volume.snapshot_id for volume in volumes},
        )  # fmt: skip

    async def _make(self, kind: str, name: str, create: Callable[[UUID, Cloud], Awaitable[Outcome]]) -> str | None:
        """A step that makes a thing; its id, or None and an issue."""
        self.made.append((kind, name))
        made = await self._do(name, create, kind)
        return None if made is None else str(made["id"])

    async def _do(
        self, name: str, call: Callable[[UUID, Cloud], Awaitable[Outcome]], kind: str | None = None
    ) -> Outcome | None:
        async def attempt(token: UUID) -> Outcome:
            return await _outcome(lambda cloud: call(token, cloud), self._cloud, self.deps.settings.cloud_settle_s)

        undo = None if kind is None else self.cleaner.undo(kind, name)
        return self._judge(name, await self.saga.step(name, attempt, undo=undo))

    async def _wait(self, name: str, look: Callable[[Cloud], Awaitable[Outcome | None]]) -> Outcome | None:
        """Wait for a state; None and an issue when it went elsewhere or the drill's time is over."""
        settings = self.deps.settings
        limit = self.started_at + timedelta(seconds=settings.drill_timeout_s)

        async def poll() -> Outcome | None:
            try:
                arrived = await look(await self._cloud())
            except CloudNotFound:
                arrived = None  # just made things may be invisible for seconds
            except (CloudError, CanopyError) as error:
                if getattr(error, "retryable", False):
                    raise
                return {FAILED: str(error)}
            if arrived is None and self._now() > limit:
                return {FAILED: f"not within {settings.drill_timeout_s:.0f} s"}
            return arrived

        timeout_s = SUSPENDED_TWICE * settings.drill_timeout_s
        return self._judge(name, await self.saga.until(name, poll, every_s=settings.cloud_poll_s, timeout_s=timeout_s))

    def _judge(self, name: str, outcome: Outcome) -> Outcome | None:
        if FAILED in outcome:
            self.issues.append(f"{name}: {outcome[FAILED]}")
            return None
        return outcome

    async def _cloud(self) -> Cloud:
        return await self.deps.cloud(self.saga.context, self.provider_id)

    def _now(self) -> datetime:
        return self.deps.clock.now()


async def _outcome(
    call: Callable[[Cloud], Awaitable[Outcome]], open_cloud: Callable[[], Awaitable[Cloud]], settle_s: float
) -> Outcome:
    try:
        return await call(await open_cloud())
    except (CloudError, CanopyError) as error:
        if isinstance(error, CloudError) and error.outcome_unknown:
            error.retry_after_s = max(error.retry_after_s or 0.0, settle_s)
        if getattr(error, "retryable", False):
            raise
        return {FAILED: str(error)}


def _arrived(state: str, wanted: str, on_its_way: str) -> Outcome | None:
    if state == wanted:
        return {}
    return None if state == on_its_way else {FAILED: f"is {state}, not {wanted}"}


def _snapshot(target: Target) -> str:
    return target.root.snapshot_id if target.root else ""


def _device(target: Target) -> str:
    return target.root.device_name if target.root else DEFAULT_ROOT_DEVICE
