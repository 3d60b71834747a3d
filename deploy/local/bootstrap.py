"""How does an empty deployment get its first organization? The operator asks the gateway over the bus."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import SecretStr

from shared.bus.connection import create_bus
from shared.kit.settings import BaseServiceSettings
from shared.messages.context import Context
from shared.messages.organizations import BootstrapDeployment, BootstrappedDeployment


def bootstrap(
    nats: Mapping[str, str], organization: str, slug: str, owner_email: str, owner_password: str
) -> BootstrappedDeployment:
    """Create the first organization and its owner, with an API key; `nats` are the operator's CANOPY_NATS_* variables.

    Raises the gateway's error: Conflict with code `already_bootstrapped` when there is any organization.
    """
    settings = BaseServiceSettings(
        nats_url=nats["CANOPY_NATS_URL"],
        nats_user=nats["CANOPY_NATS_USER"],
        nats_password=SecretStr(nats["CANOPY_NATS_PASSWORD"]),
    )
    request = BootstrapDeployment(
        **Context.background().envelope(datetime.now(UTC)),
        organization_name=organization,
        slug=slug,
        owner_email=owner_email,
        owner_name=f"Owner of {organization}",
        owner_password=owner_password,
    )
    return asyncio.run(_ask(settings, request))


async def _ask(settings: BaseServiceSettings, request: BootstrapDeployment) -> BootstrappedDeployment:
    bus = create_bus(settings, str(settings.nats_user))
    await bus.open()
    try:
        return BootstrappedDeployment.model_validate(await bus.ask_for(request))
    finally:
        await bus.close()
