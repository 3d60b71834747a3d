"""An EC2 instance is made as asked, and refused by the field that is wrong."""

from dataclasses import replace

import pytest

from shared.clouds.aws.images import AwsImages
from shared.clouds.errors import InvalidRequest, NotFound
from shared.clouds.models import Machine, MachineSpec, MachineState
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "us-east-1"


def spec(**changes: object) -> MachineSpec:
    return replace(MachineSpec(token=new_token(), instance_type="t3.micro"), **changes)


async def test_the_default_image_is_the_newest_amazon_linux(cloud):
    machine = await cloud.machines.create(REGION, spec())
    image = await cloud.images.get(REGION, machine.image)
    assert image.name.startswith(("al2023-ami-2023.", "amzn2-ami-hvm-2."))
    assert image.architecture == "x86_64"
    assert image == await cloud.images.newest_default(REGION)


async def test_there_is_a_default_image_for_arm_and_none_for_a_mainframe(cloud):
    assert (await cloud.images.newest_default(REGION, architecture="arm64")).architecture == "arm64"
    with pytest.raises(NotFound):
        await cloud.images.newest_default(REGION, architecture="s390x")


async def test_the_default_image_is_asked_for_once_an_hour(cloud, simulated_aws):
    now_s = 0.0
    images = AwsImages(cloud.images._client, monotonic_s=lambda: now_s)

    def asked() -> int:
        return simulated_aws.calls().get(("eu-west-2", "DescribeImages"), 0)

    before = asked()
    await images.newest_default("eu-west-2")
    await images.newest_default("eu-west-2")
    assert asked() == before + 1
    now_s = 3600.0
    await images.newest_default("eu-west-2")
    assert asked() == before + 2


async def test_a_repeat_with_a_newer_default_image_is_the_same_machine(cloud, simulated_aws):
    """AWS compares all parameters of a repeated token, and the default image may have changed in between."""
    wanted = spec()
    made = await cloud.machines.create(REGION, wanted)
    other = next(
        image
        for image in await cloud.images._described(REGION, Owners=["amazon"])
        if image.id != made.image and image.architecture == "x86_64"
    )
    cloud.images._newest[REGION, "x86_64"] = (cloud.images._monotonic_s(), other)
    assert (await cloud.machines.create(REGION, wanted)).id == made.id
    assert len([each for each in simulated_aws.machines() if each["tags"].get("canopy:token") == wanted.token]) == 1


async def test_the_root_volume_has_the_size_asked_for(cloud):
    machine = await cloud.machines.create(REGION, spec(root_volume_gib=23, tags={"Name": "big"}))
    [root] = await cloud.volumes.of_machine(REGION, machine.id)
    assert root.size_gib == 23
    assert root.tags["Name"] == "big"
    assert root.id == (await cloud.machines.get(REGION, machine.id)).root_volume_id


async def test_monitoring_is_as_detailed_as_asked_for(cloud):
    basic = await cloud.machines.create(REGION, spec())
    detailed = await cloud.machines.create(REGION, spec(detailed_monitoring=True))
    assert (await cloud.machines.get(REGION, basic.id)).detailed_monitoring is False
    assert (await cloud.machines.get(REGION, detailed.id)).detailed_monitoring is True


async def test_a_machine_is_in_the_zone_asked_for(cloud):
    assert (await cloud.machines.create(REGION, spec(zone="us-east-1c"))).zone == "us-east-1c"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"image": "ami-00000000000000000"}, "image"),
        ({"instance_type": "t3.enormous"}, "instance_type"),
        ({"subnet_id": "subnet-00000000000000000"}, "subnet_id"),
        ({"security_groups": ("sg-00000000000000000",)}, "security_groups"),
    ],
)
async def test_what_does_not_exist_is_named_and_nothing_is_made(cloud, simulated_aws, changes, field):
    wanted = spec(**changes)
    with pytest.raises(InvalidRequest) as caught:
        await cloud.machines.create(REGION, wanted)
    assert caught.value.field == field
    assert not [each for each in simulated_aws.machines() if each["tags"].get("canopy:token") == wanted.token]


def test_a_machine_knows_its_token_and_root():
    machine = Machine("i-1", MachineState.RUNNING, "t3.micro", "ami-1", REGION, None, tags={})
    assert machine.token is None
    assert machine.root_volume_id is None
