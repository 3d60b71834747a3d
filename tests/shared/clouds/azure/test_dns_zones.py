"""What is Azure's own about a DNS zone: its tags' names, records of every type, and where they lead."""

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetLink, AssetSpec
from shared.clouds.azure.catalog import AzureCatalog
from shared.clouds.errors import Conflict, InvalidRequest, ProviderFault
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

KIND = ("dns", "dns_zone")
REGION = "japaneast"  # no other test makes anything here
EVERY_TYPE = [
    {"name": "@", "type": "A", "values": ["192.0.2.1"], "ttl_s": 60},
    {"name": "@", "type": "AAAA", "values": ["2001:db8:0:0::1"]},
    {"name": "@", "type": "CAA", "values": ["0 issue letsencrypt.org; validationmethods=dns-01"]},
    {"name": "@", "type": "MX", "values": ["20 b.example.com", "10 a.example.com."]},
    {"name": "@", "type": "TXT", "values": ["v=spf1 -all", "Hochzeit Müller " * 30]},
    {"name": "_sip._tcp", "type": "SRV", "values": ["0 5 5060 sip.example.com"]},
    {"name": "1", "type": "PTR", "values": ["host.example.com"]},
    {"name": "sub", "type": "NS", "values": ["ns1.example.com", "ns2.example.com"]},
    {"name": "*.www", "type": "CNAME", "values": ["example.com"]},
]


def spec(account, zone_name: str, *records, **changes) -> AssetSpec:
    configuration = {"zone_name": zone_name, "records": list(records)}
    return AssetSpec(new_token(), account.catalog.configuration(*KIND, configuration), **changes)


async def test_every_type_of_record_is_read_as_it_was_written(account, cloud):
    wanted = spec(account, "every-type.example", *EVERY_TYPE)
    made = await cloud.dns_zones.create(GLOBAL_REGION, wanted)
    assert made.configuration == wanted.configuration
    assert len(made.configuration["records"]) == len(EVERY_TYPE)
    assert made.facts["name_servers"]
    await cloud.dns_zones.change(GLOBAL_REGION, made.id, {**made.configuration, "records": []})
    assert (await cloud.dns_zones.get(GLOBAL_REGION, made.id)).configuration["records"] == []
    kept = await cloud._client.call("dns", "record_sets.get", "canopy-global", "every-type.example", "@", "NS")
    assert len(kept["properties"]["NSRecords"]) == 4


async def test_more_records_than_a_page_holds_are_all_there(account, cloud):
    records = [{"name": f"host{number}", "type": "A", "values": ["192.0.2.1"]} for number in range(45)]
    made = await cloud.dns_zones.create(GLOBAL_REGION, spec(account, "many-records.example", *records))
    assert len(made.configuration["records"]) == 45


async def test_what_is_noted_at_a_record_stays_when_it_changes(account, cloud):
    made = await cloud.dns_zones.create(GLOBAL_REGION, spec(account, "noted.example"))
    body = {"properties": {"TTL": 60, "metadata": {"owner": "ops"}, "ARecords": [{"ipv4Address": "192.0.2.1"}]}}
    place = ("canopy-global", "noted.example", "www", "A")
    await cloud._client.call("dns", "record_sets.create_or_update", *place, body)
    wanted = spec(account, "noted.example", {"name": "www", "type": "A", "values": ["192.0.2.9"]}).configuration
    await cloud.dns_zones.change(GLOBAL_REGION, made.id, wanted)
    now = await cloud._client.call("dns", "record_sets.get", *place)
    assert now["properties"]["ARecords"] == [{"ipv4Address": "192.0.2.9"}]
    assert now["properties"]["metadata"] == {"owner": "ops"}


async def test_records_lead_to_machines_balancers_and_buckets(account, cloud):
    machine = await cloud.machines.create(REGION, MachineSpec(new_token(), "Standard_B1s"))
    balancer = await cloud.load_balancers.create(
        REGION,
        AssetSpec(new_token(), account.catalog.configuration("load_balancer", "load_balancer", {"public": True})),
    )
    bucket = await cloud.buckets.create(
        REGION, AssetSpec(new_token(), account.catalog.configuration("storage", "storage_account", {}))
    )
    account.settle()
    machine = await cloud.machines.get(REGION, machine.id)
    wanted = spec(
        account,
        "leading.example",
        {"name": "vm", "type": "A", "values": [machine.public_ip, "192.0.2.77"]},
        {"name": "web", "type": "A", "target_id": balancer.facts["public_address_id"]},
        {"name": "photos", "type": "CNAME", "values": [bucket.address]},
        {"name": "cdn", "type": "CNAME", "values": ["photos-0123.z01.azurefd.net"]},
        {"name": "nowhere", "type": "CNAME", "values": ["nobodysaccount.blob.core.windows.net"]},
    )
    made = await cloud.dns_zones.create(GLOBAL_REGION, wanted)
    assert made.links == tuple(
        AssetLink("record", key, hard=False)
        for key in sorted(
            (
                f"machine:{machine.id}",
                f"load_balancer:{balancer.id}",
                f"storage:{bucket.id}",
                "address:photos-0123.z01.azurefd.net",
            )
        )
    )
    listed = [each async for page in cloud.dns_zones.pages(GLOBAL_REGION) for each in page if each.id == made.id]
    assert listed == [made]


async def test_a_repeat_completes_what_was_begun(account, cloud):
    wanted = spec(account, "begun.example", *EVERY_TYPE[:3])
    action = "record_sets.create_or_update"
    account.azure.fault(match={"service": "azure", "action": action}, status=500, code="internal")
    with pytest.raises(ProviderFault):
        await cloud.dns_zones.create(GLOBAL_REGION, wanted)
    account.end_faults()
    assert (await cloud.dns_zones.find_by_token(GLOBAL_REGION, wanted.token)).configuration["records"] == []
    made = await cloud.dns_zones.create(GLOBAL_REGION, wanted)
    assert made.configuration == wanted.configuration


async def test_a_zone_of_that_name_with_another_token_is_a_conflict(account, cloud):
    await cloud.dns_zones.create(GLOBAL_REGION, spec(account, "taken.example"))
    with pytest.raises(Conflict):
        await cloud.dns_zones.create(GLOBAL_REGION, spec(account, "taken.example"))


@pytest.mark.parametrize(
    ("field", "tags"),
    [
        ("tags.cost centre", {"cost centre": "x"}),
        ("tags.größe", {"größe": "x"}),
        ("tags.canopy_token", {"canopy_token": "x"}),
        ("tags", {f"tag{number}": "x" for number in range(15)}),
    ],
)
async def test_a_tag_that_azure_dns_does_not_take_is_named(account, cloud, field, tags):
    with pytest.raises(InvalidRequest) as caught:
        await cloud.dns_zones.create(GLOBAL_REGION, spec(account, "tagged.example", tags=tags))
    assert caught.value.field == field


RECORD = {"name": "www", "type": "A", "values": ["192.0.2.1"]}
ADDRESS = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/web"


@pytest.mark.parametrize(
    ("field", "configuration"),
    [
        ("zone_name", {}),
        ("zone_name", {"zone_name": "example"}),
        ("zone_name", {"zone_name": "Example.com"}),
        ("records", {"records": [RECORD, RECORD]}),
        ("records", {"records": [RECORD, {"name": "www", "type": "CNAME", "values": ["a.example"]}]}),
        ("records.0", {"records": [{"name": "www", "type": "A"}]}),
        ("records.0", {"records": [{**RECORD, "target_id": ADDRESS}]}),
        ("records.0", {"records": [{"name": "www", "type": "MX", "target_id": ADDRESS}]}),
        ("records.0", {"records": [{"name": "@", "type": "CNAME", "values": ["a.example"]}]}),
        ("records.0", {"records": [{"name": "@", "type": "NS", "values": ["a.example"]}]}),
        ("records.0.type", {"records": [{**RECORD, "type": "SOA"}]}),
        ("records.0.values", {"records": [{**RECORD, "values": ["www.example"]}]}),
        ("records.0.values", {"records": [{"name": "www", "type": "SRV", "values": ["0 sip.example"]}]}),
        ("records.0.ttl_s", {"records": [{**RECORD, "ttl_s": 0}]}),
        ("records.0.name", {"records": [{**RECORD, "name": "a b"}]}),
    ],
)
def test_a_wrong_field_is_named(field, configuration):
    given = {"zone_name": "example.com", **configuration} if configuration else {}
    with pytest.raises(InvalidRequest) as caught:
        AzureCatalog().configuration(*KIND, given)
    assert caught.value.field == field
