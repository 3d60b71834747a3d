"""What is an Azure account as a whole: who we are there, its regions, and its capabilities."""

from __future__ import annotations

from collections.abc import Collection

from shared.clouds.azure.addresses import AzureAddresses
from shared.clouds.azure.buckets import AzureBuckets
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.databases import AzureDatabases
from shared.clouds.azure.dns_zones import AzureDnsZones
from shared.clouds.azure.front_doors import AzureFrontDoors
from shared.clouds.azure.ground import AzureGround
from shared.clouds.azure.images import AzureImages
from shared.clouds.azure.load_balancers import AzureLoadBalancers
from shared.clouds.azure.machines import AzureMachines
from shared.clouds.azure.metrics import AzureMetrics
from shared.clouds.azure.networks import AzureNetworks
from shared.clouds.azure.orders import AzureOrders
from shared.clouds.azure.private_networks import AzurePrivateNetworks
from shared.clouds.azure.quotas import AzureQuotas
from shared.clouds.azure.receipts import AzureReceipts
from shared.clouds.azure.regions import regions_of
from shared.clouds.azure.sizes import AzureSizes
from shared.clouds.azure.snapshots import AzureSnapshots
from shared.clouds.azure.volumes import AzureVolumes
from shared.clouds.budget.limiter import Limiter
from shared.clouds.capabilities import Cloud
from shared.clouds.models import Account, Credentials, Region
from shared.clouds.settings import CloudSettings


class AzureCloud:
    """One subscription at Azure; its attributes are its capabilities."""

    provider_name = "azure"

    def __init__(self, credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> None:
        self._client = AzureClient(credentials, settings, limiter)
        ground, sizes, receipts = AzureGround(self._client), AzureSizes(self._client), AzureReceipts(self._client)
        self.images = AzureImages(self._client, ground)
        orders = AzureOrders(self._client, ground, sizes, receipts, self.images)
        self.machines = AzureMachines(self._client, sizes, receipts, orders)
        self.volumes = AzureVolumes(self._client, ground)
        self.snapshots = AzureSnapshots(self._client, ground)
        self.networks = AzureNetworks(self._client, ground, self.machines)
        self.buckets = AzureBuckets(self._client, ground)
        self.private_networks = AzurePrivateNetworks(self._client, ground)
        self.databases = AzureDatabases(self._client, ground)
        self.load_balancers = AzureLoadBalancers(self._client, ground)
        self.distributions = AzureFrontDoors(self._client, ground)
        self.dns_zones = AzureDnsZones(self._client, ground, AzureAddresses(self._client))
        self.quotas = AzureQuotas(self._client)
        self.metrics = AzureMetrics(self._client)

    async def authenticate(self) -> Account:
        """The subscription answers to every application that has any role in it; without one it is not seen."""
        answer = await self._client.call("subscriptions", "subscriptions.get", self._client.subscription_id)
        return Account(answer["subscriptionId"], self._client.client_id)

    async def regions(self, codes: Collection[str] | None = None) -> list[Region]:
        return await regions_of(self._client, codes)

    async def close(self) -> None:
        await self._client.close()


def open_account(credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> Cloud:
    return AzureCloud(credentials, settings, limiter)
