"""What is an AWS account as a whole: who we are there, its regions, and its capabilities."""

from __future__ import annotations

from collections.abc import Collection

from shared.clouds.aws.buckets import AwsBuckets
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.databases import AwsDatabases
from shared.clouds.aws.distributions import AwsDistributions
from shared.clouds.aws.dns_zones import AwsDnsZones
from shared.clouds.aws.images import AwsImages
from shared.clouds.aws.load_balancers import AwsLoadBalancers
from shared.clouds.aws.machines import AwsMachines
from shared.clouds.aws.metrics import AwsMetrics
from shared.clouds.aws.networks import AwsNetworks
from shared.clouds.aws.private_networks import AwsPrivateNetworks
from shared.clouds.aws.quotas import AwsQuotas
from shared.clouds.aws.regions import regions_of
from shared.clouds.aws.snapshots import AwsSnapshots
from shared.clouds.aws.volumes import AwsVolumes
from shared.clouds.budget.limiter import Limiter
from shared.clouds.capabilities import Cloud
from shared.clouds.models import Account, Credentials, Region
from shared.clouds.settings import CloudSettings


class AwsCloud:
    """An account at AWS; its attributes are its capabilities."""

    provider_name = "aws"

    def __init__(self, credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> None:
        self._client = AwsClient(credentials, settings, limiter)
        self.images = AwsImages(self._client)
        self.machines = AwsMachines(self._client, self.images)
        self.volumes = AwsVolumes(self._client)
        self.snapshots = AwsSnapshots(self._client)
        self.networks = AwsNetworks(self._client, self.machines)
        self.metrics = AwsMetrics(self._client)
        self.buckets = AwsBuckets(self._client)
        self.private_networks = AwsPrivateNetworks(self._client)
        self.databases = AwsDatabases(self._client)
        self.load_balancers = AwsLoadBalancers(self._client)
        self.dns_zones = AwsDnsZones(self._client)
        self.distributions = AwsDistributions(self._client)
        self.quotas = AwsQuotas(self._client)

    async def authenticate(self) -> Account:
        """STS answers this to every valid key, whatever its policies."""
        answer = await self._client.call("sts", self._client.default_region, "GetCallerIdentity")
        return Account(answer["Account"], answer.get("Arn"))

    async def regions(self, codes: Collection[str] | None = None) -> list[Region]:
        return await regions_of(self._client, codes)

    async def close(self) -> None:
        await self._client.close()


def open_account(credentials: Credentials, settings: CloudSettings, limiter: Limiter | None = None) -> Cloud:
    return AwsCloud(credentials, settings, limiter)
