"""What must be true of every cloud's walls around restored machines?"""

import asyncio

import pytest

from shared.clouds.capabilities import networks_of
from shared.clouds.errors import NotFound
from shared.clouds.models import TOKEN_TAG
from tests.shared.clouds.account_under_test import Conformance, new_token


class WallConformance(Conformance):
    async def wall(self, account, region, token):
        networks = networks_of(account.cloud)
        return await networks.create_isolated_group(region, token=token, tags={"a": "b"}, description="drill")

    async def test_a_wall_has_no_rules_and_is_built_once(self, account):
        networks, token = networks_of(account.cloud), new_token()
        first = await self.wall(account, account.region, token)
        again = await self.wall(account, account.region, token)
        assert first == again == await networks.find_by_token(account.region, token)
        assert (first.ingress_rules, first.egress_rules) == (0, 0)
        assert first.tags in ({"a": "b", TOKEN_TAG: token}, {TOKEN_TAG: token})  # some clouds tag no walls
        await networks.delete_group(account.region, first.id)
        assert await networks.find_by_token(account.region, token) is None

    async def test_two_builders_of_one_wall_build_one(self, account):
        token = new_token()
        built = await asyncio.gather(*(self.wall(account, account.region, token) for _ in range(3)))
        assert len({each.id for each in built}) == 1

    async def test_a_wall_of_another_region_is_another_and_an_unknown_one_is_gone(self, account):
        networks, token = networks_of(account.cloud), new_token()
        there = await self.wall(account, account.other_region, token)
        assert await networks.find_by_token(account.region, token) is None
        await networks.delete_group(account.other_region, there.id)
        await networks.delete_group(account.other_region, there.id)

    async def test_a_machine_outside_of_walls_has_groups_of_its_own_or_none(self, account):
        networks, machine = networks_of(account.cloud), await self.running(account)
        wall = await self.wall(account, account.region, new_token())
        assert wall.id not in await networks.of_machine(account.region, machine.id)
        with pytest.raises(NotFound):
            await networks.of_machine(account.region, account.unknown_machine_id)
