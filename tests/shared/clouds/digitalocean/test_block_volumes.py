"""What is DigitalOcean's own about volumes as things of the inventory: one thing, attached where it is said, growing?"""

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.errors import Conflict, InvalidRequest
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "nyc3"


async def test_a_volume_goes_from_droplet_to_droplet_and_stays_while_it_is_attached(account, cloud, spec):
    volumes, machines = cloud.block_volumes, machines_of(cloud)
    one, two = [
        (await machines.create(REGION, MachineSpec(new_token(), account.instance_type))).id for _ in range(2)
    ]  # fmt: skip
    made = await volumes.create(REGION, spec(volumes, machine_id=one))
    assert made.configuration == {"size_gib": 10, "machine_id": one}
    assert made.facts["device_name"] == f"/dev/disk/by-id/scsi-0DO_Volume_{made.name}"
    assert (await machines.get(REGION, one)).volumes[0].volume_id == made.id
    with pytest.raises(Conflict):
        await volumes.delete(REGION, made.id)
    await volumes.change(REGION, made.id, {**made.configuration, "machine_id": two})
    assert (await volumes.get(REGION, made.id)).configuration["machine_id"] == two
    await volumes.change(REGION, made.id, {**made.configuration, "machine_id": None})
    for field, change in (("size_gib", {"size_gib": 5}), ("machine_id", {"machine_id": "3164444"})):
        with pytest.raises(InvalidRequest) as caught:
            await volumes.change(REGION, made.id, {**made.configuration, **change})
        assert caught.value.field == field
    await volumes.delete(REGION, made.id)
