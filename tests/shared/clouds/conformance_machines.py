"""What must be true of every cloud's machines: their life, made once, refused with a reason?"""

import asyncio

import pytest

from shared.clouds.budget.limiter import OWN_CODE
from shared.clouds.capabilities import (
    machines_of,
)
from shared.clouds.errors import (
    CloudError,
    Conflict,
    IncorrectState,
    InvalidRequest,
    NoCapacity,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    StillWorking,
    Unreachable,
)
from shared.clouds.models import (
    TOKEN_TAG,
    CapacityType,
    MachineState,
)
from tests.shared.clouds.account_under_test import Conformance, forgets_terminated, new_token


class MachineConformance(Conformance):
    async def test_a_machine_is_what_was_asked_for(self, account):
        spec = self.spec(account, tags={"Name": "Hochzeit Müller 結婚式", "Environment": "production"})
        made = await machines_of(account.cloud).create(account.region, spec)
        read = await machines_of(account.cloud).get(account.region, made.id)
        sells_spot = any(each.spot for each in account.catalog.offers())
        for machine in (made, read):
            assert machine.instance_type == account.instance_type
            assert machine.region == account.region
            assert machine.tags == {**spec.tags, TOKEN_TAG: spec.token}
            assert machine.token == spec.token
            assert machine.capacity_type is (CapacityType.ON_DEMAND if sells_spot else None)
            assert machine.launched_at is not None
            assert machine.launched_at.utcoffset().total_seconds() == 0

    async def test_a_machine_goes_through_its_states(self, account):
        machines, region = machines_of(account.cloud), account.region
        made = await machines.create(region, self.spec(account))
        assert made.state is MachineState.PENDING
        account.settle()
        assert (await machines.get(region, made.id)).state is MachineState.RUNNING
        await machines.stop(region, made.id)
        assert (await machines.get(region, made.id)).state is MachineState.STOPPING
        account.settle()
        assert (await machines.get(region, made.id)).state is MachineState.STOPPED
        await machines.start(region, made.id)
        account.settle()
        assert (await machines.get(region, made.id)).state is MachineState.RUNNING
        await machines.terminate(region, made.id)
        account.settle()
        await self.is_terminated(account, made.id)

    async def is_terminated(self, account, machine_id):
        """`TERMINATED`, or unknown where the provider forgets what it destroyed."""
        if forgets_terminated(account):
            with pytest.raises(NotFound):
                await machines_of(account.cloud).get(account.region, machine_id)
        else:
            machine = await machines_of(account.cloud).get(account.region, machine_id)
            assert machine.state is MachineState.TERMINATED

    async def test_start_and_stop_of_what_is_there_already_are_success(self, account):
        machine = await self.running(account)
        await machines_of(account.cloud).start(account.region, machine.id)
        await machines_of(account.cloud).stop(account.region, machine.id)
        await machines_of(account.cloud).stop(account.region, machine.id)
        account.settle()
        await machines_of(account.cloud).stop(account.region, machine.id)
        assert (await machines_of(account.cloud).get(account.region, machine.id)).state is MachineState.STOPPED

    async def test_start_while_it_stops_is_a_matter_of_time(self, account):
        machine = await self.running(account)
        await machines_of(account.cloud).stop(account.region, machine.id)
        with pytest.raises(StillWorking) as caught:
            await machines_of(account.cloud).start(account.region, machine.id)
        assert caught.value.retryable

    async def test_start_of_a_terminated_machine_will_never_work(self, account):
        machine = await self.running(account)
        await machines_of(account.cloud).terminate(account.region, machine.id)
        account.settle()
        with pytest.raises(NotFound if forgets_terminated(account) else IncorrectState) as caught:
            await machines_of(account.cloud).start(account.region, machine.id)
        assert not caught.value.retryable

    async def test_terminating_twice_or_what_never_was_is_success(self, account):
        machine = await self.running(account)
        await machines_of(account.cloud).terminate(account.region, machine.id)
        await machines_of(account.cloud).terminate(account.region, machine.id)
        account.settle()
        await machines_of(account.cloud).terminate(account.region, machine.id)
        await machines_of(account.cloud).terminate(account.region, account.unknown_machine_id)

    async def test_an_unknown_machine_is_not_found(self, account):
        machines = machines_of(account.cloud)
        for ask in (machines.get, machines.start, machines.stop):
            with pytest.raises(NotFound):
                await ask(account.region, account.unknown_machine_id)
        with pytest.raises(NotFound):
            await machines.tag(account.region, account.unknown_machine_id, {"Name": "x"})

    async def test_a_machine_is_not_found_in_another_region(self, account):
        machine = await self.running(account)
        with pytest.raises(NotFound):
            await machines_of(account.cloud).get(account.other_region, machine.id)

    async def test_tags_are_added_and_changed_and_others_stay(self, account):
        machine = await self.running(account, tags={"Name": "old", "team": "photos"})
        await machines_of(account.cloud).tag(account.region, machine.id, {"Name": "new", "week": "47"})
        tags = (await machines_of(account.cloud).get(account.region, machine.id)).tags
        assert tags == {"Name": "new", "team": "photos", "week": "47", TOKEN_TAG: machine.token}

    @pytest.mark.parametrize(
        ("tags", "field"),
        [
            ({f"key-{number}": "" for number in range(51)}, "tags"),
            ({"k" * 129: ""}, f"tags.{'k' * 129}"),
            ({"Name": "v" * 257}, "tags.Name"),
            ({"": "x"}, "tags."),
        ],
        ids=["too many", "long key", "long value", "empty key"],
    )
    async def test_tags_beyond_the_limits_are_refused_by_name(self, account, tags, field):
        spec = self.spec(account, tags=tags)
        with pytest.raises(InvalidRequest) as caught:
            await machines_of(account.cloud).create(account.region, spec)
        assert caught.value.field == field
        assert not account.machines_with(spec.token)

    async def test_all_machines_are_listed_page_by_page(self, account):
        machines = machines_of(account.cloud)
        made = {(await self.running(account)).id for _ in range(7)}
        pages = [page async for page in machines.pages(account.region, page_size=5)]
        listed = [each.id for page in pages for each in page]
        assert made <= set(listed)
        assert len(listed) == len(set(listed))
        assert all(len(page) <= 5 for page in pages)

    async def test_the_same_token_gives_the_same_machine(self, account):
        spec = self.spec(account)
        first = await machines_of(account.cloud).create(account.region, spec)
        again = await machines_of(account.cloud).create(account.region, spec)
        assert again.id == first.id
        assert account.machines_with(spec.token) == [first.id]

    async def test_the_same_token_at_the_same_time_gives_one_machine(self, account):
        spec = self.spec(account)
        made = await asyncio.gather(*(machines_of(account.cloud).create(account.region, spec) for _ in range(5)))
        assert len({each.id for each in made}) == 1
        assert len(account.machines_with(spec.token)) == 1

    async def test_a_create_whose_answer_was_lost_made_one_machine(self, account):
        spec = self.spec(account)
        account.lose_answer_of_create()
        try:
            made = await machines_of(account.cloud).create(account.region, spec)
        except CloudError as error:
            assert error.outcome_unknown  # noqa: PT017 - an SDK that repeats by itself raises nothing
            account.end_faults()
            made = await machines_of(account.cloud).create(account.region, spec)
        assert account.machines_with(spec.token) == [made.id]

    async def test_a_token_used_up_by_a_terminated_machine_makes_no_second(self, account):
        machine = await self.running(account)
        await machines_of(account.cloud).terminate(account.region, machine.id)
        account.settle()
        await self.is_terminated(account, machine.id)
        if forgets_terminated(account):
            assert await machines_of(account.cloud).find_by_token(account.region, machine.token) is None
            return
        spec = self.spec(account, token=machine.token)
        assert (await machines_of(account.cloud).create(account.region, spec)).id == machine.id
        assert account.machines_with(machine.token) == [machine.id]

    async def test_a_token_used_with_another_spec_is_a_conflict(self, account):
        spec = self.spec(account)
        await machines_of(account.cloud).create(account.region, spec)
        other = self.spec(account, token=spec.token, instance_type=account.other_instance_type)
        with pytest.raises(Conflict):
            await machines_of(account.cloud).create(account.region, other)
        assert len(account.machines_with(spec.token)) == 1

    async def test_a_machine_is_found_by_its_token_in_every_state(self, account):
        machines, machine = machines_of(account.cloud), await self.running(account)
        assert await machines.find_by_token(account.region, machine.token) == machine
        assert await machines.find_by_token(account.region, new_token()) is None
        assert await machines.find_by_token(account.other_region, machine.token) is None
        await machines.terminate(account.region, machine.id)
        account.settle()
        found = await machines.find_by_token(account.region, machine.token)
        assert found is None if forgets_terminated(account) else found.state is MachineState.TERMINATED

    async def test_a_stopped_machine_is_resized_once_and_a_running_one_never(self, account):
        machines, machine = machines_of(account.cloud), await self.running(account)
        wanted = account.other_instance_type
        with pytest.raises(IncorrectState):
            await machines.resize(account.region, machine.id, wanted)
        await machines.stop(account.region, machine.id)
        account.settle()
        await machines.resize(account.region, machine.id, wanted)
        await self.resized(account, machine.id, wanted)
        await machines.resize(account.region, machine.id, wanted)
        resized = await machines.get(account.region, machine.id)
        assert (resized.instance_type, resized.state) == (wanted, MachineState.STOPPED)
        await machines.start(account.region, machine.id)
        account.settle()
        assert (await machines.get(account.region, machine.id)).state is MachineState.RUNNING

    async def test_a_resize_to_an_unknown_type_is_refused_by_its_field_and_changes_nothing(self, account):
        machines, machine = machines_of(account.cloud), await self.running(account)
        await machines.stop(account.region, machine.id)
        account.settle()
        with pytest.raises(InvalidRequest) as caught:
            await machines.resize(account.region, machine.id, "z99.mega")
        assert caught.value.field == "instance_type"
        assert (await machines.get(account.region, machine.id)).instance_type == account.instance_type
        with pytest.raises(NotFound):
            await machines.resize(account.region, account.unknown_machine_id, account.other_instance_type)

    @pytest.mark.parametrize("token", ["", "x" * 65, "a*", "ü", "a b"])
    async def test_a_token_that_no_cloud_takes_is_refused(self, account, token):
        with pytest.raises(InvalidRequest) as caught:
            await machines_of(account.cloud).create(account.region, self.spec(account, token=token))
        assert caught.value.field == "token"

    @pytest.mark.parametrize("error", [NoCapacity, QuotaExceeded, RateLimited, PermissionDenied])
    async def test_a_refused_create_says_why_and_makes_nothing(self, account, error):
        spec = self.spec(account)
        account.refuse_create(error)
        with pytest.raises(error) as caught:
            await machines_of(account.cloud).create(account.region, spec)
        assert caught.value.provider == account.cloud.provider_name
        assert caught.value.operation
        assert not caught.value.outcome_unknown
        assert not account.machines_with(spec.token)

    async def test_a_throttled_call_says_when_to_come_again(self, account):
        account.throttle(17.0)
        with pytest.raises(RateLimited) as caught:
            await machines_of(account.cloud).get(account.region, account.unknown_machine_id)
        assert caught.value.retry_after_s == 17.0
        account.end_faults()
        with pytest.raises(RateLimited) as caught:  # the next one is not sent before then
            await machines_of(account.cloud).get(account.region, account.unknown_machine_id)
        assert caught.value.code == OWN_CODE
        assert 15.0 < (caught.value.retry_after_s or 0) < 20.0
        account.throttle(None)
        other = account.open_with(account.credentials)
        try:
            with pytest.raises(RateLimited) as caught:
                await machines_of(other).get(account.region, account.unknown_machine_id)
        finally:
            await other.close()
        assert caught.value.retry_after_s is None

    async def test_an_unknown_instance_type_is_refused_by_its_field(self, account):
        spec = self.spec(account, instance_type="z99.mega")
        with pytest.raises(InvalidRequest) as caught:
            await machines_of(account.cloud).create(account.region, spec)
        assert caught.value.field == "instance_type"
        assert not account.machines_with(spec.token)

    async def test_a_lost_region_fails_alone(self, account):
        there = await machines_of(account.cloud).create(account.other_region, self.spec(account))
        account.lose_region(account.other_region)
        with pytest.raises(CloudError) as caught:
            await machines_of(account.cloud).get(account.other_region, there.id)
        assert caught.value.retryable
        assert (await self.running(account)).state is MachineState.RUNNING

    async def test_a_closed_account_is_unreachable(self, account):
        cloud = account.open_with(account.credentials)
        await cloud.authenticate()
        await cloud.close()
        await cloud.close()
        with pytest.raises(Unreachable):
            await cloud.authenticate()
