"""How is everything that a drill made removed again, also after a crash, and what is said when that is impossible?"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.recovery.deps import Deps
from services.recovery.storage import drills
from shared.clouds.capabilities import Cloud, WithVolumes, images_of, machines_of, networks_of, volumes_of
from shared.clouds.errors import CloudError
from shared.clouds.errors import Conflict as CloudConflict
from shared.clouds.models import ImageState, MachineState, VolumeState
from shared.db.saga import Saga, Undo
from shared.kit.errors import CanopyError, RetryLater
from shared.messages.drills import Leftover

REMOVED = "removed"
LEFT = "left"


@dataclass(frozen=True)
class Cleaner:
    """Removes the things of one drill. Each is found by its token, so it does not matter what is known of it."""

    saga: Saga
    deps: Deps
    drill_id: UUID
    provider_id: UUID
    region: str

    def undo(self, kind: str, name: str) -> Undo:
        """The undoing of the step `name` that made a thing of this kind."""

        async def call(output: Any) -> None:
            if await self.remove(kind, name, is_outcome_known=output is not None) is None:
                raise RetryLater(self.deps.settings.cloud_poll_s, f"{name} is being removed")

        return call

    async def remove(self, kind: str, name: str, *, is_outcome_known: bool) -> str | None:
        """`removed`, `left` (noted in the drill's row: nothing helped in time), or None: look again later.

        Raises retryable CloudErrors while there is time.
        """
        token = str(self.saga.token(name))
        async with self.saga.work() as work:
            since = await drills.begin_cleaning(work, self.drill_id)
        passed_s = (self.deps.clock.now() - since).total_seconds()
        is_late = passed_s > self.deps.settings.cleaning_timeout_s
        reason = f"it is still there after {passed_s:.0f} s"
        try:
            cloud = await self.deps.cloud(self.saga.context, self.provider_id)
            found = await _REMOVALS[kind](cloud, self.region, token)
        except CloudConflict as error:  # something that is on its way out still uses it
            found, reason = True, str(error)
        except (CloudError, CanopyError) as error:
            if getattr(error, "retryable", False) and not is_late:
                raise
            return await self._leave(kind, token, str(error))
        if not found and (is_outcome_known or passed_s >= self.deps.settings.cloud_settle_s):
            return REMOVED
        return await self._leave(kind, token, reason) if is_late else None

    async def _leave(self, kind: str, token: str, reason: str) -> str:
        leftover = Leftover(kind=kind, region=self.region, token=token, reason=reason)
        async with self.saga.work() as work:
            await drills.note_left(work, self.drill_id, leftover)
        return LEFT


async def _remove_machine(cloud: Cloud, region: str, token: str) -> bool:
    """Its root volume goes with it; where it does not, it is deleted too. True while anything is there."""
    machine = await machines_of(cloud).find_by_token(region, token)
    if machine is not None and machine.state is not MachineState.TERMINATED:
        await machines_of(cloud).terminate(region, machine.id)
        return True
    return isinstance(cloud, WithVolumes) and await _remove_volume(cloud, region, token)


async def _remove_volume(cloud: Cloud, region: str, token: str) -> bool:
    volume = await volumes_of(cloud).find_by_token(region, token)
    if volume is None or volume.state is VolumeState.DELETED:
        return False
    if volume.machine_id is not None:
        await volumes_of(cloud).detach(region, volume.id)
    else:
        await volumes_of(cloud).delete(region, volume.id)
    return True


async def _remove_image(cloud: Cloud, region: str, token: str) -> bool:
    image = await images_of(cloud).find_by_token(region, token)
    if image is None or image.state is ImageState.DEREGISTERED:
        return False
    await images_of(cloud).deregister(region, image.id)
    return True


async def _remove_security_group(cloud: Cloud, region: str, token: str) -> bool:
    group = await networks_of(cloud).find_by_token(region, token)
    if group is None:
        return False
    await networks_of(cloud).delete_group(region, group.id)
    return True


MACHINE, VOLUME, IMAGE, SECURITY_GROUP = "machine", "volume", "image", "security_group"

_REMOVALS: dict[str, Callable[[Cloud, str, str], Awaitable[bool]]] = {
    MACHINE: _remove_machine,
    VOLUME: _remove_volume,
    IMAGE: _remove_image,
    SECURITY_GROUP: _remove_security_group,
}
"""By kind: ask for the removal of what carries the token; True while something was there to be removed."""
