"""What is Vultr's own about its assets: what they stand on, what is refused, which secrets stay there."""

from dataclasses import replace

import pytest

from services.provisioner.handlers.scans import kinds_of
from shared.clouds.assets import GLOBAL_REGION, AssetLink, AssetSpec
from shared.clouds.capabilities import machines_of
from shared.clouds.errors import Conflict, InvalidRequest, NotFound, StillWorking
from shared.clouds.models import TOKEN_TAG
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
    ("database", "managed_database", {"trusted_ips": ["192.0.2.1/24"]}, "trusted_ips"),
    ("database", "managed_database", {"password": "x"}, "password"),
    ("cdn", "cdn_pull_zone", {"origin_domain": "https://example.com"}, "origin_domain"),
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


class TestBlockVolumes(Conformance):
    async def test_it_goes_to_instances_and_comes_back_and_is_one_thing(self, account):
        region, volumes = account.region, account.cloud.block_volumes
        first, second = [(await self.running(account)).id for _ in range(2)]
        spec = spec_of(account, "storage", "volume", machine_id=first)
        with pytest.raises(StillWorking):
            await volumes.create(region, spec)
        account.settle()
        volume = await volumes.create(region, spec)
        assert volume.configuration["machine_id"] == first
        seen = await account.cloud.volumes.find_by_token(region, spec.token)
        assert (seen.id, seen.machine_id, seen.device_name) == (volume.id, first, volume.facts["device_name"])
        with pytest.raises(Conflict):
            await volumes.delete(region, volume.id)
        await volumes.change(region, volume.id, {**volume.configuration, "machine_id": second})
        assert (await volumes.get(region, volume.id)).configuration["machine_id"] == second
        with pytest.raises(InvalidRequest) as caught:
            await volumes.change(region, volume.id, {"size_gib": 9, "machine_id": second})
        assert caught.value.field == "size_gib"
        await volumes.change(region, volume.id, {**volume.configuration, "machine_id": None})
        await volumes.delete(region, volume.id)
        kinds = kinds_of(account.cloud, account.catalog)
        assert sorted(each for each in kinds if each[0] == "storage") == [
            ("storage", "machine_image"),
            ("storage", "object_storage"),
            ("storage", "volume"),
        ]


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
        with pytest.raises(StillWorking):
            await balancers.delete(region, balancer.id)
        await account.cloud.private_networks.delete(region, network.id)
        account.settle()
        await balancers.delete(region, balancer.id)


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
        spec = replace(spec_of(account, *kind, zone_name=name, records=records), tags={"project": "nobody's affair"})
        assert set((await zones.create(GLOBAL_REGION, spec)).tags) == {TOKEN_TAG}
        assert "affair" not in str(account.get(f"/v2/domains/{name}/records"))
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


class TestDatabases(Conformance):
    async def test_copies_stand_on_their_source_and_passwords_go_nowhere(self, account, caplog):
        caplog.set_level("DEBUG")
        region, databases = "syd", account.cloud.databases
        kind = ("database", "managed_database")
        source = await databases.create(region, spec_of(account, *kind))
        wire = account.get(f"/v2/databases/{source.id}")["database"]
        assert wire["trusted_ips"] == ["127.0.0.1"]
        body = {"label": "report {1}", "region": region}
        copy = account.post(f"/v2/databases/{source.id}/read-replica", body)["database"]["id"]
        listed = {each.id: each async for page in databases.pages(region, page_size=1) for each in page}
        assert set(listed) == {source.id, copy}
        assert listed[copy] == await databases.get(region, copy)
        assert listed[copy].links == (AssetLink("replica_of", f"database:{source.id}", hard=False),)
        assert (listed[copy].name, listed[copy].address) == ("report {1}", listed[copy].address.lower())
        with pytest.raises(StillWorking):
            change = {**source.configuration, "instance_type": "vultr-dbaas-startup-cc-1-55-2"}
            await databases.change(region, source.id, change)
        assert wire["password"] not in f"{listed!r}{caplog.text}"
        account.settle()
        await databases.tag(region, copy, {"Name": "Bericht"})
        tagged = await databases.get(region, copy)
        assert (tagged.name, tagged.tags) == ("report {1}", {"Name": "Bericht"})
        await databases.delete(region, source.id)
        assert [each async for page in databases.pages(region) for each in page] == []


class TestObjectStorages(Conformance):
    async def test_keys_go_nowhere_and_a_wrong_place_is_named(self, account, caplog):
        caplog.set_level("DEBUG")
        kind, storages = ("storage", "object_storage"), account.cloud.buckets
        made = await storages.create("sgp", spec_of(account, *kind))
        account.settle()
        storage = await storages.get("sgp", made.id)
        wire = account.get(f"/v2/object-storage/{made.id}")["object_storage"]
        assert (storage.configuration, storage.facts) == ({"cluster_id": 4}, {"s3_hostname": wire["s3_hostname"]})
        for name in ("s3_access_key", "s3_secret_key"):
            assert wire[name]
            assert wire[name] not in f"{storage!r}{caplog.text}"
        for region, wrong, field in (("sgp", {"cluster_id": 9}, "cluster_id"), ("sgp", {"tier_id": 99}, "tier_id")):
            with pytest.raises(InvalidRequest) as caught:
                await storages.create(region, spec_of(account, *kind, **wrong))
            assert caught.value.field == field
        with pytest.raises(NotFound):
            await storages.create("yto", spec_of(account, *kind))


class TestPullZones(Conformance):
    async def test_it_stands_on_its_origin_and_has_an_address(self, account):
        spec = spec_of(account, "cdn", "cdn_pull_zone", origin_domain="www.example.com")
        zone = await account.cloud.distributions.create(GLOBAL_REGION, spec)
        assert zone.links == (AssetLink("origin", "address:www.example.com", hard=True),)
        assert zone.address.endswith(".vultrcdn.com")
