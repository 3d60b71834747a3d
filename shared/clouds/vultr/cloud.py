"""What is a Vultr account as a whole: who we are there, its regions, and its capabilities."""

from __future__ import annotations

from collections.abc import Collection

from shared.clouds.budget.limiter import Limiter
from shared.clouds.capabilities import Cloud
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.models import Account, Credentials, Region
from shared.clouds.settings import CloudSettings
from shared.clouds.vultr.block_volumes import VultrBlockVolumes
from shared.clouds.vultr.databases import VultrDatabases
from shared.clouds.vultr.distributions import VultrDistributions
from shared.clouds.vultr.dns_driver import dns_driver_maker
from shared.clouds.vultr.dns_zones import VultrDnsZones
from shared.clouds.vultr.driver import driver_maker
from shared.clouds.vultr.errors import VOCABULARY
from shared.clouds.vultr.images import default_images
from shared.clouds.vultr.limits import api_of
from shared.clouds.vultr.load_balancers import VultrLoadBalancers
from shared.clouds.vultr.machine_images import VultrMachineImages
from shared.clouds.vultr.machines import VultrMachines
from shared.clouds.vultr.metrics import VultrMetrics
from shared.clouds.vultr.networks import VultrNetworks
from shared.clouds.vultr.object_storages import VultrObjectStorages
from shared.clouds.vultr.private_networks import VultrPrivateNetworks
from shared.clouds.vultr.regions import regions_of
from shared.clouds.vultr.volumes import VultrVolumes


class VultrCloud:
    """An account at Vultr; its attributes are its capabilities."""

    provider_name = "vultr"

    def __init__(self, credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> None:
        maker = driver_maker(credentials, settings)
        token = credentials["token"]
        budget = (limiter or Limiter(settings)).account(self.provider_name, token, api_of)
        self._client = LibcloudClient(maker, VOCABULARY, settings, secrets=(token,), budget=budget)
        dns_maker = dns_driver_maker(credentials, settings)
        self._dns_client = LibcloudClient(dns_maker, VOCABULARY, settings, secrets=(token,), budget=budget)
        self.metrics = VultrMetrics(self._client)
        self.machines = VultrMachines(self._client, default_images(self._client))
        self.machine_images = VultrMachineImages(self._client)
        self.networks = VultrNetworks(self._client)
        self.volumes = VultrVolumes(self._client)
        self.load_balancers = VultrLoadBalancers(self._client)
        self.block_volumes = VultrBlockVolumes(self._client)
        self.buckets = VultrObjectStorages(self._client)
        self.databases = VultrDatabases(self._client)
        self.distributions = VultrDistributions(self._client)
        self.dns_zones = VultrDnsZones(self._dns_client)
        self.private_networks = VultrPrivateNetworks(self._client)

    async def authenticate(self) -> Account:
        """Vultr gives an account no number: its e-mail address is what tells it from others."""
        answer = await self._client.request("account.get", "GET", "/v2/account")
        with self._client.reading("account.get"):
            return Account(str(answer["account"]["email"]), str(answer["account"]["name"]))

    async def regions(self, codes: Collection[str] | None = None) -> list[Region]:
        return await regions_of(self._client, codes)

    async def close(self) -> None:
        await self._client.close()
        await self._dns_client.close()


def open_account(credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> Cloud:
    return VultrCloud(credentials, settings, limiter)
