"""What is Vultr's own about its assets: what they stand on, what is refused, which secrets stay there."""

import pytest

from shared.clouds.assets import AssetLink, AssetSpec
from shared.clouds.capabilities import machines_of
from shared.clouds.errors import Conflict, InvalidRequest, NotFound
from shared.clouds.registry import catalog_of
from tests.shared.clouds.account_under_test import Conformance, new_token
from tests.shared.clouds.vultr.conftest import UNKNOWN

pytestmark = pytest.mark.anyio


def spec_of(account, resource_type: str, subtype: str, **configuration) -> AssetSpec:
    return AssetSpec(new_token(), account.catalog.configuration(resource_type, subtype, configuration))


WRONG = [
    ("network", "vpc", {"ip_range": "8.8.8.0/24"}, "ip_range"),
    ("network", "vpc", {"ip_range": "10.0.0.1/24"}, "ip_range"),
    ("load_balancer", "load_balancer", {"nodes": 2}, "nodes"),
    ("load_balancer", "load_balancer", {"machines": ["../account"]}, "machines.0"),
    ("load_balancer", "load_balancer", {"forwarding_rules": [{"port": 80}, {"port": 80}]}, "forwarding_rules"),
    ("load_balancer", "load_balancer", {"health_check": {"protocol": "tcp", "path": "/"}}, "health_check.path"),
]


def test_what_vultr_does_not_have_is_refused_by_its_field():
    for resource_type, subtype, configuration, field in WRONG:
        with pytest.raises(InvalidRequest) as caught:
            catalog_of("vultr").configuration(resource_type, subtype, configuration)
        assert caught.value.field == field, (subtype, configuration)


class TestLoadBalancers(Conformance):
    async def test_it_stands_on_its_instances_and_its_network(self, account):
        region, balancers = account.region, account.cloud.load_balancers
        network = await account.cloud.private_networks.create(region, spec_of(account, "network", "vpc"))
        made = [await machines_of(account.cloud).create(region, self.spec(account)) for _ in range(2)]
        machines = sorted(each.id for each in made)
        kind = ("load_balancer", "load_balancer")
        spec = spec_of(account, *kind, machines=machines, network_id=network.id)
        balancer = await balancers.create(region, spec)
        assert balancer.links == (
            AssetLink("network", f"network:{network.id}", hard=True),
            *(AssetLink("target", f"machine:{each}", hard=False) for each in machines),
        )
        assert balancer.address
        with pytest.raises(Conflict):
            await account.cloud.private_networks.delete(region, network.id)
        await machines_of(account.cloud).terminate(region, machines[0])
        [_, left] = (await balancers.get(region, balancer.id)).links
        assert left == AssetLink("target", f"machine:{machines[1]}", hard=True)
        for names in ({"machines": [UNKNOWN]}, {"network_id": UNKNOWN}):
            with pytest.raises(NotFound):
                await balancers.create(region, spec_of(account, *kind, **names))
