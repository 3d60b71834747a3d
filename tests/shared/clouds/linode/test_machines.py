"""What is Linode's own about machines: a label that makes creates repeatable, tags set all at once, a busy Linode."""

import asyncio

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.errors import AuthFailed, InvalidRequest, NotFound, PermissionDenied, StillWorking
from tests.shared.clouds.account_under_test import Conformance

pytestmark = pytest.mark.anyio


class TestLinodes(Conformance):
    async def test_creates_of_a_token_by_several_processes_make_one_machine(self, account):
        spec = self.spec(account)
        clouds = [account.open_with(account.credentials) for _ in range(4)]
        made = await asyncio.gather(*(machines_of(each).create(account.region, spec) for each in clouds))
        assert len({each.id for each in made}) == 1
        assert len(account.machines_with(spec.token)) == 1
        for each in clouds:
            await each.close()

    async def test_a_create_whose_answer_was_lost_is_found_by_its_label_though_lists_are_stale(self, account):
        spec = self.spec(account)
        account.lose_answer_of_create()
        with pytest.raises(Exception, match="No answer"):
            await machines_of(account.cloud).create(account.region, spec)
        account.simulated.fault(match={"action": "instances.list"}, stale_s=3600, count=1)
        made = await machines_of(account.cloud).create(account.region, spec)
        assert account.machines_with(spec.token) == [made.id]

    async def test_a_machine_that_is_resized_is_off_and_busy(self, account):
        machines, machine = machines_of(account.cloud), await self.running(account)
        await machines.stop(account.region, machine.id)
        account.settle()
        await machines.resize(account.region, machine.id, account.other_instance_type)
        for change in (
            machines.start(account.region, machine.id),
            machines.resize(account.region, machine.id, "g6-standard-4"),
        ):
            with pytest.raises(StillWorking):
                await change

    async def test_a_type_with_a_smaller_disk_does_not_fit(self, account):
        machines = machines_of(account.cloud)
        machine = await self.running(account, instance_type="g6-standard-1")
        await machines.stop(account.region, machine.id)
        account.settle()
        with pytest.raises(InvalidRequest) as caught:
            await machines.resize(account.region, machine.id, "g6-nanode-1")
        assert caught.value.field == "instance_type"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"zone": "us-west"}, "availability_zone"),
            ({"security_groups": ("1",)}, "security_groups"),
            ({"subnet_id": "1"}, "subnet_id"),
            ({"root_volume_gib": 50}, "volume_size_gib"),
            ({"image": "linode/castle1"}, "image"),
        ],
    )
    async def test_what_a_linode_does_not_have_is_refused_by_name(self, account, change, field):
        spec = self.spec(account, **change)
        with pytest.raises(InvalidRequest) as caught:
            await machines_of(account.cloud).create(account.region, spec)
        assert caught.value.field == field
        assert account.machines_with(spec.token) == []

    async def test_an_id_that_is_no_number_is_not_asked_for(self, account):
        machines = machines_of(account.cloud)
        for machine_id in ("i-0123", "1/boot", ""):
            with pytest.raises(NotFound):
                await machines.get(account.region, machine_id)
            with pytest.raises(NotFound):
                await machines.tag(account.region, machine_id, {"a": "b"})
            await machines.terminate(account.region, machine_id)

    async def test_a_reader_reads_and_may_not_write_and_an_expired_token_is_refused(self, account):
        machine = await self.running(account)
        reader = account.open_with(account.simulated.credentials(2))
        assert (await reader.machines.get(account.region, machine.id)).image == "linode/ubuntu24.04"
        for change in (
            reader.machines.create(account.region, self.spec(account)),
            reader.machines.terminate(account.region, machine.id),
            reader.machines.tag(account.region, machine.id, {"a": "b"}),
        ):
            with pytest.raises(PermissionDenied):
                await change
        await reader.close()
        expired = account.open_with(account.simulated.credentials(3))
        with pytest.raises(AuthFailed):
            await expired.authenticate()
        await expired.close()

    async def test_without_the_right_to_read_the_account_the_user_stands_for_it(self, account):
        whole = await account.cloud.authenticate()
        account.simulated.fault(match={"action": "account.get"}, status=403, count=1)
        assert (await account.cloud.authenticate()).account_id == whole.principal == "operations"
        assert whole.account_id != "operations"
