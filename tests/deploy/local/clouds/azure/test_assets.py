"""The synchronous SDKs, unmodified, see accounts, networks, databases, balancers and zones live as at Azure."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from tests.deploy.local.clouds.azure.conftest import REGION, Sdk, machine_body
from tests.fixtures.azure_models import old_problems, problems
from tests.fixtures.lazily import Lazily

dns = Lazily("azure.mgmt.dns.models")
network = Lazily("azure.mgmt.network.models")
sql = Lazily("azure.mgmt.sql.models")
storage = Lazily("azure.mgmt.storage.models")

ACCOUNT = {"location": REGION, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}
ENTRA = {"administratorType": "ActiveDirectory", "azureADOnlyAuthentication": True, "login": "ops", "sid": "0" * 36}


def subnet_of(sdk: Sdk, group: str) -> str:
    return sdk.network.virtual_networks.get(group, "hall").properties.subnets[0].id


def balancer_body(sdk: Sdk, group: str, name: str, frontend: dict[str, Any]) -> dict[str, Any]:
    identifier = (
        f"/subscriptions/{sdk.subscription_id}/resourceGroups/{group}/providers/Microsoft.Network/loadBalancers/{name}"
    )
    rule = {
        "protocol": "Tcp", "frontendPort": 80, "backendPort": 80,
        "frontendIPConfiguration": {"id": f"{identifier}/frontendIPConfigurations/front"},
        "backendAddressPool": {"id": f"{identifier}/backendAddressPools/back"},
        "probe": {"id": f"{identifier}/probes/alive"},
    }  # fmt: skip
    return {
        "location": REGION,
        "sku": {"name": "Standard"},
        "properties": {
            "frontendIPConfigurations": [{"name": "front", "properties": frontend}],
            "backendAddressPools": [{"name": "back"}],
            "probes": [{"name": "alive", "properties": {"protocol": "Tcp", "port": 80}}],
            "loadBalancingRules": [{"name": "web", "properties": rule}],
        },
    }


def test_an_account_is_made_and_its_answers_fit_the_models(sdk, group):
    account = sdk.storage.storage_accounts.begin_create(group, "sdkaccount", ACCOUNT).result(timeout=20)
    assert account.properties.provisioning_state == "Succeeded"
    assert account.properties.primary_endpoints.blob == "https://sdkaccount.blob.core.windows.net/"
    sdk.storage.blob_containers.create(group, "sdkaccount", "photos", {})
    container = next(iter(sdk.storage.blob_containers.list(group, "sdkaccount")))
    service = sdk.storage.blob_services.get_service_properties(group, "sdkaccount")
    usage = next(iter(sdk.storage.usages.list_by_location(REGION)))
    for kind, answer in (
        (storage.StorageAccount, account),
        (storage.BlobServiceProperties, service),
        (storage.ListContainerItem, container),
        (storage.Usage, usage),
    ):
        assert problems(kind, answer.as_dict()) == [], kind.__name__
    assert account.sku.name in list(storage.SkuName)
    assert usage.name.value == "StorageAccounts"


@pytest.mark.parametrize(
    ("name", "changes", "code"),
    [
        ("Not-A-Name", {}, "AccountNameInvalid"),
        ("wrongsku", {"sku": {"name": "Golden_LRS"}}, "InvalidRequestPropertyValue"),
        ("nowhere", {"location": "moon"}, "LocationNotAvailableForResourceGroup"),
    ],
)
def test_an_account_that_azure_would_refuse_is_refused(sdk, group, name, changes, code):
    with pytest.raises(HttpResponseError) as caught:
        sdk.storage.storage_accounts.begin_create(group, name, {**ACCOUNT, **changes}, polling=False)
    assert caught.value.error.code == code


def test_a_database_takes_its_time_and_its_answers_fit_the_models(azure, sdk, group):
    server = {"location": REGION, "properties": {"administrators": ENTRA}}
    made = sdk.sql.servers.begin_create_or_update(group, "sdkserver", server).result(timeout=20)
    database = {"location": REGION, "sku": {"name": "S0"}}
    sdk.sql.databases.begin_create_or_update(group, "sdkserver", "main", database, polling=False)
    assert sdk.sql.databases.get(group, "sdkserver", "main").properties.status == "Creating"
    with pytest.raises(ResourceExistsError) as caught:
        sdk.sql.databases.begin_update(group, "sdkserver", "main", {"sku": {"name": "S1"}}, polling=False)
    assert caught.value.error.code == "ConflictingDatabaseOperation"
    azure.advance()
    found = sdk.sql.databases.get(group, "sdkserver", "main")
    assert found.properties.status in list(sql.DatabaseStatus)
    assert problems(sql.Database, found.as_dict()) == []
    assert problems(sql.Server, made.as_dict()) == []
    usage = next(iter(sdk.sql.subscription_usages.list_by_location(REGION)))
    assert problems(sql.SubscriptionUsage, usage.as_dict()) == []
    assert {each.name for each in sdk.sql.databases.list_by_server(group, "sdkserver")} == {"master", "main"}
    sdk.sql.servers.begin_delete(group, "sdkserver").result(timeout=20)
    with pytest.raises(ResourceNotFoundError):
        sdk.sql.databases.get(group, "sdkserver", "main")


def test_a_balancer_holds_its_address_and_knows_who_is_behind_it(azure, sdk, group):
    sdk.compute.virtual_machines.begin_create_or_update(
        group, "behind", machine_body(sdk, group, "behind"), polling=False
    ).result()
    azure.advance()
    address = {"location": REGION, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    public = sdk.network.public_ip_addresses.begin_create_or_update(group, "front-ip", address).result(timeout=20)
    body = balancer_body(sdk, group, "doorman", {"publicIPAddress": {"id": public.id}})
    made = sdk.network.load_balancers.begin_create_or_update(group, "doorman", body).result(timeout=20)
    pool = made.properties.backend_address_pools[0].id
    interface = sdk.network.network_interfaces.get(group, "behind-nic")
    interface.properties.ip_configurations[0].properties.load_balancer_backend_address_pools = [{"id": pool}]
    sdk.network.network_interfaces.begin_create_or_update(group, "behind-nic", interface).result(timeout=20)
    shown = sdk.network.load_balancers.get(group, "doorman", expand="frontendIPConfigurations/publicIPAddress")
    assert problems(network.LoadBalancer, shown.as_dict()) == []
    members = shown.properties.backend_address_pools[0].properties.backend_ip_configurations
    assert [each.id.split("/")[8] for each in members] == ["behind-nic"]
    frontend = shown.properties.frontend_ip_configurations[0].properties
    assert frontend.public_ip_address.properties.ip_address == public.properties.ip_address
    with pytest.raises(HttpResponseError) as caught:
        sdk.network.public_ip_addresses.begin_delete(group, "front-ip", polling=False)
    assert caught.value.error.code == "PublicIPAddressCannotBeDeleted"
    sdk.network.load_balancers.begin_delete(group, "doorman").result(timeout=20)
    sdk.network.public_ip_addresses.begin_delete(group, "front-ip").result(timeout=20)


def test_a_network_in_use_stays(azure, sdk, group):
    frontend = {"subnet": {"id": subnet_of(sdk, group)}, "privateIPAllocationMethod": "Dynamic"}
    body = balancer_body(sdk, group, "inner", frontend)
    made = sdk.network.load_balancers.begin_create_or_update(group, "inner", body).result(timeout=20)
    assert made.properties.frontend_ip_configurations[0].properties.private_ip_address.startswith("10.0.")
    with pytest.raises(HttpResponseError) as caught:
        sdk.network.virtual_networks.begin_delete(group, "hall", polling=False)
    assert caught.value.error.code == "InUseSubnetCannotBeDeleted"
    emptied = {"location": REGION, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    with pytest.raises(HttpResponseError) as caught:
        sdk.network.virtual_networks.begin_create_or_update(group, "hall", emptied, polling=False)
    assert caught.value.error.code == "InUseSubnetCannotBeDeleted"
    usages = {each.name.value: each for each in sdk.network.usages.list(REGION)}
    assert problems(network.Usage, usages["VirtualNetworks"].as_dict()) == []
    sdk.network.load_balancers.begin_delete(group, "inner").result(timeout=20)


def test_a_zone_and_its_records_fit_the_models(azure, sdk, group):
    zone = sdk.dns.zones.create_or_update(group, "sdk.example", {"location": "global"}, if_none_match="*")
    assert len(zone.name_servers) == 4
    with pytest.raises(HttpResponseError) as caught:
        sdk.dns.zones.create_or_update(group, "sdk.example", {"location": "global"}, if_none_match="*")
    assert caught.value.status_code == 412
    record = {"properties": {"TTL": 60, "ARecords": [{"ipv4Address": "192.0.2.1"}]}}
    sdk.dns.record_sets.create_or_update(group, "sdk.example", "www", "A", record)
    found = list(sdk.dns.record_sets.list_by_dns_zone(group, "sdk.example"))
    assert [(each.name, each.type.rpartition("/")[2]) for each in found] == [("@", "SOA"), ("@", "NS"), ("www", "A")]
    assert old_problems(dns, "Zone", zone.serialize(keep_readonly=True)) == []
    for each in found:
        assert old_problems(dns, "RecordSet", each.serialize(keep_readonly=True)) == []
    with pytest.raises(HttpResponseError):
        sdk.dns.record_sets.create_or_update(
            group, "sdk.example", "www", "CNAME", {"properties": {"TTL": 60, "CNAMERecord": {"cname": "a.example"}}}
        )
    tags = {"operation": "Merge", "properties": {"tags": {"cost centre": "x"}}}
    with pytest.raises(HttpResponseError):
        sdk.resources.tags.begin_update_at_scope(zone.id.removeprefix("/"), tags, polling=False)
    sdk.dns.zones.begin_delete(group, "sdk.example").result()
    azure.advance()
    with pytest.raises(ResourceNotFoundError):
        sdk.dns.zones.get(group, "sdk.example")
