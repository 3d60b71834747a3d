"""What must be true of every cloud's snapshots, and of what is restored from them?"""

import pytest

from shared.clouds.capabilities import (
    images_of,
    machines_of,
    networks_of,
    snapshots_of,
    volumes_of,
)
from shared.clouds.errors import (
    Conflict,
    IncorrectState,
    NotFound,
)
from shared.clouds.models import (
    TOKEN_TAG,
    ImageSpec,
    ImageState,
    Machine,
    MachineState,
    SnapshotSpec,
    SnapshotState,
    VolumeSpec,
)
from tests.shared.clouds.account_under_test import AccountUnderTest, Conformance, new_token


class RestoreConformance(Conformance):
    async def test_a_snapshot_takes_its_time_and_is_made_once(self, account):
        snapshots, machine = snapshots_of(account.cloud), await self.running(account)
        spec = SnapshotSpec(new_token(), machine.root_volume_id, {"Name": "nightly"})
        made = await snapshots.create(account.region, spec)
        assert made.state is SnapshotState.PENDING
        assert made.volume_id == machine.root_volume_id
        assert made.tags == {"Name": "nightly", TOKEN_TAG: spec.token}
        assert (await snapshots.create(account.region, spec)).id == made.id
        assert account.snapshots_with(spec.token) == [made.id]
        account.settle()
        done = await snapshots.get(account.region, made.id)
        assert (done.state, done.progress_percent) == (SnapshotState.COMPLETED, 100)
        assert done == await snapshots.find_by_token(account.region, spec.token)

    async def test_a_snapshot_is_copied_once_and_only_when_completed(self, account):
        snapshots, machine = snapshots_of(account.cloud), await self.running(account)
        made = await snapshots.create(account.region, SnapshotSpec(new_token(), machine.root_volume_id))
        token = new_token()

        async def copy():
            return await snapshots.copy(account.region, made.id, account.other_region, token=token, tags={"a": "b"})

        with pytest.raises(IncorrectState):
            await copy()
        account.settle()
        copied = await copy()
        assert (await copy()).id == copied.id
        assert copied.region == account.other_region
        assert copied.tags == {"a": "b", TOKEN_TAG: token}
        assert account.snapshots_with(token) == [copied.id]
        account.settle()
        assert (await snapshots.get(account.other_region, copied.id)).state is SnapshotState.COMPLETED

    async def test_deleting_a_snapshot_twice_is_success(self, account):
        snapshots, machine = snapshots_of(account.cloud), await self.running(account)
        made = await snapshots.create(account.region, SnapshotSpec(new_token(), machine.root_volume_id))
        account.settle()
        await snapshots.delete(account.region, made.id)
        await snapshots.delete(account.region, made.id)
        with pytest.raises(NotFound):
            await snapshots.get(account.region, made.id)

    async def copied_snapshot(self, account: AccountUnderTest, machine: Machine) -> str:
        snapshots = snapshots_of(account.cloud)
        made = await snapshots.create(account.region, SnapshotSpec(new_token(), machine.root_volume_id))
        account.settle()
        copied = await snapshots.copy(account.region, made.id, account.other_region, token=new_token(), tags={})
        account.settle()
        return copied.id

    async def test_a_machine_is_restored_in_the_other_region_behind_a_wall(self, account):
        machine = await self.running(account)
        snapshot_id, region = await self.copied_snapshot(account, machine), account.other_region
        images, networks = images_of(account.cloud), networks_of(account.cloud)
        wanted = ImageSpec(new_token(), snapshot_id, machine.architecture, machine.root_device_name, {"Name": "drill"})
        image = await images.register(region, wanted)
        assert (await images.register(region, wanted)).id == image.id
        wall = await networks.create_isolated_group(region, token=new_token(), tags={}, description="recovery drill")
        account.settle()
        ready = await images.get(region, image.id)
        assert ready.state is ImageState.AVAILABLE
        assert ready.snapshot_ids == (snapshot_id,)
        assert await images.find_by_token(region, wanted.token) == ready

        spec = self.spec(account, image=image.id, security_groups=(wall.id,))
        made = await machines_of(account.cloud).create(region, spec)
        account.settle()
        restored = await machines_of(account.cloud).get(region, made.id)
        [root] = await volumes_of(account.cloud).of_machine(region, made.id)
        assert restored.state is MachineState.RUNNING
        assert restored.security_groups == await networks.of_machine(region, made.id) == (wall.id,)
        assert root.id == restored.root_volume_id
        assert root.snapshot_id == snapshot_id

        with pytest.raises(Conflict):
            await networks.delete_group(region, wall.id)
        await machines_of(account.cloud).terminate(region, made.id)
        account.settle()
        await networks.delete_group(region, wall.id)
        await networks.delete_group(region, wall.id)
        await images.deregister(region, image.id)
        await images.deregister(region, image.id)
        await snapshots_of(account.cloud).delete(region, snapshot_id)

    async def test_a_volume_from_a_snapshot_is_swapped_in(self, account):
        machine = await self.running(account)
        snapshot_id, region = await self.copied_snapshot(account, machine), account.other_region
        machines, volumes = machines_of(account.cloud), volumes_of(account.cloud)
        host = await machines.create(region, self.spec(account))
        account.settle()
        host = await machines.get(region, host.id)
        spec = VolumeSpec(new_token(), host.zone, snapshot_id, {"Name": "restored"})
        volume = await volumes.create_from_snapshot(region, spec)
        assert (await volumes.create_from_snapshot(region, spec)).id == volume.id
        assert volume.snapshot_id == snapshot_id
        assert (await volumes.find_by_token(region, spec.token)).id == volume.id
        account.settle()

        await volumes.attach(region, volume.id, host.id, "/dev/sdf")
        await volumes.attach(region, volume.id, host.id, "/dev/sdf")
        assert [each.id for each in await volumes.of_machine(region, host.id)] == [host.root_volume_id, volume.id]
        with pytest.raises(Conflict):
            await volumes.delete(region, volume.id)
        with pytest.raises(Conflict):
            await volumes.attach(region, volume.id, host.id, "/dev/sdg")
        await volumes.detach(region, volume.id)
        await volumes.detach(region, volume.id)
        account.settle()
        await volumes.delete(region, volume.id)
        await volumes.delete(region, volume.id)
        await volumes.detach(region, volume.id)
        with pytest.raises(NotFound):
            await volumes.get(region, volume.id)
