"""What a team may have, and has, in all regions together."""

from datetime import UTC, datetime

import pytest

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.errors import ProviderFault
from shared.clouds.quotas import Quota, WithQuotas

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 26, tzinfo=UTC)


async def test_limits_and_what_is_used_are_told_of_all_regions_together(account, cloud):
    assert isinstance(cloud, WithQuotas)
    second = account.open_with(account.simulated.credentials(1))
    assert await second.quotas.read(GLOBAL_REGION, NOW) == [
        Quota("droplet_limit", "Droplets", "account", GLOBAL_REGION, 10.0, 0.0),
        Quota("reserved_ip_limit", "Reserved IP addresses", "account", GLOBAL_REGION, 3.0),
        Quota("volume_limit", "Volumes", "account", GLOBAL_REGION, 100.0, 0.0),
    ]
    await second.close()
    assert await cloud.quotas.read("nyc3", NOW) == []
    account.simulated.fault(match={"action": "account.get"}, status=503)
    with pytest.raises(ProviderFault):
        await cloud.quotas.read(GLOBAL_REGION, NOW)
