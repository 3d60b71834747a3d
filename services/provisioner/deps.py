"""What may the provisioner's doors touch?"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.provisioner.domain.places import Places
from services.provisioner.settings import Settings
from services.provisioner.storage import credentials, providers
from shared.bus.connection import Bus
from shared.bus.credentials import open_credentials
from shared.clouds.capabilities import Cloud
from shared.clouds.models import Credentials
from shared.clouds.registry import Clouds, catalog_of
from shared.clouds.settings import CloudSettings
from shared.db.engine import Database
from shared.db.journal import Journal
from shared.db.reads import Reader
from shared.kit.clock import Clock
from shared.messages.context import Context
from shared.messages.providers import Provider
from shared.security.envelope import KeyRing


@dataclass(frozen=True, slots=True)
class Deps:
    """Made once by `main.build`."""

    settings: Settings
    cloud_settings: CloudSettings
    bus: Bus
    database: Database
    journal: Journal
    reader: Reader
    clouds: Clouds
    key_ring: KeyRing
    places: Places
    clock: Clock

    async def account(self, organization: UUID, provider_id: UUID) -> tuple[Provider, Cloud]:
        """A provider and its open account; opened again only when the credentials have changed.

        Raises NotFound. To be called outside of any `work`: what follows is a cloud call.
        """
        async with self.database.work(Context.automatic(organization)) as work:
            provider = await providers.get(work, provider_id)
        credentials = catalog_of(provider.provider_name).credentials(await self._configuration(provider))
        return provider, await self.clouds.account(str(provider_id), provider.provider_name, credentials)

    @asynccontextmanager
    async def second_account(self, provider: Provider) -> AsyncIterator[Cloud]:
        """A provider's account opened once more, for work whose clients are not worth keeping. Raises NotFound."""
        async with self.trial(provider.provider_name, await self._configuration(provider)) as cloud:
            yield cloud

    async def _configuration(self, provider: Provider) -> dict[str, Any]:
        async with self.database.work(Context.automatic(provider.organization_id)) as work:
            sealed = await credentials.get(work, provider.id)
        return open_credentials(self.key_ring, provider.organization_id, provider.id, sealed)

    @asynccontextmanager
    async def trial(self, provider_name: str, configuration: Mapping[str, Any]) -> AsyncIterator[Cloud]:
        """An account with credentials that are not stored (yet), closed at the end. Raises as `open_cloud`."""
        cloud = self.clouds.open(provider_name, Credentials(configuration))
        try:
            yield cloud
        finally:
            await cloud.close()
