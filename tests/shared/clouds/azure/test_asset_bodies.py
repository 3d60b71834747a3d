"""What we send of each kind of asset has the properties that the SDK's models have, with those that must be there."""

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetSpec, assets_of
from shared.clouds.models import MachineSpec
from tests.fixtures.azure_models import old_problems, problems
from tests.fixtures.lazily import Lazily
from tests.shared.clouds.account_under_test import new_token
from tests.shared.clouds.azure.test_dns_zones import EVERY_TYPE

dns = Lazily("azure.mgmt.dns.models")
network = Lazily("azure.mgmt.network.models")
resources = Lazily("azure.mgmt.resource.resources.models")
sql = Lazily("azure.mgmt.sql.models")
storage = Lazily("azure.mgmt.storage.models")

pytestmark = pytest.mark.anyio

MODELS = {
    "blob_services.set_service_properties": (storage, "BlobServiceProperties"),
    "databases.begin_create_or_update": (sql, "Database"),
    "databases.begin_update": (sql, "DatabaseUpdate"),
    "load_balancers.begin_create_or_update": (network, "LoadBalancer"),
    "network_interfaces.begin_create_or_update": (network, "NetworkInterface"),
    "public_ip_addresses.begin_create_or_update": (network, "PublicIPAddress"),
    "servers.begin_create_or_update": (sql, "Server"),
    "servers.begin_update": (sql, "ServerUpdate"),
    "storage_accounts.begin_create": (storage, "StorageAccountCreateParameters"),
    "storage_accounts.update": (storage, "StorageAccountUpdateParameters"),
    "tags.begin_update_at_scope": (resources, "TagsPatchResource"),
    "virtual_network_rules.begin_create_or_update": (sql, "VirtualNetworkRule"),
    "virtual_networks.begin_create_or_update": (network, "VirtualNetwork"),
}
OLD_MODELS = {"zones.create_or_update": "Zone", "record_sets.create_or_update": "RecordSet"}
REGION = "australiaeast"  # no other test makes anything here


async def test_every_body_fits_its_model(account, cloud):
    machine = await cloud.machines.create(REGION, MachineSpec(new_token(), "Standard_B1s"))
    account.settle()
    client, sent = cloud._client, []
    call = client.call

    async def recording(service, operation, *arguments, **named):
        sent.extend((operation, each) for each in arguments if isinstance(each, dict))
        return await call(service, operation, *arguments, **named)

    client.call = recording

    async def made_and_changed(kind, given, change):
        assets = next(each for each in assets_of(cloud) if each.resource_type == kind)
        region = GLOBAL_REGION if assets.is_global else REGION
        configuration = account.catalog.configuration(kind, assets.resource_subtype, given)
        made = await assets.create(region, AssetSpec(new_token(), configuration, {"Name": kind}))
        account.settle()
        made = await assets.get(region, made.id)
        await assets.change(region, made.id, {**made.configuration, **change})
        await assets.tag(region, made.id, {"Name": "changed"})
        return made

    hall = await made_and_changed("network", {}, {"dns_servers": ["10.0.0.4"]})
    subnet = f"{hall.id}/subnets/default"
    await made_and_changed("storage", {"subnet_ids": [subnet]}, {"versioning": True, "subnet_ids": []})
    await made_and_changed("database", {"storage_gib": 32}, {"instance_type": "S1", "subnet_id": subnet})
    check = {"protocol": "http", "port": 80, "path": "/", "interval_s": 5}
    await made_and_changed("load_balancer", {"public": True, "machines": [machine.id]}, {"health_check": check})
    await made_and_changed("load_balancer", {"subnet_id": subnet}, {"machines": []})
    await made_and_changed("dns", {"zone_name": "bodies.example", "records": EVERY_TYPE}, {"records": []})

    made_once = "resource_groups.create_or_update"  # in a session: another test may have been first
    assert {operation for operation, _ in sent} - {made_once} == {*MODELS, *OLD_MODELS} - {made_once}
    for operation, body in sent:
        if operation in MODELS:
            models, name = MODELS[operation]
            assert problems(getattr(models, name), body) == [], operation
        elif operation in OLD_MODELS:
            assert old_problems(dns, OLD_MODELS[operation], body) == [], operation


def test_the_older_check_sees_what_is_wrong():
    wrong = {"properties": {"TTL": 1, "Arecords": [], "MXRecords": [{"preference": 1, "host": "x"}]}, "colour": "red"}
    assert old_problems(dns, "RecordSet", wrong) == [
        "/.colour is unknown", "/properties.Arecords is unknown", "/MXRecords/.host is unknown",
    ]  # fmt: skip
    assert old_problems(dns, "Zone", {"tags": {}}) == ["/location is missing"]
