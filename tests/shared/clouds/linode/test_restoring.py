"""Is a firewall of Linode a wall only when it drops everything, and is no disk of a Linode overlooked?"""

import pytest

from shared.clouds.capabilities import machines_of, networks_of
from shared.clouds.errors import StillWorking, Unsupported
from shared.clouds.libcloud.tokens import name_of
from shared.clouds.linode.tags import TAGS
from shared.clouds.models import MachineSpec
from shared.clouds.restoring import MachineImageSpec, machine_images_of
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

RULE = {"label": "ssh", "action": "ACCEPT", "protocol": "TCP", "ports": "22", "addresses": {"ipv4": ["0.0.0.0/0"]}}


@pytest.mark.parametrize(
    ("rules", "openings"),
    [
        ({"inbound_policy": "ACCEPT", "outbound_policy": "DROP"}, (1, 0)),
        ({"inbound_policy": "DROP", "outbound_policy": "ACCEPT"}, (0, 1)),
        ({"inbound_policy": "DROP", "outbound_policy": "DROP", "inbound": [RULE]}, (1, 0)),
    ],
    ids=["everybody in", "everybody out", "a rule"],
)
async def test_a_firewall_that_somebody_opened_is_no_wall(account, rules, openings):
    token = new_token()
    tags = TAGS.to_words({}, token, operation="firewalls.create")
    account.post(
        "/v4/networking/firewalls", {"label": name_of(f"{account.region}/{token}"), "rules": rules, "tags": tags}
    )
    networks = networks_of(account.cloud)
    with pytest.raises(StillWorking):
        await networks.create_isolated_group(account.region, token=token, tags={}, description="drill")
    found = await networks.find_by_token(account.region, token)
    assert found is not None
    assert (found.ingress_rules, found.egress_rules) == openings


async def test_a_linode_with_two_disks_is_kept_by_no_image(account):
    made = await machines_of(account.cloud).create(account.region, MachineSpec(new_token(), account.instance_type))
    account.settle()
    account.post(f"/v4/linode/instances/{made.id}/disks", {"filesystem": "swap", "size": 512})
    images, spec = machine_images_of(account.cloud), MachineImageSpec(new_token(), made.id)
    assert (await images.capture(account.region, spec)).machine_id == made.id
    account.post(f"/v4/linode/instances/{made.id}/disks", {"filesystem": "ext4", "size": 1024})
    second = MachineImageSpec(new_token(), made.id)
    with pytest.raises(Unsupported) as caught:
        await images.capture(account.region, second)
    assert caught.value.code == "several_disks"
    assert account.snapshots_with(second.token) == []
