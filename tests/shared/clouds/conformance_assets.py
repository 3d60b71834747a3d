"""What must be true of every cloud's assets: their life, made once, found, changed, refused with a reason?

Each line is asked of every kind that the cloud has, one after another: a failure names the kind.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, Protocol

import pytest

from shared.clouds.assets import GLOBAL_REGION, SETTLED, Asset, Assets, AssetSpec, AssetState, StopsAssets, assets_of
from shared.clouds.errors import (
    CloudError,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    RateLimited,
    Unsupported,
)
from shared.clouds.models import CHANGE, IN_PLACE, TOKEN_TAG
from tests.shared.clouds.account_under_test import AccountUnderTest, Conformance, new_token


@dataclass(frozen=True)
class Sample:
    """A configuration of a kind, as a client writes it, another for a second thing, and what may change of it.

    `change` is empty for what never changes. `unknown_id` has the form of the provider's ids.
    """

    configuration: Mapping[str, Any]
    unknown_id: str
    change: Mapping[str, Any]


class AssetsUnderTest(AccountUnderTest, Protocol):
    """What an account brings beside `AccountUnderTest`."""

    def sample(self, assets: Assets, number: int) -> Sample:
        """For the kind; names in it differ by `number`, a fresh one each time. What it stands on exists already.

        `change` is meant for a thing with this very `configuration`, not for that of another number.
        """

    def assets_with(self, assets: Assets, token: str) -> Sequence[str]:
        """Ids of all such things with that token, from the cloud's own list."""

    def lose_next_answer(self, assets: Assets) -> None:
        """The next creation of such a thing happens, and its answer is lost on the way."""

    def refuse_next(self, assets: Assets, error: type[CloudError]) -> None:
        """The next creation of such a thing is refused as this cloud refuses for that reason."""

    # Where one list is of all regions, an account's `lose_lists(region)` loses the lists. Of a kind that can keep no
    # tags but the token's, its `keeps_tags(assets)` is false: it then refuses others. Where only tokens of one form are
    # kept, its `token_for(assets)` makes one.


_numbers: Iterator[int] = iter(range(1, 1_000_000))

FORMS = 2
"""Samples of even and of odd numbers may differ in form; so many in a row show them all."""


def keeps_tags(account: AssetsUnderTest, assets: Assets) -> bool:
    return bool(getattr(account, "keeps_tags", lambda _: True)(assets))


class AssetConformance(Conformance):
    """A cloud's tests give it an `account` that is an `AssetsUnderTest`."""

    def region(self, account, assets: Assets) -> str:
        return GLOBAL_REGION if assets.is_global else account.region

    def asset_spec(self, account, assets: Assets, sample: Sample | None = None, **changes) -> AssetSpec:
        written = dict((sample or account.sample(assets, next(_numbers))).configuration)
        kind = (assets.resource_type, assets.resource_subtype)
        configuration = account.catalog.configuration(*kind, written)
        token = getattr(account, "token_for", lambda _: new_token())(assets)
        return AssetSpec(**{"token": token, "configuration": configuration, **changes})

    async def made(self, account, assets: Assets, sample: Sample | None = None, **changes) -> Asset:
        """One that serves."""
        region = self.region(account, assets)
        made = await assets.create(region, self.asset_spec(account, assets, sample, **changes))
        account.settle()
        asset = await assets.get(region, made.id)
        assert asset.state in SETTLED, assets.resource_subtype
        return asset

    async def listed(self, assets: Assets, region: str, page_size: int = 100) -> list[Asset]:
        pages: AsyncIterator[list[Asset]] = assets.pages(region, page_size=page_size)
        return [each async for page in pages for each in page]

    async def test_every_kind_is_offered_as_it_is(self, account):
        offers = {(each.resource_type, each.resource_subtype): each for each in account.catalog.offers()}
        kinds = {(each.resource_type, each.resource_subtype): each for each in assets_of(account.cloud)}
        assert kinds
        assert kinds.keys() == {key for key in offers if key[0] != "compute"}
        for key, assets in kinds.items():
            assert offers[key].is_global == assets.is_global, key
            assert offers[key].can_stop == isinstance(assets, StopsAssets), key

    async def test_an_asset_is_what_was_asked_for_and_goes_when_it_is_deleted(self, account):
        for assets in assets_of(account.cloud):
            region, kind = self.region(account, assets), assets.resource_subtype
            spec = self.asset_spec(
                account, assets, tags={"Name": "Hochzeit Müller 結婚式", "Environment": "production"}
            )
            made = await assets.create(region, spec)
            account.settle()
            asset = await assets.get(region, made.id)
            assert asset.state in SETTLED, kind
            kept = spec.tags if keeps_tags(account, assets) else {}
            assert asset.tags == {**kept, TOKEN_TAG: spec.token}, kind
            assert (asset.id, asset.region, asset.token) == (made.id, region, spec.token), kind
            asked = {
                name: value for name, value in spec.configuration.items() if value is not None
            }  # None: their choice
            told = {name: asked[name] for name in asset.configuration if name in asked}
            assert told == {name: asset.configuration[name] for name in told}, kind
            assert await assets.find_by_token(region, spec.token) == asset, kind
            assert await assets.find_by_token(region, new_token()) is None, kind
            assert [each for each in await self.listed(assets, region) if each.id == made.id] == [asset], kind
            for _ in range(2):
                await assets.delete(region, made.id)
            account.settle()
            await assets.delete(region, made.id)
            await self.is_gone(assets, region, made.id)
            assert not [each for each in await self.listed(assets, region) if each.id == made.id
                        and each.state not in {AssetState.DELETING, AssetState.DELETED}], kind  # fmt: skip

    async def is_gone(self, assets: Assets, region: str, asset_id: str) -> None:
        try:
            assert (await assets.get(region, asset_id)).state is AssetState.DELETED, assets.resource_subtype
        except NotFound:
            return

    async def test_what_is_unknown_is_not_found_and_deleting_it_is_success(self, account):
        for assets in assets_of(account.cloud):
            region, unknown = self.region(account, assets), account.sample(assets, next(_numbers)).unknown_id
            await assets.delete(region, unknown)
            with pytest.raises(NotFound):
                await assets.get(region, unknown)
            with pytest.raises(NotFound):
                await assets.tag(region, unknown, {"Name": "x"})

    async def test_the_same_token_gives_the_same_asset_also_at_the_same_time(self, account):
        for assets in assets_of(account.cloud):
            region, spec = self.region(account, assets), self.asset_spec(account, assets)
            made = await asyncio.gather(*(assets.create(region, spec) for _ in range(3)))
            account.settle()
            again = await assets.create(region, spec)
            assert {each.id for each in made} == {again.id}, assets.resource_subtype
            assert list(account.assets_with(assets, spec.token)) == [again.id], assets.resource_subtype

    async def test_a_create_whose_answer_was_lost_made_one_asset(self, account):
        for assets in assets_of(account.cloud):
            region, spec = self.region(account, assets), self.asset_spec(account, assets)
            account.lose_next_answer(assets)
            try:
                made = await assets.create(region, spec)
            except CloudError as error:
                assert error.outcome_unknown, assets.resource_subtype  # noqa: PT017 - an SDK may repeat by itself
                account.end_faults()
                made = await assets.create(region, spec)
            account.end_faults()
            assert list(account.assets_with(assets, spec.token)) == [made.id], assets.resource_subtype

    async def test_tags_are_added_and_changed_and_others_stay(self, account):
        for assets in assets_of(account.cloud):
            region, asset = (
                self.region(account, assets),
                await self.made(account, assets, tags={"Name": "old", "team": "photos"}),
            )
            if not keeps_tags(account, assets):
                with pytest.raises(Unsupported):
                    await assets.tag(region, asset.id, {"Name": "new"})
                continue
            await assets.tag(region, asset.id, {"Name": "new", "week": "47"})
            account.settle()
            tags = (await assets.get(region, asset.id)).tags
            wanted = {"Name": "new", "team": "photos", "week": "47", TOKEN_TAG: asset.token}
            assert tags == wanted, assets.resource_subtype

    async def test_what_may_change_is_changed_and_only_that(self, account):
        for assets, number in product(assets_of(account.cloud), islice(_numbers, FORMS)):
            region, sample = self.region(account, assets), account.sample(assets, number)
            if not sample.change:
                continue
            asset = await self.made(account, assets, sample)
            offers = account.catalog.offers()
            schema = next(
                each.configuration_schema for each in offers if each.resource_subtype == assets.resource_subtype
            )
            in_place = [schema["properties"][name].get(CHANGE) == IN_PLACE for name in sample.change]
            assert all(in_place), assets.resource_subtype
            wanted = {**asset.configuration, **sample.change}
            for _ in range(2):
                await assets.change(region, asset.id, wanted)
                account.settle()
            changed = await assets.get(region, asset.id)
            assert changed.state in SETTLED, assets.resource_subtype
            assert changed.configuration == wanted, assets.resource_subtype

    async def test_what_can_stand_still_does_and_serves_again(self, account):
        for assets in assets_of(account.cloud):
            if not isinstance(assets, StopsAssets):
                continue
            region, asset = self.region(account, assets), await self.made(account, assets)
            for _ in range(2):
                await assets.stop(region, asset.id)
                account.settle()
            assert (await assets.get(region, asset.id)).state is AssetState.STOPPED, assets.resource_subtype
            for _ in range(2):
                await assets.start(region, asset.id)
                account.settle()
            assert (await assets.get(region, asset.id)).state is AssetState.RUNNING, assets.resource_subtype

    async def test_all_are_listed_page_by_page(self, account):
        for assets in assets_of(account.cloud):
            region = self.region(account, assets)
            made = {(await self.made(account, assets)).id for _ in range(3)}
            listed = [each.id for each in await self.listed(assets, region, page_size=2)]
            assert made <= set(listed), assets.resource_subtype
            assert len(listed) == len(set(listed)), assets.resource_subtype

    @pytest.mark.parametrize("error", [QuotaExceeded, RateLimited, PermissionDenied])
    async def test_a_refused_create_says_why_and_makes_nothing(self, account, error):
        for assets in assets_of(account.cloud):
            region, spec = self.region(account, assets), self.asset_spec(account, assets)
            account.refuse_next(assets, error)
            with pytest.raises(error) as caught:
                await assets.create(region, spec)
            account.end_faults()
            assert not caught.value.outcome_unknown, assets.resource_subtype
            assert not account.assets_with(assets, spec.token), assets.resource_subtype

    @pytest.mark.parametrize("token", ["", "x" * 65, "ü"])
    async def test_a_token_that_no_cloud_takes_is_refused(self, account, token):
        for assets in assets_of(account.cloud):
            with pytest.raises(InvalidRequest) as caught:
                await assets.create(self.region(account, assets), self.asset_spec(account, assets, token=token))
            assert caught.value.field == "token", assets.resource_subtype

    async def test_a_lost_region_is_an_error_and_not_an_empty_list(self, account):
        for assets in assets_of(account.cloud):
            if assets.is_global:
                continue
            lose = getattr(account, "lose_lists", account.lose_region)
            lose(account.other_region)
            with pytest.raises(CloudError) as caught:
                await self.listed(assets, account.other_region)
            account.end_faults()
            assert caught.value.retryable, assets.resource_subtype
