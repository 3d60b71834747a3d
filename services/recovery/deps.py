"""What may recovery's handlers and jobs touch?"""

from dataclasses import dataclass
from uuid import UUID

from services.recovery.settings import Settings
from services.recovery.storage import providers
from shared.bus.credentials import CredentialStore
from shared.clouds.capabilities import Cloud
from shared.clouds.registry import Clouds, catalog_of
from shared.db.engine import Database
from shared.db.journal import Journal
from shared.kit.clock import Clock
from shared.kit.errors import NotFound, RetryLater, Unavailable
from shared.messages.context import Context

BUS_AWAY_S = 2.0


@dataclass(frozen=True)
class Deps:
    """Made once by `main.build`."""

    database: Database
    journal: Journal
    settings: Settings
    clock: Clock
    clouds: Clouds
    credentials: CredentialStore

    async def cloud(self, context: Context, provider_id: UUID) -> Cloud:
        """The account behind a provider of the context's organization.

        Raises NotFound (unknown or removed provider) and RetryLater (the bus that holds the credentials is away).
        """
        async with self.database.work(context) as work:
            provider = (await providers.known(work)).get(provider_id)
            organization = work.organization
        if provider is None:
            raise NotFound("there is no such provider")
        try:
            configuration = await self.credentials.get(organization, provider_id)
        except Unavailable as error:
            raise RetryLater(error.retry_after_s or BUS_AWAY_S, str(error)) from error
        except NotFound:
            await self.clouds.forget(str(provider_id))
            raise
        name = str(provider["provider_name"])
        return await self.clouds.account(str(provider_id), name, catalog_of(name).credentials(configuration))
