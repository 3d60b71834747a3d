"""What a subscription may have is told by each resource provider, with what it has."""

from datetime import UTC, datetime

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetSpec
from shared.clouds.azure.quotas import _quota
from shared.clouds.errors import ProviderFault
from shared.clouds.quotas import Quota, WithQuotas
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "uaenorth"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


async def test_limits_and_what_is_used_are_told_by_service(account, cloud):
    assert isinstance(cloud, WithQuotas)
    before = {each.code: each for each in await cloud.quotas.read(REGION, NOW)}
    await cloud.buckets.create(
        REGION, AssetSpec(new_token(), account.catalog.configuration("storage", "storage_account", {}))
    )
    quotas = await cloud.quotas.read(REGION, NOW)
    assert [(each.service, each.name) for each in quotas] == sorted((each.service, each.name) for each in quotas)
    assert {each.service for each in quotas} == {"compute", "network", "sql", "storage"}
    told = {each.code: each for each in quotas}
    accounts = told["StorageAccounts"]
    assert accounts == Quota("StorageAccounts", "Storage Accounts", "storage", REGION, 250.0, accounts.used)
    assert accounts.used == (before["StorageAccounts"].used or 0) + 1
    assert (told["standardMSFamily"].limit, told["standardMSFamily"].used) == (0.0, 0.0)
    assert told["ServerQuota"].limit == 250.0
    assert await cloud.quotas.read(GLOBAL_REGION, NOW) == []


@pytest.mark.parametrize(("told", "limit"), [(-1, None), (2**31 - 1, None), (2**63 - 1, None), (0, 0.0), (10, 10.0)])
def test_a_limit_that_is_none_is_none(told, limit):
    row = {"unit": "Bytes", "currentValue": 3, "limit": told, "name": {"value": "x", "localizedValue": "X"}}
    assert _quota("network", REGION, row) == Quota("x", "X", "network", REGION, limit, 3.0, "Bytes")


async def test_a_failed_question_is_not_a_subscription_without_limits(account, cloud):
    account.azure.fault(match={"service": "azure", "action": "usages.list_by_location"}, status=500, code="internal")
    with pytest.raises(ProviderFault):
        await cloud.quotas.read(REGION, NOW)
