"""What is DigitalOcean's own about load balancers: droplets by number or tag, updates that say all of it?"""

import pytest

from shared.clouds.assets import AssetLink, AssetState
from shared.clouds.capabilities import machines_of
from shared.clouds.errors import InvalidRequest
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "nyc3"
RULE = {"entry_protocol": "http", "entry_port": 80, "target_protocol": "http", "target_port": 80}


async def test_droplets_come_to_stand_behind_a_balancer_and_go(account, cloud, spec):
    balancers, machines = cloud.load_balancers, machines_of(cloud)
    one, two = [
        (await machines.create(REGION, MachineSpec(new_token(), account.instance_type))).id for _ in range(2)
    ]  # fmt: skip
    made = await balancers.create(REGION, spec(balancers, machines=[one]))
    assert (made.state, made.address) == (AssetState.CREATING, None)
    account.settle()
    alone = await balancers.get(REGION, made.id)
    network = (await machines.get(REGION, one)).network_id
    assert alone.address.startswith("198.19.")
    assert alone.links == (
        AssetLink("network", f"network:{network}", hard=True), AssetLink("target", f"machine:{one}", hard=True)
    )  # fmt: skip
    await balancers.change(REGION, made.id, {**made.configuration, "machines": [one, two]})
    assert (await balancers.get(REGION, made.id)).configuration["machines"] == [one, two]
    await machines.terminate(REGION, one)
    assert (await balancers.get(REGION, made.id)).configuration["machines"] == [two]


async def test_what_a_balancer_cannot_have_is_named_as_its_configuration_does(cloud, spec):
    balancers, unknown = cloud.load_balancers, "5a4981aa-9653-4bd1-bef5-d6bff52042e4"
    tls = {"entry_protocol": "https", "entry_port": 443, "certificate_id": unknown}
    for field, given in (("machines", {"machines": ["3164444"]}), ("network_id", {"network_id": unknown}),
                         ("forwarding_rules", {"forwarding_rules": [tls]})):  # fmt: skip
        with pytest.raises(InvalidRequest) as caught:
            await balancers.create(REGION, spec(balancers, **given))
        assert caught.value.field == field
    wrong = (
        ("forwarding_rules.0", {"forwarding_rules": [{**RULE, "entry_protocol": "https"}]}),
        ("forwarding_rules.0", {"forwarding_rules": [{**RULE, "certificate_id": unknown}]}),
        ("forwarding_rules", {"forwarding_rules": [RULE, RULE]}),
        ("health_check", {"health_check": {"protocol": "tcp"}}),
        ("machines", {"machines": [str(each) for each in range(1, 12)]}),
    )
    for field, given in wrong:
        with pytest.raises(InvalidRequest) as caught:
            spec(balancers, **given)
        assert caught.value.field == field, given


async def test_what_we_have_no_words_for_outlives_a_change(account, cloud):
    balancers = cloud.load_balancers
    body = {"name": "theirs", "region": REGION, "forwarding_rules": [RULE], "tag": "web", "enable_proxy_protocol": True,
            "network": "INTERNAL"}  # fmt: skip
    theirs = account.post("/v2/load_balancers", body)["load_balancer"]["id"]
    shown = await balancers.get(REGION, theirs)
    assert (shown.facts["droplet_tag"], shown.configuration["internal"], shown.tags) == ("web", True, {})
    with pytest.raises(InvalidRequest) as caught:
        await balancers.change(REGION, theirs, {**shown.configuration, "machines": ["1"]})
    assert caught.value.field == "machines"
    await balancers.change(REGION, theirs, {**shown.configuration, "nodes": 2})
    document = await balancers.document(REGION, theirs)
    assert (document["enable_proxy_protocol"], document["tag"], document["size_unit"]) == (True, "web", 2)
