"""What do the kinds of assets share at DigitalOcean: one list for all regions, ids that no two accounts have?"""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import ClassVar
from urllib.parse import quote

from shared.clouds.assets import Asset, Assets, AssetSpec
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import PAGE_MAX, Document, pages_of
from shared.clouds.errors import Conflict, FieldProblem, InvalidRequest, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found
from shared.clouds.libcloud.tokens import check_token, name_of

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class DigitalOceanAssets(Assets):
    """The things of one kind, below `path`; an answer has one under `name`, a list under `names`.

    DigitalOcean takes no token. A create looks for it among all things of the kind first, and gives a name made of it:
    where names are unique, that keeps two processes from making two.
    """

    path: ClassVar[str]
    name: ClassVar[str]
    names: ClassVar[str]
    key: ClassVar[str] = "id"
    """The field that tells them apart in a list, and is an asset's id."""
    id_pattern: ClassVar[re.Pattern[str]] = re.compile(UUID)
    fields: ClassVar[Mapping[str, str]] = {}
    """What this kind's configuration calls a field that an error names as a droplet's does."""
    is_global = False

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    @abstractmethod
    def read(self, document: Document) -> Asset:
        """What DigitalOcean says of one; raises whatever a wrong answer leads to."""

    @abstractmethod
    async def make(self, region: str, spec: AssetSpec) -> Asset:
        """Make it, although nothing carries its token yet. `Conflict` for a name that is taken."""

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        check_token(spec.token, provider=PROVIDER, operation=f"{self.names}.create")
        async with self._client.one_create_of(f"{self.names} {region} {spec.token}"):
            known = await self.find_by_token(region, spec.token)
            if known is None:
                try:
                    return await self.make(region, spec)
                except InvalidRequest as error:
                    raise self.renamed(error) from None
                except Conflict:  # another process was faster, or somebody else has the name
                    known = await self.find_by_token(region, spec.token)
                    if known is None:
                        raise
            return await self.completed(region, known, spec)

    async def completed(self, region: str, known: Asset, spec: AssetSpec) -> Asset:  # noqa: ARG002
        """What an earlier create of the token made, with all that belongs to it."""
        return known

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        async for page in self.pages(region, page_size=PAGE_MAX):
            for each in page:
                found = self.carries(each, token)
                if found is not None:
                    return found
        return None

    def carries(self, asset: Asset, token: str) -> Asset | None:
        """The asset if it was made with the token: by its tag, or by the name that only we give."""
        return asset if asset.token == token or asset.name == name_of(token) else None

    async def get(self, region: str, asset_id: str) -> Asset:
        return await self.whole(await self.document(region, asset_id))

    async def whole(self, document: Document) -> Asset:
        """The asset, with what else has to be asked; `NotFound` when it went meanwhile."""
        return self.told(document)

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """DigitalOcean lists all regions together, at most 200 a page: a page here has those of the region."""
        pages = pages_of(self._client, self.names, self.path, region=region, page_size=page_size, key=self.key)
        async for page in pages:
            found = await asyncio.gather(*(self._whole_if_there(each) for each in page))
            yield [each for each in found if each is not None and each.region == region]

    async def _whole_if_there(self, document: Document) -> Asset | None:
        try:
            return await self.whole(document)
        except NotFound:
            return None

    async def document(self, region: str, asset_id: str) -> Document:
        """The thing as DigitalOcean has it, which must be of the region."""
        operation = f"{self.names}.get"
        if self.id_pattern.fullmatch(asset_id):
            answer = await self.ask("get", "GET", region, asset_id, wants=(self.name,))
            document: Document = answer[self.name]
            if self.told(document).region == region:
                return document
        raise not_found(f"{self.name} {asset_id[:100]} in {region}", provider=PROVIDER, operation=operation)

    async def remove(self, region: str, asset_id: str) -> None:
        """Idempotent."""
        if not self.id_pattern.fullmatch(asset_id):
            return
        try:
            await self.ask("delete", "DELETE", region, asset_id)
        except NotFound:
            return

    async def ask(
        self,
        verb: str,
        method: str,
        region: str,
        below: str = "",
        *,
        body: Document | None = None,
        wants: tuple[str, ...] = (),
    ) -> Document:
        """A call of this kind: `below` is the rest of the path."""
        path = f"{self.path}/{quote(below)}" if below else self.path
        operation = f"{self.names}.{verb}"
        return await self._client.request(operation, method, path, region=region, document=body, wants=wants)

    def renamed(self, error: InvalidRequest) -> InvalidRequest:
        """The error with the fields that this kind has."""
        problems = tuple(FieldProblem(self.fields.get(each.field, each.field), each.detail) for each in error.problems)
        return type(error)(error.code, error.message, provider=PROVIDER, operation=error.operation, problems=problems)

    def told(self, document: Document) -> Asset:
        with self._client.reading(f"{self.names}.get"):
            return self.read(document)
