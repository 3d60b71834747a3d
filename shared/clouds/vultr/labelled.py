"""What do all kinds of assets share at Vultr whose tags are in a text of theirs (a label, a description)?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, Assets, AssetSpec
from shared.clouds.errors import NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.labels import is_named, label_of, relabelled
from shared.clouds.vultr.lists import PAGE_MAX, UUID, Document, ask_region, pages_of, whole_list_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a kind is in Vultr's API: `/v2/vpcs` lists `vpcs`, of which each is a `vpc`.

    `text` is the field that holds the tags, `change_by` the method that sets fields and leaves out others.
    """

    path: str
    many: str
    one: str
    text: str = "label"
    change_by: str = "PATCH"
    is_paged: bool = True


class LabelledAssets(Assets):
    """Vultr takes no token, and no label is unique: a create first looks for the one made of the token, and one process
    makes one of a token at a time; between processes the journal's lease does it. Whether lists lag behind creates
    Vultr does not say: a caller that repeats after `outcome_unknown` waits some seconds.

    Who tags a thing while another does may lose the other's tags: Vultr sets the whole text at once.
    """

    is_global = False
    place: Place

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    @abstractmethod
    async def order(self, region: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
        """The body of a create, without its text."""

    @abstractmethod
    def asset_of(self, document: Document) -> Asset:
        """What Vultr answers, as ours. May raise what a document that lacks something raises."""

    def update(self, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002
        """What is sent to make one configuration the other; empty when there is nothing to change."""
        return {}

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        place, operation = self.place, f"{self.place.many}.create"
        label = label_of(name_of(spec.token), spec.tags, spec.token, operation=operation)
        async with self._client.one_create_of(f"{place.many} {region} {spec.token}"):
            known = await self._named(region, spec.token)
            if known is None:
                body = {**await self.order(region, spec.configuration), place.text: label}
                answer = await self._client.request(
                    operation, "POST", place.path, region=region, document=body, wants=(place.one,)
                )
                known = answer[place.one]
        return self._read(known)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        found = await self._named(region, token)
        return None if found is None else self._read(found)

    async def get(self, region: str, asset_id: str) -> Asset:
        return self._read(await self._document(region, asset_id))

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """Vultr lists those of all regions together: a page has those of the region, which is asked first."""
        if not self.is_global:
            await ask_region(self._client, region)
        async for page in self._pages(region, page_size):
            yield [self._read(each) for each in page]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        known = self._read(await self._document(region, asset_id))
        body = self.update(known.configuration, configuration)
        if body:
            await self.set_fields(region, asset_id, body)

    async def delete(self, region: str, asset_id: str) -> None:
        """The region is not asked: ids are unique in all of them."""
        if not UUID.fullmatch(asset_id):
            return
        path = f"{self.place.path}/{asset_id}"
        try:
            await self._client.request(f"{self.place.many}.delete", "DELETE", path, region=region)
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        before = (await self._document(region, asset_id)).get(self.place.text)
        label = relabelled(before, tags, operation=f"{self.place.many}.update")
        if label != before:
            await self.set_fields(region, asset_id, {self.place.text: label})

    async def set_fields(self, region: str, asset_id: str, body: Mapping[str, Any]) -> None:
        path, operation = f"{self.place.path}/{asset_id}", f"{self.place.many}.update"
        await self._client.request(operation, self.place.change_by, path, region=region, document=body)

    async def _named(self, region: str, token: str) -> Document | None:
        found = [
            each
            async for page in self._pages(region, PAGE_MAX)
            for each in page
            if is_named(each.get(self.place.text), name_of(token))
        ]
        return min(found, key=lambda each: (str(each.get("date_created")), str(each.get("id"))), default=None)

    async def _pages(self, region: str, page_size: int) -> AsyncIterator[list[Document]]:
        place = self.place
        if place.is_paged:
            pages = pages_of(self._client, place.many, place.path, region=region, page_size=page_size)
            async for page in pages:
                yield [each for each in page if self._is_in(each, region)]
            return
        whole = self.spread(await whole_list_of(self._client, place.many, place.path, region=region))
        here, size = [each for each in whole if self._is_in(each, region)], max(1, page_size)
        for first in range(0, len(here), size):
            yield here[first : first + size]

    def spread(self, documents: list[Document]) -> list[Document]:
        """The things of a whole list, where it has some of them within others."""
        return documents

    async def _document(self, region: str, asset_id: str) -> Document:
        place, operation = self.place, f"{self.place.many}.get"
        if UUID.fullmatch(asset_id):
            path = f"{place.path}/{asset_id}"
            answer = await self._client.request(operation, "GET", path, region=region, wants=(place.one,))
            document: Document = answer[place.one]
            if self._is_in(document, region):
                return document
        raise not_found(f"{place.one} {asset_id[:100]} in {region}", provider=PROVIDER, operation=operation)

    def _is_in(self, document: Document, region: str) -> bool:
        return region == GLOBAL_REGION if self.is_global else region_of(document) == region

    def _read(self, document: Document) -> Asset:
        with self._client.reading(f"{self.place.many}.get"):
            return self.asset_of(document)


def region_of(document: Document) -> str:
    """Databases have theirs in upper case."""
    return str(document.get("region")).lower()
