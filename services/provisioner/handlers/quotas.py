"""How much may an account have? The cloud is asked each time: what it says is nobody's to keep."""

import asyncio

from services.provisioner.deps import Deps
from services.provisioner.domain.providers import INVALID_CREDENTIALS, refusal
from services.provisioner.storage import providers
from shared.bus.router import Routes
from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.errors import AuthFailed, CloudError, Unsupported
from shared.clouds.quotas import Quota, quotas_of
from shared.kit.errors import Conflict, FieldError, InvalidInput, TimedOut
from shared.messages.context import Context
from shared.messages.quotas import ListQuotas, ProviderQuota, ProviderQuotas

routes = Routes()


@routes.request(ListQuotas)
async def list_quotas(request: ListQuotas, deps: Deps) -> ProviderQuotas:
    """Conflict where the provider has no such question, or takes the credentials no more."""
    async with deps.database.work(Context.of(request)) as work:
        provider = await providers.get(work, request.provider_id)
    if request.region not in (GLOBAL_REGION, *provider.regions):
        problem = FieldError("/region", f"is not {GLOBAL_REGION} or a region of this provider")
        raise InvalidInput("unknown region", errors=[problem])
    now = deps.clock.now()
    try:
        async with asyncio.timeout(deps.settings.cloud_answer_s):
            _, cloud = await deps.account(provider.organization_id, provider.id)
            found = await quotas_of(cloud).read(request.region, now)
    except Unsupported as error:
        raise Conflict(error.message, code=error.code) from None
    except AuthFailed:
        raise Conflict(INVALID_CREDENTIALS, code="invalid_credentials") from None
    except CloudError as error:
        raise refusal(error, "") from None
    except TimeoutError:
        raise TimedOut("the provider did not answer in time", code="provider_unreachable", retry_after_s=5) from None
    return ProviderQuotas(
        provider_id=provider.id, region=request.region, asked_at=now, items=[_told(each) for each in found]
    )


def _told(quota: Quota) -> ProviderQuota:
    ratio = quota.used / quota.limit if quota.limit and quota.used is not None else None
    return ProviderQuota(
        quota_code=quota.code,
        quota_name=quota.name,
        service=quota.service,
        region=quota.region,
        limit=quota.limit,
        used=quota.used,
        used_ratio=ratio,
        unit=quota.unit,
    )
