"""What a project may have, and has, is told by Compute Engine: of a region, or of what belongs to none."""

from datetime import UTC, datetime

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetSpec
from shared.clouds.errors import NotFound, ProviderFault
from shared.clouds.gcp.quotas import _quota
from shared.clouds.quotas import Quota, WithQuotas
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

REGION = "europe-north1"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


async def test_limits_and_what_is_used_are_told(account, cloud):
    assert isinstance(cloud, WithQuotas)
    configuration = account.catalog.configuration("load_balancer", "network_load_balancer", {})
    await cloud.load_balancers.create(REGION, AssetSpec(new_token(), configuration))
    quotas = await cloud.quotas.read(REGION, NOW)
    assert [each.name for each in quotas] == sorted(each.name for each in quotas)
    told = {each.code: each for each in quotas}
    assert told["TARGET_POOLS"] == Quota("TARGET_POOLS", "Target pools", "compute", REGION, 50.0, 1.0)
    assert told["INSTANCES"].used == 0.0
    configuration = account.catalog.configuration("network", "vpc_network", {})
    await cloud.private_networks.create(GLOBAL_REGION, AssetSpec(new_token(), configuration))
    networks = {each.code: each for each in await cloud.quotas.read(GLOBAL_REGION, NOW)}["NETWORKS"]
    assert (networks.limit, networks.region) == (15.0, GLOBAL_REGION)
    assert networks.used >= 1


async def test_a_failed_question_is_not_a_project_without_limits(account, cloud):
    with pytest.raises(NotFound):
        await cloud.quotas.read("nowhere-1", NOW)
    account.lose_region(REGION)
    with pytest.raises(ProviderFault):
        await cloud.quotas.read(REGION, NOW)


@pytest.mark.parametrize(("told", "limit"), [(-1.0, None), (None, None), (0.0, 0.0), (10.0, 10.0)])
def test_a_limit_that_is_none_is_none(told, limit):
    row = {"metric": "DISKS_TOTAL_GB", "usage": 3.0, "limit": told}
    assert _quota(REGION, row) == Quota("DISKS_TOTAL_GB", "Disks total gb", "compute", REGION, limit, 3.0, "GB")
