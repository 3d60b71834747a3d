"""How do the simulator's tests reach it: by Azure's synchronous SDKs, which the product does not use?"""

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import SansIOHTTPPolicy

from tests.fixtures.clouds import SimulatedCloud
from tests.fixtures.lazily import Lazily

compute = Lazily("azure.mgmt.compute")
dns = Lazily("azure.mgmt.dns")
network = Lazily("azure.mgmt.network")
resources = Lazily("azure.mgmt.resource.resources")
sql = Lazily("azure.mgmt.sql")
storage = Lazily("azure.mgmt.storage")
subscriptions = Lazily("azure.mgmt.resource.subscriptions")

REGION = "francecentral"


class Bearer(SansIOHTTPPolicy):
    """A token over plain http, which azure-core's own policy refuses."""

    def __init__(self, token: str) -> None:
        self._token = token

    def on_request(self, request: Any) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self._token}"


class Nobody:
    """A credential that is never asked: the policy above has its token."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        raise AssertionError("not asked")


class Sdk:
    """The clients of one account."""

    def __init__(self, azure: SimulatedCloud, token: str, **options: Any) -> None:
        self.subscription_id = azure.accounts[0]["account_id"]
        options = {
            "base_url": azure.endpoint_url,
            "authentication_policy": Bearer(token),
            "polling_interval": 0,
        } | options
        self.compute = compute.ComputeManagementClient(Nobody(), self.subscription_id, **options)
        self.network = network.NetworkManagementClient(Nobody(), self.subscription_id, **options)
        self.resources = resources.ResourceManagementClient(Nobody(), self.subscription_id, **options)
        self.dns = dns.DnsManagementClient(Nobody(), self.subscription_id, **options)
        self.sql = sql.SqlManagementClient(Nobody(), self.subscription_id, **options)
        self.storage = storage.StorageManagementClient(Nobody(), self.subscription_id, **options)
        self.subscriptions = subscriptions.SubscriptionClient(Nobody(), **options)

    def close(self) -> None:
        clients = (self.compute, self.network, self.resources, self.dns, self.sql, self.storage, self.subscriptions)
        for each in clients:
            each.close()


def ask_for_token(azure: SimulatedCloud, account: int = 0, **changes: str) -> tuple[int, dict[str, Any]]:
    """Status and body of the token endpoint's answer."""
    keys = {**azure.credentials(account), **changes}
    form = {
        "grant_type": "client_credentials",
        "client_id": keys["client_id"],
        "client_secret": keys["client_secret"],
        "scope": "https://management.azure.com/.default",
    }
    url = f"{azure.endpoint_url}/{keys['tenant_id']}/oauth2/v2.0/token"
    try:
        with urllib.request.urlopen(url, urllib.parse.urlencode(form).encode(), timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture
def azure(simulated_world: dict[str, SimulatedCloud]) -> Iterator[SimulatedCloud]:
    simulated_world["azure"].clear_faults()
    yield simulated_world["azure"]
    simulated_world["azure"].clear_faults()


@pytest.fixture
def sdk(azure: SimulatedCloud) -> Iterator[Sdk]:
    sdk = Sdk(azure, ask_for_token(azure)[1]["access_token"])
    yield sdk
    sdk.close()


@pytest.fixture
def group(sdk: Sdk) -> str:
    """A resource group with a network."""
    sdk.resources.resource_groups.create_or_update("sdk", {"location": REGION})
    network = {
        "location": REGION,
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "first", "properties": {"addressPrefix": "10.0.0.0/20"}}],
        },
    }
    sdk.network.virtual_networks.begin_create_or_update("sdk", "hall", network, polling=False).result()
    return "sdk"


def machine_body(sdk: Sdk, group: str, name: str, **changes: Any) -> dict[str, Any]:
    """What a virtual machine's PUT says."""
    subnet = (
        f"/subscriptions/{sdk.subscription_id}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/hall"
        "/subnets/first"
    )
    address = {"name": f"{name}-ip", "sku": {"name": "Standard"}, "properties": {"deleteOption": "Delete"}}
    configuration = {
        "name": "primary",
        "properties": {"subnet": {"id": subnet}, "publicIPAddressConfiguration": address},
    }
    return {
        "location": REGION,
        "tags": {"Name": name},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B1s"},
            "storageProfile": {
                "imageReference": {
                    "publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest",
                },
                "osDisk": {"createOption": "FromImage", "deleteOption": "Delete"},
            },
            "osProfile": {"computerName": name, "adminUsername": "canopy", "adminPassword": "a-Passw0rd"},
            "networkProfile": {
                "networkApiVersion": "2022-11-01",
                "networkInterfaceConfigurations": [
                    {"name": f"{name}-nic", "properties": {"ipConfigurations": [configuration]}}
                ],
            },
        },
        **changes,
    }  # fmt: skip
