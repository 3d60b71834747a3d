"""What must be true of every cloud whose volumes and snapshots are in the inventory?"""

import pytest

from shared.clouds.capabilities import ListsSnapshots, ListsVolumes, snapshots_of, volumes_of
from shared.clouds.errors import CloudError
from shared.clouds.models import SnapshotSpec
from tests.shared.clouds.account_under_test import Conformance, new_token


class InventoryConformance(Conformance):
    """For a cloud whose `volumes` are `ListsVolumes` and whose `snapshots` are `ListsSnapshots`."""

    async def test_all_volumes_are_listed_page_by_page_as_they_are_read_alone(self, account):
        volumes = volumes_of(account.cloud)
        assert isinstance(volumes, ListsVolumes)
        made = {(await self.running(account)).root_volume_id for _ in range(7)}
        pages = [page async for page in volumes.pages(account.region, page_size=5)]
        listed = {each.id: each for page in pages for each in page}
        assert made <= listed.keys()
        assert len(listed) == sum(len(page) for page in pages)
        assert all(len(page) <= 5 for page in pages)
        one = next(iter(made))
        assert listed[one] == await volumes.get(account.region, one)
        assert all(listed[each].kind for each in made)
        elsewhere = [each.id async for page in volumes.pages(account.other_region) for each in page]
        assert not made & set(elsewhere)

    async def test_all_snapshots_are_listed_page_by_page_as_they_are_read_alone(self, account):
        snapshots, machine = snapshots_of(account.cloud), await self.running(account)
        assert isinstance(snapshots, ListsSnapshots)
        made = {
            (await snapshots.create(account.region, SnapshotSpec(new_token(), machine.root_volume_id))).id
            for _ in range(7)
        }
        account.settle()
        pages = [page async for page in snapshots.pages(account.region, page_size=5)]
        listed = {each.id: each for page in pages for each in page}
        assert made <= listed.keys()
        assert len(listed) == sum(len(page) for page in pages)
        assert all(len(page) <= 5 for page in pages)
        one = next(iter(made))
        assert listed[one] == await snapshots.get(account.region, one)

    async def test_a_lost_region_ends_the_listing_with_an_error(self, account):
        account.lose_region(account.region)
        for pages in (volumes_of(account.cloud).pages, snapshots_of(account.cloud).pages):
            with pytest.raises(CloudError):
                [page async for page in pages(account.region)]
