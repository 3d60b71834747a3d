"""What must be true of every cloud's refusals: rights that only read, and credentials whose time is over?"""

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.errors import AuthFailed, PermissionDenied
from shared.clouds.models import MachineState
from tests.shared.clouds.account_under_test import Conformance, new_token


class RightsConformance(Conformance):
    """An account says by `reader` and `lapsed` which credentials these are (the reader's see what the account has), and
    by `permissions` how the cloud words the right that a verb lacks; a cloud that does not name it has none there.
    """

    async def test_rights_to_read_are_enough_to_read_and_each_change_is_refused(self, account):
        machine = await self.running(account)
        reader = account.open_with(account.reader)
        machines, region = machines_of(reader), account.region
        try:
            assert (await reader.authenticate()).account_id == (await account.cloud.authenticate()).account_id
            assert await reader.regions([region])
            assert (await machines.get(region, machine.id)).state is MachineState.RUNNING
            assert any([machine.id in {each.id for each in page} async for page in machines.pages(region)])
            spec = self.spec(account)
            await self.refused(account, "create", machines.create(region, spec))
            await self.refused(account, "stop", machines.stop(region, machine.id))
            await self.refused(account, "tag", machines.tag(region, machine.id, {"Name": "other"}))
            await self.refused(account, "terminate", machines.terminate(region, machine.id))
            await machines_of(account.cloud).stop(region, machine.id)
            account.settle()
            await self.refused(account, "start", machines.start(region, machine.id))
            await self.refused(account, "resize", machines.resize(region, machine.id, account.other_instance_type))
        finally:
            await reader.close()
        assert account.machines_with(spec.token) == []
        seen = await machines_of(account.cloud).get(region, machine.id)
        assert (seen.state, seen.instance_type, seen.tags) == (
            MachineState.STOPPED, machine.instance_type, machine.tags,
        )  # fmt: skip

    async def refused(self, account, verb, change):
        with pytest.raises(PermissionDenied) as caught:
            await change
        assert not caught.value.retryable
        assert account.permissions.get(verb, "") in str(caught.value), verb

    async def test_credentials_whose_time_is_over_are_refused_for_everything(self, account):
        cloud = account.open_with(account.lapsed)
        for ask in (
            cloud.authenticate(),
            machines_of(cloud).get(account.region, account.unknown_machine_id),
            machines_of(cloud).create(account.region, self.spec(account, token=new_token())),
            machines_of(cloud).terminate(account.region, account.unknown_machine_id),
        ):
            with pytest.raises(AuthFailed) as caught:
                await ask
            assert not caught.value.retryable
        await cloud.close()
