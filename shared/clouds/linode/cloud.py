"""What is a Linode account as a whole: who we are there, its regions, and its capabilities."""

from __future__ import annotations

from collections.abc import Collection

from shared.clouds.budget.limiter import Limiter
from shared.clouds.capabilities import Cloud
from shared.clouds.errors import PermissionDenied
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.linode.block_volumes import LinodeBlockVolumes
from shared.clouds.linode.buckets import LinodeBuckets
from shared.clouds.linode.databases import LinodeDatabases
from shared.clouds.linode.dns_zones import LinodeDnsZones
from shared.clouds.linode.driver import driver_maker
from shared.clouds.linode.errors import VOCABULARY
from shared.clouds.linode.images import default_images
from shared.clouds.linode.limits import api_of
from shared.clouds.linode.load_balancers import LinodeLoadBalancers
from shared.clouds.linode.machine_images import LinodeMachineImages
from shared.clouds.linode.machines import LinodeMachines
from shared.clouds.linode.metrics import LinodeMetrics
from shared.clouds.linode.networks import LinodeNetworks
from shared.clouds.linode.private_networks import LinodePrivateNetworks
from shared.clouds.linode.quotas import LinodeQuotas
from shared.clouds.linode.regions import regions_of
from shared.clouds.linode.volumes import LinodeVolumes
from shared.clouds.models import Account, Credentials, Region
from shared.clouds.settings import CloudSettings


class LinodeCloud:
    """An account at Linode; its attributes are its capabilities."""

    provider_name = "linode"

    def __init__(self, credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> None:
        maker = driver_maker(credentials, settings)
        token = credentials["token"]
        budget = (limiter or Limiter(settings)).account(self.provider_name, token, api_of)
        self._client = LibcloudClient(maker, VOCABULARY, settings, secrets=(token,), budget=budget)
        self.metrics = LinodeMetrics(self._client)
        self.machines = LinodeMachines(self._client, default_images(self._client))
        self.machine_images = LinodeMachineImages(self._client)
        self.networks = LinodeNetworks(self._client)
        self.volumes = LinodeVolumes(self._client)
        self.block_volumes = LinodeBlockVolumes(self._client)
        self.private_networks = LinodePrivateNetworks(self._client)
        self.load_balancers = LinodeLoadBalancers(self._client)
        self.dns_zones = LinodeDnsZones(self._client)
        self.databases = LinodeDatabases(self._client)
        self.buckets = LinodeBuckets(self._client)
        self.quotas = LinodeQuotas(self._client)

    async def authenticate(self) -> Account:
        """Every token reads its profile; the account's id needs `account:read_only`, else the user stands for it."""
        profile = await self._client.request("profile.get", "GET", "/v4/profile", wants=("username",))
        user = str(profile["username"])
        try:
            account = await self._client.request("account.get", "GET", "/v4/account")
        except PermissionDenied:
            account = {}
        return Account(str(account.get("euuid") or user), user)

    async def regions(self, codes: Collection[str] | None = None) -> list[Region]:
        return await regions_of(self._client, codes)

    async def close(self) -> None:
        await self._client.close()


def open_account(credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> Cloud:
    return LinodeCloud(credentials, settings, limiter)
