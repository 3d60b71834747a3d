"""What is Vultr's own about instances: a password that nobody keeps, no way back to a smaller plan, cursors."""

import asyncio
from dataclasses import replace

import pytest

from shared.clouds.assets import AssetSpec
from shared.clouds.capabilities import machines_of
from shared.clouds.errors import (
    AuthFailed,
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ProviderFault,
    StillWorking,
)
from tests.shared.clouds.account_under_test import Conformance, new_token
from tests.shared.clouds.vultr.conftest import UNKNOWN

pytestmark = pytest.mark.anyio


class TestInstances(Conformance):
    async def test_the_password_of_a_new_instance_goes_nowhere(self, account, caplog):
        caplog.set_level("DEBUG")
        made = await machines_of(account.cloud).create(account.region, self.spec(account))
        assert "v5{Fkvb" not in f"{made!r}{caplog.text}"

    async def test_a_change_that_is_under_way_holds_the_instance(self, account):
        machines, machine = machines_of(account.cloud), await self.running(account)
        await machines.stop(account.region, machine.id)
        account.settle()
        await machines.resize(account.region, machine.id, account.other_instance_type)
        with pytest.raises(StillWorking):
            await machines.start(account.region, machine.id)

    async def test_a_smaller_plan_never_fits(self, account):
        machines = machines_of(account.cloud)
        machine = await self.running(account, instance_type="vc2-2c-4gb")
        await machines.stop(account.region, machine.id)
        account.settle()
        with pytest.raises(InvalidRequest) as caught:
            await machines.resize(account.region, machine.id, "vc2-1c-1gb")
        assert caught.value.field == "instance_type"

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"zone": "fra"}, "availability_zone"),
            ({"subnet_id": "1"}, "subnet_id"),
            ({"subnet_id": UNKNOWN, "security_groups": (f"vpc:{UNKNOWN}",)}, "subnet_id"),
            ({"root_volume_gib": 50}, "volume_size_gib"),
            ({"security_groups": ("a", "b")}, "security_groups"),
            ({"image": "ubuntu"}, "image"),
            ({"image": "999"}, "image"),
        ],
    )
    async def test_what_an_instance_does_not_have_is_refused_by_name(self, account, change, field):
        spec = self.spec(account, **change)
        with pytest.raises(InvalidRequest) as caught:
            await machines_of(account.cloud).create(account.region, spec)
        assert caught.value.field == field
        assert account.machines_with(spec.token) == []

    async def test_an_instance_keeps_the_firewall_group_that_it_was_made_with(self, account):
        group = "cd9cbf5b-6bd0-4ebc-b81d-7d8f7d6c2c2e"
        assert (await self.running(account, security_groups=(group,))).security_groups == (group,)

    async def test_an_instance_is_in_the_network_that_it_was_made_in(self, account):
        """Two networks of one range: then only the instance itself says in which it is."""
        networks, machines, region = account.cloud.private_networks, machines_of(account.cloud), "lhr"
        spec = AssetSpec("", {"ip_range": "10.201.0.0/24"})
        twins = [await networks.create(region, replace(spec, token=new_token())) for _ in range(2)]
        other = await networks.create(region, AssetSpec(new_token(), {"ip_range": None}))
        made = {}
        for network in (*twins, other):
            machine = await machines.create(region, self.spec(account, subnet_id=network.id))
            assert machine.network_id == network.id
            made[machine.id] = network.id
        alone = await machines.create(region, self.spec(account))
        ours = {**made, alone.id: None}
        listed = {each.id: each.network_id async for page in machines.pages(region) for each in page}
        assert {each: listed[each] for each in ours} == ours
        assert {each: (await machines.get(region, each)).network_id for each in ours} == ours
        assert (await machines.find_by_token(region, alone.token)).network_id is None
        with pytest.raises(Conflict):
            await networks.delete(region, other.id)
        for each in ours:
            await machines.terminate(region, each)
        await networks.delete(region, other.id)

    async def test_what_goes_while_pages_are_read_hides_no_other(self, account):
        machines, region = machines_of(account.cloud), "syd"
        made = [await machines.create(region, self.spec(account)) for _ in range(6)]
        seen: list[str] = []
        async for page in machines.pages(region, page_size=2):
            seen += [each.id for each in page]
            if len(seen) == 2:
                await machines.terminate(region, made[0].id)
        assert seen == [each.id for each in made]

    async def test_a_cut_page_is_an_error_and_no_end(self, account):
        machines, region = machines_of(account.cloud), "sgp"
        await asyncio.gather(*(machines.create(region, self.spec(account)) for _ in range(3)))
        account.simulated.fault(match={"action": "instances.list"}, status=500)
        with pytest.raises(ProviderFault):
            [page async for page in machines.pages(region, page_size=2)]

    async def test_an_id_of_another_shape_is_not_asked_for(self, account):
        machines = machines_of(account.cloud)
        for machine_id in ("i-0123", "../account", "halt", ""):
            with pytest.raises(NotFound):
                await machines.get(account.region, machine_id)
            with pytest.raises(NotFound):
                await machines.tag(account.region, machine_id, {"a": "b"})
            await machines.terminate(account.region, machine_id)

    async def test_a_reader_reads_and_may_not_write_and_an_expired_token_is_refused(self, account):
        machine = await self.running(account)
        reader = account.open_with(account.simulated.credentials(2))
        assert (await reader.machines.get(account.region, machine.id)).image == "2284"
        assert await reader.regions([account.region])
        for change in (
            reader.machines.create(account.region, self.spec(account)),
            reader.machines.stop(account.region, machine.id),
            reader.machines.tag(account.region, machine.id, {"a": "b"}),
        ):
            with pytest.raises(PermissionDenied):
                await change
        await reader.close()
        expired = account.open_with(account.simulated.credentials(3))
        with pytest.raises(AuthFailed):
            await expired.authenticate()
        await expired.close()
