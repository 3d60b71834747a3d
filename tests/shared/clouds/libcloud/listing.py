"""What must be true of the three clouds' lists when something goes wrong while they are read?"""

import asyncio

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.errors import ProviderFault, RateLimited, Unreachable
from tests.shared.clouds.account_under_test import Conformance


class ListingConformance(Conformance):
    """An account says by `list_action` what is listed, and by `page_size` its smallest page."""

    async def several(self, account) -> set[str]:
        machines, count = machines_of(account.cloud), account.page_size + 1
        made = await asyncio.gather(*(machines.create(account.other_region, self.spec(account)) for _ in range(count)))
        return {each.id for each in made}

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ({"status": 500}, ProviderFault),
            ({"status": 429, "retry_after_s": 30}, RateLimited),
            ({"reset": True}, Unreachable),
            ({"cut_body": True}, Unreachable),
        ],
        ids=["500", "429", "reset", "cut body"],
    )
    async def test_a_list_that_breaks_off_is_an_error_and_no_end(self, account, fault, error):
        made = await self.several(account)
        seen: set[str] = set()
        with pytest.raises(error):
            async for page in machines_of(account.cloud).pages(account.other_region, page_size=account.page_size):
                if not seen:
                    account.simulated.fault(match={"service": account.provider, "action": account.list_action}, **fault)
                seen |= {each.id for each in page} or {"nothing"}
        assert not made <= seen

    async def test_a_slow_list_is_read_to_its_end(self, account):
        made = await self.several(account)
        account.simulated.fault(
            match={"service": account.provider, "action": account.list_action}, latency_ms=50, slow_body_ms=50
        )
        pages = [page async for page in machines_of(account.cloud).pages(account.other_region)]
        assert made <= {each.id for page in pages for each in page}

    async def test_a_machine_that_a_stale_list_does_not_show_yet_is_read_by_its_id(self, account):
        machine = await machines_of(account.cloud).create(account.other_region, self.spec(account))
        account.simulated.fault(match={"service": account.provider, "action": account.list_action}, stale_s=3600)
        pages = [page async for page in machines_of(account.cloud).pages(account.other_region)]
        assert machine.id not in {each.id for page in pages for each in page}
        assert (await machines_of(account.cloud).get(account.other_region, machine.id)).id == machine.id
