"""What is DigitalOcean's own about droplets: locked while they change, destroyed without a trace, one disk."""

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.digitalocean.cloud import DigitalOceanCloud
from shared.clouds.errors import AuthFailed, InvalidRequest, NotFound, PermissionDenied, StillWorking
from shared.clouds.models import MachineState
from tests.shared.clouds.account_under_test import Conformance

pytestmark = pytest.mark.anyio


class TestDroplets(Conformance):
    async def test_a_guest_that_does_not_shut_down_loses_power_the_next_time(self, account):
        machines, machine = machines_of(account.cloud), await self.running(account)
        account.simulated.fault(match={"action": "droplets.act"}, fail_operation=True, count=1)
        await machines.stop(account.region, machine.id)
        account.settle()
        assert (await machines.get(account.region, machine.id)).state is MachineState.RUNNING
        await machines.stop(account.region, machine.id)
        account.settle()
        assert (await machines.get(account.region, machine.id)).state is MachineState.STOPPED

    async def test_a_create_that_fails_later_leaves_nothing(self, account):
        account.simulated.fault(match={"action": "droplets.create"}, fail_operation=True, count=1)
        made = await machines_of(account.cloud).create(account.region, self.spec(account))
        account.settle()
        with pytest.raises(NotFound):
            await machines_of(account.cloud).get(account.region, made.id)

    async def test_a_droplet_that_is_resized_cannot_be_started_yet(self, account):
        machines, machine = machines_of(account.cloud), await self.running(account)
        await machines.stop(account.region, machine.id)
        account.settle()
        await machines.resize(account.region, machine.id, account.other_instance_type)
        with pytest.raises(StillWorking):
            await machines.start(account.region, machine.id)
        with pytest.raises(StillWorking):
            await machines.resize(account.region, machine.id, account.other_instance_type)

    async def test_a_type_with_a_smaller_disk_does_not_fit(self, account):
        machines = machines_of(account.cloud)
        machine = await self.running(account, instance_type="s-1vcpu-2gb")
        await machines.stop(account.region, machine.id)
        account.settle()
        with pytest.raises(InvalidRequest) as caught:
            await machines.resize(account.region, machine.id, "s-1vcpu-1gb")
        assert caught.value.field == "instance_type"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"zone": "ams3"}, "availability_zone"),
            ({"security_groups": ("sg",)}, "security_groups"),
            ({"root_volume_gib": 50}, "volume_size_gib"),
            ({"image": "../x"}, "image"),
            ({"image": "castle-1-x64"}, "image"),
        ],
    )
    async def test_what_a_droplet_does_not_have_is_refused_by_name(self, account, change, field):
        spec = self.spec(account, **change)
        with pytest.raises(InvalidRequest) as caught:
            await machines_of(account.cloud).create(account.region, spec)
        assert caught.value.field == field
        assert account.machines_with(spec.token) == []

    async def test_an_id_that_is_no_number_is_not_asked_for(self, account):
        for machine_id in ("i-0123", "1/actions", ""):
            with pytest.raises(NotFound):
                await machines_of(account.cloud).get(account.region, machine_id)
            await machines_of(account.cloud).terminate(account.region, machine_id)

    async def test_the_default_image_is_the_newest_ubuntu_lts_and_the_name_is_a_host_s(self, account):
        machine = await self.running(account, tags={"Name": "web-1.example"})
        assert machine.image == "ubuntu-24-04-x64"
        document = account.simulated.machines()
        assert machine.id in {each["id"] for each in document}
        assert (machine.zone, machine.architecture, machine.root_volume_id) == (account.region, "x86_64", None)
        assert machine.private_ip is not None
        assert machine.public_ip is not None

    async def test_a_reader_reads_and_may_not_write(self, account):
        machine = await self.running(account)
        reader: DigitalOceanCloud = account.open_with(account.simulated.credentials(2))
        assert (await reader.machines.get(account.region, machine.id)).id == machine.id
        assert [page async for page in reader.machines.pages(account.region)]
        for change in (
            reader.machines.create(account.region, self.spec(account)),
            reader.machines.stop(account.region, machine.id),
            reader.machines.terminate(account.region, machine.id),
            reader.machines.tag(account.region, machine.id, {"a": "b"}),
        ):
            with pytest.raises(PermissionDenied):
                await change
        await reader.close()

    async def test_an_expired_token_is_refused(self, account):
        cloud = account.open_with(account.simulated.credentials(3))
        with pytest.raises(AuthFailed):
            await cloud.authenticate()
        await cloud.close()
