"""What is a DigitalOcean account as a whole: who we are there, its regions, and its capabilities."""

from __future__ import annotations

from collections.abc import Collection

from shared.clouds.budget.limiter import Limiter
from shared.clouds.capabilities import Cloud
from shared.clouds.digitalocean.block_volumes import DigitalOceanBlockVolumes
from shared.clouds.digitalocean.buckets import DigitalOceanBuckets
from shared.clouds.digitalocean.databases import DigitalOceanDatabases
from shared.clouds.digitalocean.distributions import DigitalOceanDistributions
from shared.clouds.digitalocean.domains import DigitalOceanDnsZones
from shared.clouds.digitalocean.driver import driver_maker
from shared.clouds.digitalocean.errors import VOCABULARY
from shared.clouds.digitalocean.images import default_images
from shared.clouds.digitalocean.limits import api_of
from shared.clouds.digitalocean.load_balancers import DigitalOceanLoadBalancers
from shared.clouds.digitalocean.machine_images import DigitalOceanMachineImages
from shared.clouds.digitalocean.machines import DigitalOceanMachines
from shared.clouds.digitalocean.metrics import DigitalOceanMetrics
from shared.clouds.digitalocean.networks import DigitalOceanNetworks
from shared.clouds.digitalocean.private_networks import DigitalOceanPrivateNetworks
from shared.clouds.digitalocean.quotas import DigitalOceanQuotas
from shared.clouds.digitalocean.regions import regions_of
from shared.clouds.digitalocean.spaces import Spaces
from shared.clouds.digitalocean.spaces_keys import SpacesKeys
from shared.clouds.digitalocean.volumes import DigitalOceanVolumes
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.models import Account, Credentials, Region
from shared.clouds.settings import CloudSettings


class DigitalOceanCloud:
    """An account at DigitalOcean; its attributes are its capabilities."""

    provider_name = "digitalocean"

    def __init__(self, credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> None:
        maker = driver_maker(credentials, settings)
        token = credentials["token"]
        budget = (limiter or Limiter(settings)).account(self.provider_name, token, api_of)
        self._client = LibcloudClient(maker, VOCABULARY, settings, secrets=(token,), budget=budget)
        self.metrics = DigitalOceanMetrics(self._client)
        self.machines = DigitalOceanMachines(self._client, default_images(self._client))
        self.machine_images = DigitalOceanMachineImages(self._client)
        self.networks = DigitalOceanNetworks(self._client)
        self.private_networks = DigitalOceanPrivateNetworks(self._client)
        self.load_balancers = DigitalOceanLoadBalancers(self._client)
        self._spaces = Spaces(SpacesKeys(self._client), settings, budget)
        self.buckets = DigitalOceanBuckets(self._client, self._spaces)
        self.distributions = DigitalOceanDistributions(self._client, self._spaces)
        self.databases = DigitalOceanDatabases(self._client)
        self.dns_zones = DigitalOceanDnsZones(self._client)
        self.quotas = DigitalOceanQuotas(self._client)
        self.volumes = DigitalOceanVolumes(self._client)
        self.block_volumes = DigitalOceanBlockVolumes(self._client, self.volumes)

    async def authenticate(self) -> Account:
        """The team that the token belongs to, and whose token it is. A token of custom scopes needs `account:read`."""
        answer = await self._client.request("account.get", "GET", "/v2/account")
        with self._client.reading("account.get"):
            account = answer["account"]
            team = account.get("team") or {}
            return Account(str(team.get("uuid") or account["uuid"]), str(account["email"]))

    async def regions(self, codes: Collection[str] | None = None) -> list[Region]:
        return await regions_of(self._client, codes)

    async def close(self) -> None:
        """With the key to Spaces that we made."""
        await self._spaces.close()
        await self._client.close()


def open_account(credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> Cloud:
    return DigitalOceanCloud(credentials, settings, limiter)
