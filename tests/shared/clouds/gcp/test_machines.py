"""Machines of Google Cloud: what fails late is found, what is forgotten is remembered, what others made is read."""

import asyncio

import pytest

from shared.clouds.errors import Conflict, InvalidRequest, NoCapacity, NotFound, PermissionDenied, Unreachable
from shared.clouds.gcp.cloud import GcpCloud
from shared.clouds.gcp.regions import zone_of
from shared.clouds.models import TOKEN_TAG, MachineSpec, MachineState
from shared.clouds.registry import open_cloud
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "us-east1"
ZONES = ("us-east1-b", "us-east1-c", "us-east1-d")
INSERT = {"service": "gcp", "action": "instances.insert"}
SOLD_OUT = {"fail_operation": True, "code": "ZONE_RESOURCE_POOL_EXHAUSTED"}


def spec(**changes) -> MachineSpec:
    return MachineSpec(**{"token": new_token(), "instance_type": "e2-micro", **changes})


@pytest.fixture
async def impatient(gcp):
    """An account that waits for no operation."""
    cloud = open_cloud("gcp", gcp.credentials(), gcp.settings(gcp_operation_wait_s=0.01))
    assert isinstance(cloud, GcpCloud)
    yield cloud
    await cloud.close()


@pytest.fixture
async def bare(gcp, cloud):
    """A machine that somebody else made, with labels and metadata of their own."""
    name = f"theirs-{new_token()[5:17]}"
    body = {
        "name": name,
        "machine_type": f"zones/{ZONES[0]}/machineTypes/e2-small",
        "labels": {"team": "photos"},
        "metadata": {"items": [{"key": "startup-script", "value": "true"}]},
        "disks": [
            {
                "boot": True,
                "initialize_params": {"source_image": "projects/debian-cloud/global/images/family/debian-12"},
            }
        ],
        "network_interfaces": [{"network": "global/networks/default"}],
    }
    await cloud._client.call("instances", "insert_unary", REGION, zone=ZONES[0], instance_resource=body)
    gcp.advance()
    return f"zones/{ZONES[0]}/instances/{name}"


async def test_a_creation_that_still_runs_is_pending(impatient, gcp):
    wanted = spec(tags={"Name": "später"})
    made = await impatient.machines.create(REGION, wanted)
    assert made.state is MachineState.PENDING
    assert made.tags == {"Name": "später", TOKEN_TAG: wanted.token}
    gcp.advance()
    assert (await impatient.machines.get(REGION, made.id)).state is MachineState.RUNNING


async def test_a_creation_that_fails_later_is_found_with_its_reason(impatient, gcp):
    wanted = spec(tags={"Name": "never"})
    gcp.fault(match=INSERT, count=1, **SOLD_OUT)
    made = await impatient.machines.create(REGION, wanted)
    assert (made.state, made.instance_type) == (MachineState.PENDING, "e2-micro")
    assert made.tags == {"Name": "never", TOKEN_TAG: wanted.token}
    gcp.advance()
    for found in (
        await impatient.machines.get(REGION, made.id),
        await impatient.machines.find_by_token(REGION, wanted.token),
    ):
        assert found.id == made.id
        assert found.state is MachineState.TERMINATED
        assert "ZONE_RESOURCE_POOL_EXHAUSTED" in found.state_reason
        assert (type(found.failure), found.failure.code) == (NoCapacity, "ZONE_RESOURCE_POOL_EXHAUSTED")


async def test_a_creation_that_failed_may_be_tried_again_with_its_token(cloud, account):
    wanted = spec()
    for _ in range(2):
        account.gcp.fault(match=INSERT, count=1, **SOLD_OUT)
        with pytest.raises(NoCapacity):
            await cloud.machines.create(REGION, wanted)
    assert not account.machines_with(wanted.token)
    made = await cloud.machines.create(REGION, wanted)
    assert account.machines_with(wanted.token) == [made.id]
    account.settle()
    assert (await cloud.machines.find_by_token(REGION, wanted.token)).state is MachineState.RUNNING


async def test_a_token_is_used_up_also_after_the_hour_of_its_request_id(cloud, account):
    wanted = spec()
    made = await cloud.machines.create(REGION, wanted)
    account.settle()
    await cloud.machines.terminate(REGION, made.id)
    account.gcp.advance(2 * 3600)
    again = await cloud.machines.create(REGION, wanted)
    assert (again.id, again.state, again.instance_type) == (made.id, MachineState.TERMINATED, "e2-micro")
    with pytest.raises(NotFound):
        await cloud._client.read("instances.get", REGION, *made.id.split("/"))


async def test_the_token_decides_the_zone_and_a_named_zone_is_kept(cloud):
    wanted = spec()
    assert (await cloud.machines.create(REGION, wanted)).zone == zone_of(wanted.token, ZONES)
    for zone in ZONES:
        assert (await cloud.machines.create(REGION, spec(zone=zone))).zone == zone


def test_another_zone_moves_only_the_tokens_that_it_takes():
    tokens = [f"token-{number}" for number in range(200)]
    before = {each: zone_of(each, ZONES) for each in tokens}
    after = {each: zone_of(each, (*ZONES, "us-east1-e")) for each in tokens}
    assert {after[each] for each in tokens if after[each] != before[each]} == {"us-east1-e"}
    assert set(before.values()) == set(ZONES)


async def test_a_token_used_in_another_zone_is_a_conflict(cloud, account):
    wanted = spec(zone=ZONES[0])
    await cloud.machines.create(REGION, wanted)
    with pytest.raises(Conflict):
        await cloud.machines.create(REGION, spec(token=wanted.token, zone=ZONES[1]))
    assert len(account.machines_with(wanted.token)) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"zone": "europe-west1-b"}, "availability_zone"),
        ({"image": "projects/debian-cloud/global/images/debian-1"}, "image"),
        ({"subnet_id": "projects/test-project/regions/us-east1/subnetworks/nowhere"}, "subnet_id"),
        ({"root_volume_gib": 5}, "volume_size_gib"),
        ({"instance_type": "e2-nano"}, "instance_type"),
    ],
)
async def test_a_wrong_part_of_a_spec_is_named(cloud, account, changes, field):
    wanted = spec(**changes)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.machines.create(REGION, wanted)
    assert caught.value.field == field
    assert not account.machines_with(wanted.token)


async def test_what_was_asked_for_reaches_google(cloud, gcp):
    wanted = spec(
        image="projects/debian-cloud/global/images/debian-13-trixie-v20261112",
        root_volume_gib=25,
        security_groups=("web",),
        tags={"Name": "Album", "Environment": "Production"},
    )
    made = await cloud.machines.create(REGION, wanted)
    _, zone, _, name = made.id.split("/")
    instance = await cloud._client.read("instances.get", REGION, *made.id.split("/"))
    disk = await cloud._client.read("disks.get", REGION, "zones", zone, "disks", name)
    assert instance["labels"]["name"] == "album"
    assert instance["labels"]["environment"] == "production"
    assert instance["tags"]["items"] == ["web"]
    assert (disk["sizeGb"], disk["sourceImage"].rpartition("/")[2]) == ("25", "debian-13-trixie-v20261112")
    assert (made.image, made.security_groups, made.architecture) == (wanted.image, ("web",), "x86_64")
    assert made.public_ip
    assert made.root_volume_id == f"zones/{zone}/disks/{name}"


async def test_a_machine_that_others_made_is_read_and_tagged_without_harm(cloud, bare):
    found = await cloud.machines.get(REGION, bare)
    assert (found.tags, found.token, found.image, found.instance_type) == ({"team": "photos"}, None, "", "e2-small")
    await cloud.machines.tag(REGION, bare, {"Name": "Übernommen"})
    assert (await cloud.machines.get(REGION, bare)).tags == {"team": "photos", "Name": "Übernommen"}
    instance = await cloud._client.read("instances.get", REGION, *bare.split("/"))
    assert {each["key"]: each["value"] for each in instance["metadata"]["items"]}["startup-script"] == "true"
    assert instance["labels"] == {"team": "photos", "name": "ubernommen"}


async def test_tags_set_by_several_at_once_are_all_kept(cloud, bare):
    """Each change quotes the fingerprint of what it read; who lost reads again."""
    done = await asyncio.gather(
        *(cloud.machines.tag(REGION, bare, {f"key-{number}": "x"}) for number in range(2)), return_exceptions=True
    )
    assert done == [None, None]
    assert {"key-0", "key-1"} <= set((await cloud.machines.get(REGION, bare)).tags)


async def test_a_zone_that_is_full_says_so_at_the_start_of_a_machine(cloud, gcp, bare):
    await cloud.machines.stop(REGION, bare)
    gcp.advance()
    stopped = await cloud.machines.get(REGION, bare)
    assert (stopped.state, stopped.public_ip) == (MachineState.STOPPED, None)
    gcp.fault(match={"service": "gcp", "action": "instances.start"}, count=1, **SOLD_OUT)
    with pytest.raises(NoCapacity):
        await cloud.machines.start(REGION, bare)
    assert (await cloud.machines.get(REGION, bare)).state is MachineState.STOPPED


async def test_reading_needs_no_right_to_write(gcp, bare):
    reader = open_cloud("gcp", gcp.credentials(2), gcp.settings())
    assert (await reader.authenticate()).principal.startswith("reader@")
    assert (await reader.machines.get(REGION, bare)).id == bare
    assert [page async for page in reader.machines.pages(REGION)]
    with pytest.raises(PermissionDenied):
        await reader.machines.create(REGION, spec())
    await reader.close()


async def test_a_list_that_breaks_off_is_an_error_and_not_the_end(cloud, gcp, bare):
    gcp.fault(match={"service": "gcp", "action": "instances.list", "region": REGION}, cut_body=True)
    with pytest.raises(Unreachable):
        [page async for page in cloud.machines.pages(REGION)]


@pytest.mark.parametrize("identifier", ["i-0123", "zones/us-east1-b/disks/web", "zones/us-east1-b/instances/-", ""])
async def test_what_is_no_id_is_not_found(cloud, identifier):
    with pytest.raises(NotFound):
        await cloud.machines.get(REGION, identifier)
    await cloud.machines.terminate(REGION, identifier)
