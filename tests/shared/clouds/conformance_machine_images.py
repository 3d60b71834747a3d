"""What must be true of images of whole machines, and of what is restored from them?

An account says by `capture_action` which call takes one, and by `images_are_everywhere = True` that an image is in every
region as soon as it is whole.
"""

import asyncio
from dataclasses import replace

import pytest

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.capabilities import machines_of, networks_of
from shared.clouds.errors import CloudError, Conflict, IncorrectState, NotFound, StillWorking
from shared.clouds.models import TOKEN_TAG, ImageState, MachineState
from shared.clouds.restoring import ListsMachineImages, MachineImageSpec, machine_images_of
from tests.shared.clouds.account_under_test import Conformance, new_token


class MachineImageConformance(Conformance):
    def image_spec(self, machine, **changes):
        return MachineImageSpec(**{"token": new_token(), "machine_id": machine.id, **changes})

    async def begun(self, account, spec):
        """The image under way, or whole where it has no id before."""
        try:
            return await machine_images_of(account.cloud).capture(account.region, spec)
        except StillWorking:
            account.settle()
            return await machine_images_of(account.cloud).capture(account.region, spec)

    async def captured(self, account, machine):
        made = await self.begun(account, self.image_spec(machine))
        account.settle()
        return await machine_images_of(account.cloud).get(account.region, made.id)

    async def test_an_image_of_a_machine_takes_its_time_and_is_made_once(self, account):
        images, machine = machine_images_of(account.cloud), await self.running(account)
        spec = self.image_spec(machine, tags={"Name": "nightly 結婚式", "canopy:backup": "7"})
        made = await self.begun(account, spec)
        assert made.tags == {**spec.tags, TOKEN_TAG: spec.token}
        assert (await images.capture(account.region, spec)).id == made.id
        account.settle()
        done = await images.get(account.region, made.id)
        assert done.state is ImageState.AVAILABLE
        assert done.size_gib > 0
        assert done.machine_id in {machine.id, None}
        assert (
            done == await images.find_by_token(account.region, spec.token) == await images.capture(account.region, spec)
        )
        assert account.snapshots_with(spec.token) == [made.id]
        assert await images.find_by_token(account.region, new_token()) is None

    async def test_a_capture_at_the_same_time_or_after_a_lost_answer_makes_no_second(self, account):
        images, machine = machine_images_of(account.cloud), await self.running(account)
        spec, lost = self.image_spec(machine), self.image_spec(machine)
        made = await asyncio.gather(*(self.begun(account, spec) for _ in range(3)))
        assert [each.id for each in made[1:]] == [made[0].id] * 2
        account.settle()
        account.lose_answer_of(account.capture_action)
        with pytest.raises(CloudError) as caught:
            await images.capture(account.region, lost)
        assert caught.value.outcome_unknown
        account.end_faults()
        again = await self.begun(account, lost)
        assert account.snapshots_with(lost.token) == [again.id]

    async def test_an_image_is_brought_into_another_region_once_it_is_whole(self, account):
        images, machine = machine_images_of(account.cloud), await self.running(account)
        made = await self.begun(account, self.image_spec(machine))
        there = account.other_region
        if made.state is ImageState.PENDING:
            with pytest.raises(IncorrectState):
                await images.copy(account.region, made.id, there)
        account.settle()
        if not account.images_are_everywhere:
            with pytest.raises(NotFound):
                await images.get(there, made.id)
        copied = await images.copy(account.region, made.id, there)
        assert (copied.id, copied.region) == (made.id, there)
        assert (await images.copy(account.region, made.id, there)).state is copied.state
        account.settle()
        assert (await images.get(there, made.id)).state is ImageState.AVAILABLE
        assert (await images.get(account.region, made.id)).state is ImageState.AVAILABLE
        assert (await images.copy(account.region, made.id, there)).state is ImageState.AVAILABLE

    async def test_a_deleted_image_is_gone_everywhere_and_deleting_it_again_is_success(self, account):
        images, machine = machine_images_of(account.cloud), await self.running(account)
        image = await self.captured(account, machine)
        await images.delete(image.id)
        await images.delete(image.id)
        with pytest.raises(NotFound):
            await images.get(account.region, image.id)
        with pytest.raises(NotFound):
            await images.copy(account.region, image.id, account.other_region)

    async def test_what_is_no_machine_has_no_image(self, account):
        images = machine_images_of(account.cloud)
        with pytest.raises(NotFound):
            await images.capture(account.region, MachineImageSpec(new_token(), account.unknown_machine_id))
        machine = await self.running(account)
        with pytest.raises(NotFound):
            await images.capture(account.other_region, self.image_spec(machine))

    async def test_all_images_are_listed_page_by_page_as_they_are_read_alone(self, account):
        images, machine = machine_images_of(account.cloud), await self.running(account)
        made = set()
        for _ in range(3):
            made.add((await self.captured(account, machine)).id)
        assert isinstance(images, ListsMachineImages)
        pages = [page async for page in images.pages(GLOBAL_REGION, page_size=2)]
        listed = {each.id: each for page in pages for each in page}
        assert made <= listed.keys()
        assert len(listed) == sum(len(page) for page in pages)
        assert all(len(page) <= 2 for page in pages)
        one = next(iter(made))
        assert listed[one] == replace(await images.get(account.region, one), region=GLOBAL_REGION)

    async def test_a_captured_machine_is_restored_in_the_other_region_behind_a_wall(self, account):
        images, networks, machines = (port(account.cloud) for port in (machine_images_of, networks_of, machines_of))
        image, region = await self.captured(account, await self.running(account)), account.other_region
        await images.copy(account.region, image.id, region)
        wall = await networks.create_isolated_group(region, token=new_token(), tags={}, description="recovery drill")
        account.settle()
        spec = self.spec(account, image=image.id, security_groups=(wall.id,), tags={"Name": "drill"})
        made = await machines.create(region, spec)
        assert (await machines.create(region, spec)).id == made.id
        account.settle()
        restored = await machines.get(region, made.id)
        assert (restored.state, restored.image) == (MachineState.RUNNING, image.id)
        assert restored.tags == {"Name": "drill", TOKEN_TAG: spec.token}
        assert await networks.of_machine(region, made.id) == (wall.id,)

        with pytest.raises(Conflict):
            await networks.delete_group(region, wall.id)
        await machines.terminate(region, made.id)
        account.settle()
        await networks.delete_group(region, wall.id)
        await networks.delete_group(region, wall.id)
        await images.delete(image.id)
