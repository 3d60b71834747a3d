"""What do all kinds of assets share at Linode: a label made of the token, a number, tags set all at once?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from shared.clouds.assets import GLOBAL_REGION, Asset, Assets, AssetSpec
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found, tags_not_kept
from shared.clouds.libcloud.tags import from_words, replaced_by
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.linode.labels import label_of, token_of
from shared.clouds.linode.lists import PAGE_MAX, Document, page_of, pages_of
from shared.clouds.linode.tags import TAGS
from shared.clouds.models import TOKEN_TAG


class LinodeAssets(Assets):
    """The things of one kind. Linode takes no token, but a label is unique among the things of its kind in an account:
    made of the token it makes a create repeatable, between processes too. Its numbers are unique in all regions.
    """

    is_global = False
    path: ClassVar[str]
    noun: ClassVar[str]
    """What a call is named by: `vpcs` of `vpcs.create`."""

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    @abstractmethod
    async def body(self, region: str, spec: AssetSpec, words: list[str]) -> dict[str, Any]:
        """What a create sends."""

    @abstractmethod
    async def whole(self, document: Document) -> Asset:
        """The asset that an answer is about, with what else has to be asked."""

    def words(self, document: Document) -> list[str]:
        """Its tags as Linode keeps them."""
        with self._client.reading(f"{self.noun}.get"):
            return [str(each) for each in document["tags"]]

    def tagging(self, document: Document, words: list[str]) -> dict[str, Any]:  # noqa: ARG002 - for those without tags
        """What an update sends to give it these tags."""
        return {"tags": words}

    def label(self, token: str) -> str:
        return name_of(token)

    def naming(self, region: str, token: str) -> dict[str, object]:
        """The filter that lets through what was made under a token."""
        return {"label": self.label(token), "region": region}

    def collection(self, configuration: Mapping[str, Any]) -> str:  # noqa: ARG002 - for those that have several
        """Where such a thing is made."""
        return self.path

    def address(self, asset_id: str) -> str | None:
        """The path of one; None for what is no id of this kind."""
        return f"{self.path}/{asset_id}" if asset_id.isdecimal() else None

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        operation = f"{self.noun}.create"
        words = TAGS.to_words(spec.tags, spec.token, operation=operation)
        async with self._client.one_create_of(f"{self.noun} {spec.token}"):
            made = await self.find(region, spec.token)
            if made is None:
                body, path = await self.body(region, spec, words), self.collection(spec.configuration)
                try:
                    made = await self._client.request(operation, "POST", path, region=region, document=body)
                except Conflict:
                    made = await self.find(region, spec.token)
                    if made is None:
                        raise
            await self.complete(region, made, spec.configuration)
        return await self.whole(made)

    async def complete(self, region: str, document: Document, configuration: Mapping[str, Any]) -> None:
        """Add what the create could not send at once, where it is missing."""

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        found = await self.find(region, token)
        return None if found is None else await self.whole(found)

    async def find(self, region: str, token: str) -> Document | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        page = await page_of(
            self._client, f"{self.noun}.list", self.path, region=region, filters=self.naming(region, token)
        )
        return next((each for each in page.things if self.tags(each).get(TOKEN_TAG) == token), None)

    async def get(self, region: str, asset_id: str) -> Asset:
        return await self.whole(await self.document(region, asset_id, f"{self.noun}.get"))

    async def document(self, region: str, asset_id: str, operation: str) -> Document:
        """What Linode answers of it. `NotFound`, also when it is in another region."""
        path = self.address(asset_id)
        if path is not None:
            found = await self._client.request(f"{self.noun}.get", "GET", path, region=region)
            if self.is_global or found.get("region") == region:
                return found
        raise not_found(f"{self.resource_subtype} {asset_id[:100]} in {region}", provider=PROVIDER, operation=operation)

    async def pages(self, region: str, *, page_size: int = PAGE_MAX) -> AsyncIterator[list[Asset]]:
        filters = None if region == GLOBAL_REGION else {"region": region}
        pages = pages_of(
            self._client, f"{self.noun}.list", self.path, region=region, page_size=page_size, filters=filters
        )
        async for page in pages:
            yield [found for each in page if (found := await self.whole_if_any(each)) is not None]

    async def whole_if_any(self, document: Document) -> Asset | None:
        """None for what went between the list and a question about it."""
        try:
            return await self.whole(document)
        except NotFound:
            return None

    async def delete(self, region: str, asset_id: str) -> None:
        path = self.address(asset_id)
        if path is None:
            return
        try:
            await self._client.request(f"{self.noun}.delete", "DELETE", path, region=region)
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        """Linode sets all tags at once: what another sets between our read and our write is lost."""
        operation = f"{self.noun}.update"
        TAGS.check(tags, operation=operation)
        document = await self.document(region, asset_id, operation)
        before = self.words(document)
        wanted = [word for key, value in tags.items() for word in TAGS.words_of(key, value)]
        gone = replaced_by(before, tags, wanted)
        after = list(dict.fromkeys([*(each for each in before if each not in gone), *wanted]))
        await self.update(region, asset_id, self.tagging(document, after))

    async def update(self, region: str, asset_id: str, body: Mapping[str, Any]) -> None:
        """Of one that was read before."""
        path = self.address(asset_id) or self.path
        await self._client.request(f"{self.noun}.update", "PUT", path, region=region, document=body)

    def tags(self, document: Document) -> dict[str, str]:
        return from_words(self.words(document))


class LinodeTagless(LinodeAssets):
    """The things of a kind that holds no text but its label. The label says the token (`labels.py`); a create's tags
    are kept by our inventory alone, and `tag` refuses them.
    """

    def label(self, token: str) -> str:
        return label_of(token)

    def tags(self, document: Document) -> dict[str, str]:
        token = token_of(str(document["label"]))
        return {} if token is None else {TOKEN_TAG: token}

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        return _known_by(await super().create(region, spec), spec.token)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        found = await super().find_by_token(region, token)
        return None if found is None else _known_by(found, token)

    async def find(self, region: str, token: str) -> Document | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        filters = self.naming(region, token)
        page = await page_of(self._client, f"{self.noun}.list", self.path, region=region, filters=filters)
        return next((each for each in page.things if each["label"] == self.label(token)), None)

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:  # noqa: ARG002 - whichever
        operation = f"{self.noun}.update"
        await self.document(region, asset_id, operation)
        why = "it holds no text but its label"
        raise tags_not_kept(self.resource_subtype, why, provider=PROVIDER, operation=operation)


def _known_by(asset: Asset, token: str) -> Asset:
    return replace(asset, tags={TOKEN_TAG: token})


def created_at(document: Document) -> datetime:
    """Linode's times are UTC, and do not say so."""
    return datetime.fromisoformat(str(document["created"])).replace(tzinfo=UTC)
