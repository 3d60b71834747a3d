"""What is a Google Cloud account as a whole: who we are there, its regions, and its capabilities?"""

from __future__ import annotations

from collections.abc import Collection

from shared.clouds.budget.limiter import Limiter
from shared.clouds.capabilities import Cloud
from shared.clouds.gcp.application_balancers import GcpApplicationBalancers
from shared.clouds.gcp.buckets import GcsBuckets
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.databases import GcpDatabases
from shared.clouds.gcp.distributions import GcpDistributions
from shared.clouds.gcp.dns_zones import GcpDnsZones
from shared.clouds.gcp.images import GcpImages
from shared.clouds.gcp.load_balancers import GcpLoadBalancers
from shared.clouds.gcp.machines import GcpMachines
from shared.clouds.gcp.metrics import GcpMetrics
from shared.clouds.gcp.networks import GcpNetworks
from shared.clouds.gcp.private_networks import GcpPrivateNetworks
from shared.clouds.gcp.quotas import GcpQuotas
from shared.clouds.gcp.regions import GcpPlaces
from shared.clouds.gcp.snapshots import GcpSnapshots
from shared.clouds.gcp.volumes import GcpVolumes
from shared.clouds.models import Account, Credentials, Region
from shared.clouds.settings import CloudSettings


class GcpCloud:
    """A project at Google Cloud, as its service account sees it; its attributes are its capabilities."""

    provider_name = "gcp"

    def __init__(self, credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> None:
        self._client = GcpClient(credentials, settings, limiter)
        self._places = GcpPlaces(self._client)
        self.images = GcpImages(self._client)
        self.machines = GcpMachines(self._client, self._places, self.images)
        self.volumes = GcpVolumes(self._client, self._places, self.images)
        self.snapshots = GcpSnapshots(self._client, self._places)
        self.networks = GcpNetworks(self._client, self.machines)
        self.buckets = GcsBuckets(self._client)
        self.private_networks = GcpPrivateNetworks(self._client)
        self.databases = GcpDatabases(self._client)
        self.load_balancers = GcpLoadBalancers(self._client)
        self.application_balancers = GcpApplicationBalancers(self._client)
        self.distributions = GcpDistributions(self._client)
        self.dns_zones = GcpDnsZones(self._client)
        self.quotas = GcpQuotas(self._client)
        self.metrics = GcpMetrics(self._client)

    async def authenticate(self) -> Account:
        """A new access token: Google gives one to every valid key, whatever its roles."""
        return Account(self._client.project, await self._client.identify())

    async def regions(self, codes: Collection[str] | None = None) -> list[Region]:
        return await self._places.regions(codes)

    async def close(self) -> None:
        await self._client.close()


def open_account(credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> Cloud:
    return GcpCloud(credentials, settings, limiter)
