"""What must an organization's cloud trust, so that we may work there without a secret of its own?"""

import asyncio
from typing import Any

from services.provisioner.deps import Deps
from shared.bus.router import Routes
from shared.clouds.errors import AuthFailed, CloudError
from shared.clouds.registry import catalog_of, open_cloud
from shared.clouds.settings import CloudSettings
from shared.clouds.workload import claims_of, external_id, identity_token
from shared.messages.providers import GetTrust, Trust

routes = Routes()

AWS = "aws"
WITHOUT_SECRET = ("web_identity", "workload_identity")


@routes.request(GetTrust)
async def get_trust(request: GetTrust, deps: Deps) -> Trust:
    """What this deployment lacks it does not name: a method that could not work here is left out."""
    name, organization = request.provider_name, str(request.organization)
    claims = await asyncio.to_thread(_claims, deps.cloud_settings, organization, name)
    schema = catalog_of(name).credentials_schema
    methods = [each["properties"]["method"]["const"] for each in schema.get("oneOf", [])]
    audience = claims.get("aud")
    return Trust(
        provider_name=name,
        methods=[each for each in methods if claims or each not in WITHOUT_SECRET],
        external_id=external_id(organization) if name == AWS else None,
        principal=await _principal(deps) if name == AWS else None,
        issuer=claims.get("iss"),
        subject=claims.get("sub"),
        audience=[audience] if isinstance(audience, str) else audience,
    )


def _claims(settings: CloudSettings, organization: str, provider_name: str) -> dict[str, Any]:
    try:
        return claims_of(identity_token(settings, organization, provider_name))
    except AuthFailed:
        return {}


async def _principal(deps: Deps) -> str | None:
    """Who the deployment's own access key is, as AWS names it; null without one, or while AWS does not say."""
    settings = deps.cloud_settings
    if settings.aws_base_access_key_id is None or settings.aws_base_secret_access_key is None:
        return None
    key = {
        "access_key_id": settings.aws_base_access_key_id,
        "secret_access_key": settings.aws_base_secret_access_key.get_secret_value(),
    }
    cloud = open_cloud(AWS, key, settings)
    try:
        async with asyncio.timeout(deps.settings.cloud_answer_s):
            return (await cloud.authenticate()).principal
    except (CloudError, TimeoutError):
        return None
    finally:
        await cloud.close()
