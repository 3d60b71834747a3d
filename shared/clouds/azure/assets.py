"""What do all kinds of assets share at Azure: ids that say where they are, names made of the token, tags, pages?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

from shared.clouds.assets import Asset, Assets, AssetState
from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.ground import AzureGround
from shared.clouds.errors import CloudError, Conflict, NotFound
from shared.clouds.models import TOKEN_TAG

STATES: Mapping[str, AssetState] = {
    "Accepted": AssetState.CREATING,
    "Creating": AssetState.CREATING,
    "ResolvingDNS": AssetState.CREATING,
    "Updating": AssetState.CHANGING,
    "Deleting": AssetState.DELETING,
    "Failed": AssetState.FAILED,
    "Canceled": AssetState.FAILED,
}
"""Azure's provisioning states; `Succeeded` is what the kind calls serving."""


class AzureAssets(Assets):
    """The things of one kind, which is a type of Resource Manager (`kind`).

    What is made gets a name of its token in our resource group of the region, so that a repeated create addresses the
    same thing; the token is among its tags, so that what only has that name by chance is told apart.
    """

    kind: ClassVar[str]
    is_global = False

    def __init__(self, client: AzureClient, ground: AzureGround) -> None:
        self._client = client
        self._ground = ground

    @abstractmethod
    async def look(self, region: str, place: names.Place) -> Asset:
        """The thing at its place, wherever that lies. `NotFound`."""

    @abstractmethod
    def listed(self, region: str) -> AsyncIterator[list[Asset]]:
        """All of the region in pages of Azure's size, after the region itself gave an answer.

        A list of the whole subscription leaves out what a lost region has, without a word.
        """

    def name_for(self, token: str) -> str:
        return names.name_of(token)

    def to_azure(self, tags: Mapping[str, str], *, operation: str) -> dict[str, str]:
        return azure_tags.to_azure(tags, operation=operation)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        return await self.known(region, names.Place(names.group_of(region), self.name_for(token)), token)

    async def known(self, region: str, place: names.Place, token: str) -> Asset | None:
        """The thing at this place if it carries the token."""
        try:
            found = await self.look(region, place)
        except NotFound:
            return None
        return found if found.token == token else None

    async def get(self, region: str, asset_id: str) -> Asset:
        return await self.of_region(region, asset_id, await self.look(region, self.place_of(asset_id)))

    async def of_region(self, region: str, asset_id: str, found: Asset) -> Asset:
        """`found`, which must be in the region and have this id (a name is one of a subscription's many)."""
        if found.region != region or not names.same(found.id, asset_id):
            raise self.not_found(asset_id, region)
        return found

    def place_of(self, asset_id: str) -> names.Place:
        return names.place_of(asset_id, self.kind)

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """Azure chooses the size of its pages; larger ones are cut."""
        async for found in self.listed(region):
            for start in range(0, len(found), page_size):
                yield found[start : start + page_size]

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        """Merged by Resource Manager itself: a PATCH of the thing would replace all its tags."""
        wanted = self.to_azure(tags, operation="tags.update_at_scope")
        await self.get(region, asset_id)
        body = {"operation": "Merge", "properties": {"tags": wanted}}
        await self._client.call(
            "resources", "tags.begin_update_at_scope", asset_id.removeprefix("/"), body, region=region
        )

    async def all_of(self, service: str, operation: str, *arguments: Any, region: str) -> list[dict[str, Any]]:
        """Every page of a list."""
        pages = self._client.pages(service, operation, *arguments, region=region)
        return [each async for page in pages for each in page]

    def not_found(self, asset_id: str, region: str) -> CloudError:
        return NotFound(
            "ResourceNotFound", f"There is no {asset_id[:300]} in {region}", provider=PROVIDER,
            operation=f"{self.resource_subtype}.get",
        )  # fmt: skip

    def taken(self, name: str, tags: Mapping[str, str], token: str) -> None:
        """Raises Conflict for what has our name and not our token."""
        if tags.get(TOKEN_TAG) != token:
            raise Conflict(
                "name_taken", f"{name} is there already and not of this create", provider=PROVIDER,
                operation=f"{self.resource_subtype}.create",
            )  # fmt: skip


def state_of(properties: Mapping[str, Any], serving: AssetState) -> AssetState:
    return STATES.get(str(properties.get("provisioningState", "")), serving)
