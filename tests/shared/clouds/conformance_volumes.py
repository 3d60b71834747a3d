"""What must be true of volumes that are made empty, where machines boot from a disk of their own?

An account says by `volume_action` which call makes one.
"""

import asyncio

import pytest

from shared.clouds.capabilities import ListsVolumes, machines_of, volumes_of
from shared.clouds.errors import CloudError, Conflict, InvalidRequest, NotFound
from shared.clouds.models import TOKEN_TAG, VolumeState
from shared.clouds.restoring import CreatesVolumes, EmptyVolumeSpec
from tests.shared.clouds.account_under_test import Conformance, new_token

SIZE_GIB = 10


class VolumeConformance(Conformance):
    def volume_spec(self, account, **changes):
        values = {"token": new_token(), "zone": account.region, "size_gib": SIZE_GIB, "tags": {"Name": "Fotos 1"}}
        return EmptyVolumeSpec(**{**values, **changes})

    async def made(self, account):
        volumes = volumes_of(account.cloud)
        assert isinstance(volumes, CreatesVolumes)
        made = await volumes.create_empty(account.region, self.volume_spec(account))
        account.settle()
        return await volumes.get(account.region, made.id)

    async def test_a_volume_is_what_was_asked_for_and_made_once(self, account):
        volumes, spec = volumes_of(account.cloud), self.volume_spec(account)
        made = await asyncio.gather(*(volumes.create_empty(account.region, spec) for _ in range(3)))
        assert len({each.id for each in made}) == 1
        account.settle()
        volume = await volumes.get(account.region, made[0].id)
        assert (volume.state, volume.size_gib, volume.region) == (VolumeState.AVAILABLE, SIZE_GIB, account.region)
        assert volume.tags == {**spec.tags, TOKEN_TAG: spec.token}
        assert (volume.machine_id, volume.device_name, volume.snapshot_id) == (None, None, None)
        assert await volumes.find_by_token(account.region, spec.token) == volume
        assert await volumes.find_by_token(account.other_region, spec.token) is None
        with pytest.raises(Conflict):
            await volumes.create_empty(account.region, self.volume_spec(account, token=spec.token, size_gib=20))
        with pytest.raises(NotFound):
            await volumes.get(account.other_region, volume.id)
        with pytest.raises(InvalidRequest):
            await volumes.create_empty(account.region, self.volume_spec(account, zone="nowhere"))

    async def test_a_volume_whose_answer_was_lost_is_there_once(self, account):
        volumes, spec = volumes_of(account.cloud), self.volume_spec(account)
        account.lose_answer_of(account.volume_action)
        with pytest.raises(CloudError) as caught:
            await volumes.create_empty(account.region, spec)
        assert caught.value.outcome_unknown
        account.end_faults()
        made = await volumes.create_empty(account.region, spec)
        assert [each["id"] for each in account.simulated.volumes() if each["token"] == spec.token] == [made.id]

    async def test_a_volume_is_attached_and_detached_and_no_root(self, account):
        volumes, machine, other = volumes_of(account.cloud), await self.running(account), await self.running(account)
        region, volume = account.region, await self.made(account)
        assert await volumes.of_machine(region, machine.id) == []
        await volumes.attach(region, volume.id, machine.id, "/dev/sdc")
        await volumes.attach(region, volume.id, machine.id, "/dev/sdc")
        account.settle()
        [attached] = await volumes.of_machine(region, machine.id)
        assert (attached.id, attached.state, attached.machine_id) == (volume.id, VolumeState.IN_USE, machine.id)
        assert attached == await volumes.get(region, volume.id)
        assert (await machines_of(account.cloud).get(region, machine.id)).root_volume_id is None
        with pytest.raises(Conflict):
            await volumes.delete(region, volume.id)
        with pytest.raises(Conflict):
            await volumes.attach(region, volume.id, other.id, "/dev/sdc")
        await volumes.detach(region, volume.id)
        account.settle()
        await volumes.detach(region, volume.id)
        assert (await volumes.get(region, volume.id)).state is VolumeState.AVAILABLE
        await volumes.delete(region, volume.id)
        await volumes.delete(region, volume.id)
        await volumes.detach(region, volume.id)
        with pytest.raises(NotFound):
            await volumes.get(region, volume.id)
        assert await volumes.of_machine(region, account.unknown_machine_id) == []

    async def test_all_volumes_of_a_region_are_listed_page_by_page(self, account):
        volumes = volumes_of(account.cloud)
        assert isinstance(volumes, ListsVolumes)
        made = {(await self.made(account)).id for _ in range(3)}
        pages = [page async for page in volumes.pages(account.region, page_size=2)]
        listed = {each.id: each for page in pages for each in page}
        assert made <= listed.keys()
        assert len(listed) == sum(len(page) for page in pages)
        assert all(len(page) <= 2 for page in pages)
        one = next(iter(made))
        assert listed[one] == await volumes.get(account.region, one)
        elsewhere = {each.id async for page in volumes.pages(account.other_region) for each in page}
        assert not made & elsewhere

    async def test_a_lost_region_ends_the_listing_of_volumes_with_an_error(self, account):
        account.lose_region(account.region)
        with pytest.raises(CloudError):
            [page async for page in volumes_of(account.cloud).pages(account.region)]
