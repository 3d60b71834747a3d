"""What must be true of every cloud? A cloud's tests inherit `CloudConformance` and give it an `account` fixture.

The account is a real SDK's door to a simulated or, with credentials in the environment, a real provider; what one
without the faults cannot show (throttling on demand) its account says by raising `pytest.skip`.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol
from uuid import uuid4

import pytest

from shared.clouds.capabilities import (
    Catalog,
    Cloud,
    capabilities_of,
    images_of,
    machines_of,
    networks_of,
    snapshots_of,
    volumes_of,
)
from shared.clouds.errors import (
    AuthFailed,
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
    Unsupported,
)
from shared.clouds.models import (
    TOKEN_TAG,
    Credentials,
    ImageSpec,
    ImageState,
    Machine,
    MachineSpec,
    MachineState,
    SnapshotSpec,
    SnapshotState,
    VolumeSpec,
)


class AccountUnderTest(Protocol):
    """One account at one cloud, and the power over what goes wrong there."""

    cloud: Cloud
    catalog: Catalog
    credentials: Credentials
    region: str
    other_region: str
    instance_type: str
    other_instance_type: str
    unknown_machine_id: str
    compute: tuple[str, str]  # resource type and subtype of a machine

    def open_with(self, credentials: Credentials) -> Cloud: ...

    def settle(self) -> None:
        """Everything under way (pending, stopping, snapshots) arrives."""

    def lose_answer_of_create(self) -> None:
        """The next creation of a machine happens, and its answer is lost on the way."""

    def refuse_create(self, error: type[CloudError]) -> None:
        """The next creation of a machine is refused as this cloud refuses for that reason."""

    def throttle(self, retry_after_s: float | None) -> None:
        """Every call is throttled until the faults are cleared."""

    def lose_region(self, region: str) -> None: ...

    def end_faults(self) -> None: ...

    def machines_with(self, token: str) -> Sequence[str]:
        """Ids of all machines with that token, from the cloud's own list, terminated ones included."""

    def snapshots_with(self, token: str) -> Sequence[str]: ...


def new_token() -> str:
    return f"test:{uuid4()}"


class CloudConformance:
    """The contract of `shared.clouds.capabilities`, read line by line."""

    pytestmark = pytest.mark.anyio

    def spec(self, account: AccountUnderTest, **changes: object) -> MachineSpec:
        return MachineSpec(**{"token": new_token(), "instance_type": account.instance_type, **changes})

    async def running(self, account: AccountUnderTest, **changes: object) -> Machine:
        machines = machines_of(account.cloud)
        made = await machines.create(account.region, self.spec(account, **changes))
        account.settle()
        machine = await machines.get(account.region, made.id)
        assert machine.state is MachineState.RUNNING
        return machine

    # -- who are we, where can we be

    async def test_good_credentials_say_whose_account_it_is(self, account):
        assert (await account.cloud.authenticate()).account_id

    async def test_wrong_credentials_are_refused_as_such(self, account):
        wrong = Credentials({name: f"Wrong{value[5:]}" for name, value in account.credentials.items()})
        cloud = account.open_with(wrong)
        with pytest.raises(AuthFailed) as caught:
            await cloud.authenticate()
        with pytest.raises(AuthFailed):
            await machines_of(cloud).get(account.region, account.unknown_machine_id)
        await cloud.close()
        assert not caught.value.retryable
        for secret in wrong.values():
            assert secret not in str(caught.value)
            assert secret not in repr(caught.value)

    async def test_regions_have_zones_and_places(self, account):
        regions = await account.cloud.regions([account.region, account.other_region, "nowhere-1"])
        assert [each.region_code for each in regions] == sorted([account.region, account.other_region])
        for each in regions:
            assert each.availability_zones
            assert each.region_name != each.region_code
            assert each.geographic_location is not None

    async def test_a_lost_region_has_unknown_zones_and_hides_no_other(self, account):
        account.lose_region(account.other_region)
        regions = {
            each.region_code: each for each in await account.cloud.regions([account.region, account.other_region])
        }
        assert regions[account.other_region].availability_zones is None
        assert regions[account.region].availability_zones

    async def test_capabilities_say_what_the_cloud_implements(self, account):
        capabilities = capabilities_of(account.cloud)
        assert set(capabilities) == {
            "compute", "storage", "database", "networking", "monitoring", "cdn", "serverless", "kubernetes"
        }  # fmt: skip
        assert capabilities["compute"] is hasattr(account.cloud, "machines")
        assert capabilities["monitoring"] is hasattr(account.cloud, "metrics")

    # -- what can be provisioned

    async def test_every_offer_takes_its_own_defaults_or_names_what_is_missing(self, account):
        for offer in account.catalog.offers():
            assert offer.configuration_schema["type"] == "object"
            try:
                account.catalog.configuration(offer.resource_type, offer.resource_subtype, {})
            except InvalidRequest as error:
                assert error.problems  # noqa: PT017 - either answer is allowed

    async def test_a_machine_needs_no_configuration(self, account):
        configuration = account.catalog.configuration(*account.compute, {})
        assert MachineSpec.from_configuration(configuration, token="t", tags={}).instance_type

    async def test_an_unsupported_type_is_called_so(self, account):
        with pytest.raises(Unsupported, match="Unsupported resource type: castle"):
            account.catalog.configuration("castle", "small", {})
        with pytest.raises(Unsupported, match="Unsupported resource type: castle"):
            account.catalog.configuration(account.compute[0], "castle", {})

    async def test_an_unknown_field_of_a_configuration_is_named(self, account):
        with pytest.raises(InvalidRequest) as caught:
            account.catalog.configuration(*account.compute, {"colour": "red"})
        assert caught.value.field == "colour"

    async def test_credentials_that_lack_a_field_are_refused_by_its_name(self, account):
        for name in account.catalog.credentials_schema["required"]:
            rest = {each: value for each, value in account.credentials.items() if each != name}
            with pytest.raises(InvalidRequest) as caught:
                account.catalog.credentials(rest)
            assert caught.value.field == name
            assert not any(value in str(caught.value) for value in rest.values())

    # -- the life of a machine

    async def test_a_machine_is_what_was_asked_for(self, account):
        spec = self.spec(account, tags={"Name": "Hochzeit Müller 結婚式", "Environment": "production"})
        made = await machines_of(account.cloud).create(account.region, spec)
        read = await machines_of(account.cloud).get(account.region, made.id)
        for machine in (made, read):
            assert machine.instance_type == account.instance_type
            assert machine.region == account.region
            assert machine.tags == {**spec.tags, TOKEN_TAG: spec.token}
            assert machine.token == spec.token
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
        assert (await machines.get(region, made.id)).state is MachineState.TERMINATED

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
        with pytest.raises(IncorrectState) as caught:
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

    # -- made once, whatever happens

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
        spec = self.spec(account, token=machine.token)
        assert (await machines_of(account.cloud).create(account.region, spec)).id == machine.id
        assert (await machines_of(account.cloud).get(account.region, machine.id)).state is MachineState.TERMINATED
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
        assert (await machines.find_by_token(account.region, machine.token)).state is MachineState.TERMINATED

    @pytest.mark.parametrize("token", ["", "x" * 65, "a*", "ü", "a b"])
    async def test_a_token_that_no_cloud_takes_is_refused(self, account, token):
        with pytest.raises(InvalidRequest) as caught:
            await machines_of(account.cloud).create(account.region, self.spec(account, token=token))
        assert caught.value.field == "token"

    # -- refusals

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
        account.throttle(None)
        with pytest.raises(RateLimited) as caught:
            await machines_of(account.cloud).get(account.region, account.unknown_machine_id)
        assert caught.value.retry_after_s is None

    async def test_an_unknown_instance_type_is_refused_by_its_field(self, account):
        spec = self.spec(account, instance_type="z99.mega")
        with pytest.raises(InvalidRequest) as caught:
            await machines_of(account.cloud).create(account.region, spec)
        assert caught.value.field == "instance_type"
        assert not account.machines_with(spec.token)

    async def test_a_lost_region_fails_alone(self, account):
        account.lose_region(account.other_region)
        with pytest.raises(CloudError) as caught:
            await machines_of(account.cloud).get(account.other_region, account.unknown_machine_id)
        assert caught.value.retryable
        assert (await self.running(account)).state is MachineState.RUNNING

    async def test_a_closed_account_is_unreachable(self, account):
        cloud = account.open_with(account.credentials)
        await cloud.authenticate()
        await cloud.close()
        await cloud.close()
        with pytest.raises(Unreachable):
            await cloud.authenticate()

    # -- snapshots, and what is restored from them

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
        assert restored.security_groups == (wall.id,)
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

    async def test_a_wall_has_no_rules_and_is_built_once(self, account):
        networks, token = networks_of(account.cloud), new_token()
        first = await networks.create_isolated_group(account.region, token=token, tags={"a": "b"}, description="drill")
        again = await networks.create_isolated_group(account.region, token=token, tags={"a": "b"}, description="drill")
        assert first == again == await networks.find_by_token(account.region, token)
        assert (first.ingress_rules, first.egress_rules) == (0, 0)
        assert first.tags == {"a": "b", TOKEN_TAG: token}

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
