"""What is Vultr's own about its assets: what they stand on, what is refused, which secrets stay there."""

from dataclasses import replace

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetLink, AssetSpec
from shared.clouds.capabilities import machines_of
from shared.clouds.errors import Conflict, InvalidRequest, NotFound
from shared.clouds.registry import catalog_of
from tests.shared.clouds.account_under_test import Conformance, new_token
from tests.shared.clouds.vultr.conftest import UNKNOWN

pytestmark = pytest.mark.anyio


def spec_of(account, resource_type: str, subtype: str, **configuration) -> AssetSpec:
    return AssetSpec(new_token(), account.catalog.configuration(resource_type, subtype, configuration))


def dns(**record) -> dict:
    return {"zone_name": "example.com", "records": [{"name": "@", **record}]}


WRONG = [
    ("network", "vpc", {"ip_range": "8.8.8.0/24"}, "ip_range"),
    ("network", "vpc", {"ip_range": "10.0.0.1/24"}, "ip_range"),
    ("load_balancer", "load_balancer", {"nodes": 2}, "nodes"),
    ("load_balancer", "load_balancer", {"machines": ["../account"]}, "machines.0"),
    ("load_balancer", "load_balancer", {"forwarding_rules": [{"port": 80}, {"port": 80}]}, "forwarding_rules"),
    ("load_balancer", "load_balancer", {"health_check": {"protocol": "tcp", "path": "/"}}, "health_check.path"),
    ("dns", "dns_domain", {"zone_name": "Example.com"}, "zone_name"),
    ("dns", "dns_domain", dns(type="TXT", values=['say "yes"']), "records.0.values"),
    ("dns", "dns_domain", dns(name="_canopy", type="TXT", values=["x"]), "records.0"),
    ("dns", "dns_domain", dns(type="NS", values=["ns.example.com"]), "records.0"),
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


class TestDnsDomains(Conformance):
    async def test_what_is_there_is_not_taken_over_but_what_may_be_half_made_is(self, account):
        zones = account.cloud.dns_zones
        for name, more in (("bare.example", {}), ("used.example", {"ip": "192.0.2.9"})):
            account.post("/v2/domains", {"domain": name, **more})
        kind = ("dns", "dns_domain")
        with pytest.raises(Conflict):
            await zones.create(GLOBAL_REGION, spec_of(account, *kind, zone_name="used.example"))
        spec = spec_of(account, *kind, zone_name="bare.example")
        assert (await zones.create(GLOBAL_REGION, spec)).token == spec.token
        with pytest.raises(Conflict):
            await zones.create(GLOBAL_REGION, replace(spec, token=new_token()))
        other = account.open_with(account.simulated.credentials(1))
        with pytest.raises(Conflict):
            await other.dns_zones.create(GLOBAL_REGION, spec)
        await other.close()

    async def test_others_records_are_shown_and_a_repeat_leaves_them(self, account):
        zones, name = account.cloud.dns_zones, "guests.example"
        kind, records = ("dns", "dns_domain"), [{"name": "www", "type": "CNAME", "values": ["Example.com."]}]
        with pytest.raises(InvalidRequest):
            spec_of(account, *kind, zone_name=name, records=records)
        records[0]["values"] = ["example.com."]
        spec = spec_of(account, *kind, zone_name=name, records=records)
        await zones.create(GLOBAL_REGION, spec)
        lines = ({"type": "A", "name": "", "data": "192.0.2.9"}, {"type": "SSHFP", "name": "", "data": "1 1 ab"})
        for each in lines:
            account.post(f"/v2/domains/{name}/records", each)
        domain = await zones.create(GLOBAL_REGION, spec)
        assert [each["type"] for each in domain.configuration["records"]] == ["A", "CNAME"]
        assert domain.facts == {"name_servers": ["ns1.vultr.com", "ns2.vultr.com"], "other_records": ["@ SSHFP"]}
        assert [each.target for each in domain.links] == ["address:192.0.2.9", "address:example.com"]
        await zones.change(GLOBAL_REGION, name, {**domain.configuration, "records": []})
        changed = await zones.get(GLOBAL_REGION, name)
        assert (changed.configuration["records"], changed.facts) == ([], domain.facts)
        assert changed.tags == domain.tags
