"""What must be true of every cloud that sells spot machines: they are bought as such, shown as such, and no others are?"""

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.errors import Conflict, InvalidRequest
from shared.clouds.models import CapacityType, MachineState
from tests.shared.clouds.account_under_test import AccountUnderTest, Conformance


def spot_instance_type(account: AccountUnderTest) -> str:
    """A type that is sold as spot. An account whose smallest one is not says which is by `spot_instance_type`."""
    return str(getattr(account, "spot_instance_type", account.instance_type))


class SpotConformance(Conformance):
    async def test_a_spot_machine_is_made_once_shown_as_one_and_does_what_its_kind_can(self, account):
        [spot] = [each.spot for each in account.catalog.offers() if each.resource_type == "compute"]
        machines, region, instance_type = machines_of(account.cloud), account.region, spot_instance_type(account)
        spec = self.spec(account, instance_type=instance_type, capacity_type=CapacityType.SPOT)
        made = await machines.create(region, spec)
        assert (await machines.create(region, spec)).id == made.id
        with pytest.raises(Conflict):
            await machines.create(region, self.spec(account, token=spec.token, instance_type=instance_type))
        assert account.machines_with(spec.token) == [made.id]
        account.settle()
        read = await machines.get(region, made.id)
        assert (read.state, read.capacity_type) == (MachineState.RUNNING, CapacityType.SPOT)
        listed = [each async for page in machines.pages(region) for each in page if each.id == made.id]
        assert [each.capacity_type for each in listed] == [CapacityType.SPOT]
        if not spot.can_stop:
            with pytest.raises(InvalidRequest):
                await machines.stop(region, made.id)
            assert (await machines.get(region, made.id)).state is MachineState.RUNNING
            return
        await machines.stop(region, made.id)
        account.settle()
        await machines.start(region, made.id)
        account.settle()
        started = await machines.get(region, made.id)
        assert (started.state, started.capacity_type) == (MachineState.RUNNING, CapacityType.SPOT)
