"""How are databases of Azure SQL made, read, changed and removed?

A database stands on a server, which is a host name and its walls and costs nothing: each of ours has one of its own,
made before it and removed with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.azure import names, sql_facts
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.assets import AzureAssets
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.ground import until_seen
from shared.clouds.azure.sql_facts import RULE, OnServer
from shared.clouds.errors import CloudError, NotFound, StillWorking

_CREATE = "databases.create_or_update"
_CLOSED, _OPEN = "Disabled", "Enabled"


class AzureDatabases(AzureAssets):
    """Azure SQL stops no database of this kind (a serverless one pauses by itself), so neither do we."""

    resource_type, resource_subtype, kind = "database", "sql_database", names.SQL_DATABASE

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """Server, then its wall, then the database: each is there before the next is asked for. A server takes Azure a
        minute or more; a repeat goes on where this one ended.
        """
        tags = azure_tags.marked(spec.tags, spec.token, operation=_CREATE)
        server = names.Place(names.group_of(region), self.name_for(spec.token))
        place = names.Place(server.group, server.name, spec.configuration["database_name"])
        known = await self._known_on(region, server, spec.token)
        if known is not None:
            return known
        await self._ground.group(region)
        await self._server(region, server, spec)
        await self._wall(region, server, None, spec.configuration["subnet_id"])
        try:
            with suppress(StillWorking):  # another create of this token
                await self._client.call(
                    "sql", "databases.begin_create_or_update", *_path(place),
                    sql_facts.database_body(region, tags, spec.configuration), region=region,
                )  # fmt: skip
        except CloudError as error:
            if not error.retryable and not error.outcome_unknown:
                await self._drop_server(region, server)
            raise

        async def visible() -> Asset | None:
            return await self.known(region, place, spec.token)

        return await until_seen(visible, place.name)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        return await self._known_on(region, names.Place(names.group_of(region), self.name_for(token)), token)

    def place_of(self, asset_id: str) -> names.Place:
        return names.child_of(asset_id, names.SQL_DATABASE)

    async def look(self, region: str, place: names.Place) -> Asset:
        server = await self._client.call("sql", "servers.get", place.group, place.name, region=region)
        database = await self._client.call("sql", "databases.get", *_path(place), region=region)
        return sql_facts.database_of(database, await self._around(region, server, [database]))

    async def listed(self, region: str) -> AsyncIterator[list[Asset]]:
        """Azure lists databases by server only; a subscription has 250 servers a region, unless raised."""
        await self.all_of("sql", "subscription_usages.list_by_location", region, region=region)
        async for page in self._client.pages("sql", "servers.list"):
            for server in page:
                if server["location"] == region:
                    with suppress(NotFound):  # it went since it was listed
                        yield await self._on(region, server)

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        now = await self.get(region, asset_id)
        place = self.place_of(asset_id)
        body = sql_facts.change_body(now.configuration, configuration)
        if body and now.state is AssetState.CHANGING:
            raise StillWorking(
                "UpdateSloInProgress",
                f"{place.child} is being changed",
                provider=PROVIDER,
                operation="databases.update",
            )
        if body:
            await self._client.call("sql", "databases.begin_update", *_path(place), body, region=region)
        await self._wall(region, place, now.configuration["subnet_id"], configuration["subnet_id"])

    async def delete(self, region: str, asset_id: str) -> None:
        """A server of ours goes with its last database; another's stays, and so does one that others came to use."""
        try:
            await self.get(region, asset_id)
            place = self.place_of(asset_id)
            server = await self._client.call("sql", "servers.get", place.group, place.name, region=region)
            others = [each for each in await self._databases(region, place) if not names.same(each["id"], asset_id)]
            if azure_tags.token_of(server.get("tags")) is not None and not others:
                await self._client.call("sql", "servers.begin_delete", place.group, place.name, region=region)
            else:
                await self._client.call("sql", "databases.begin_delete", *_path(place), region=region)
        except NotFound:
            return

    async def _known_on(self, region: str, server: names.Place, token: str) -> Asset | None:
        """The database of this token on the server of this token, whatever it is called."""
        try:
            raw = await self._client.call("sql", "servers.get", server.group, server.name, region=region)
            found = await self._on(region, raw)
        except NotFound:
            return None
        return next((each for each in found if each.token == token), None)

    async def _on(self, region: str, server: Mapping[str, Any]) -> list[Asset]:
        databases = await self._databases(region, names.place_of(server["id"], names.SQL_SERVER))
        around = await self._around(region, server, databases)
        return [sql_facts.database_of(each, around) for each in databases]

    async def _databases(self, region: str, server: names.Place) -> list[dict[str, Any]]:
        """Without `master`, which every server has."""
        found = await self.all_of("sql", "databases.list_by_server", server.group, server.name, region=region)
        return [each for each in found if each["name"] != "master"]

    async def _around(self, region: str, server: Mapping[str, Any], databases: list[dict[str, Any]]) -> OnServer:
        """What only the server tells of its databases; asked for only where it may tell something."""
        place, rules, links = names.place_of(server["id"], names.SQL_SERVER), [], []
        if server["properties"].get("publicNetworkAccess") != _CLOSED:
            rules = await self.all_of(
                "sql", "virtual_network_rules.list_by_server", place.group, place.name, region=region
            )
        if any(each["properties"].get("secondaryType") for each in databases):
            links = await self.all_of("sql", "replication_links.list_by_server", place.group, place.name, region=region)
        return OnServer(server, rules, links)

    async def _server(self, region: str, place: names.Place, spec: AssetSpec) -> None:
        """Our server, which is ready now."""

        async def look() -> dict[str, Any] | None:
            with suppress(NotFound):
                server: dict[str, Any] = await self._client.call(
                    "sql", "servers.get", place.group, place.name, region=region
                )
                self.taken(place.name, server.get("tags") or {}, spec.token)
                return server
            return None

        async def ready() -> dict[str, Any] | None:
            server = await look()
            return server if server is not None and server["properties"].get("state") == "Ready" else None

        if await look() is None:
            tags = azure_tags.marked(spec.tags, spec.token, operation="servers.create_or_update")
            body = sql_facts.server_body(region, tags, spec.configuration, self._client.client_id)
            with suppress(StillWorking):  # another create of this token
                await self._client.call(
                    "sql", "servers.begin_create_or_update", place.group, place.name, body, region=region
                )
        await until_seen(ready, place.name)

    async def _wall(self, region: str, place: names.Place, now: str | None, wanted: str | None) -> None:
        """Let the wanted subnet in and nobody else of ours; what others let in stays."""
        if now == wanted:
            return
        at = (place.group, place.name)
        if wanted is not None:
            rule = {"properties": {"virtualNetworkSubnetId": wanted, "ignoreMissingVnetServiceEndpoint": False}}
            await self._access(region, place, _OPEN)
            await self._client.call(
                "sql", "virtual_network_rules.begin_create_or_update", *at, RULE, rule, region=region
            )
            return
        with suppress(NotFound):
            await self._client.call("sql", "virtual_network_rules.begin_delete", *at, RULE, region=region)
        rules = await self.all_of("sql", "virtual_network_rules.list_by_server", *at, region=region)
        if not [each for each in rules if each["name"] != RULE]:
            await self._access(region, place, _CLOSED)

    async def _access(self, region: str, place: names.Place, access: str) -> None:
        body = {"properties": {"publicNetworkAccess": access}}
        await self._client.call("sql", "servers.begin_update", place.group, place.name, body, region=region)

    async def _drop_server(self, region: str, place: names.Place) -> None:
        """What was made for a database that Azure refused; what cannot be removed now is used by the next try."""
        with suppress(CloudError):
            if not await self._databases(region, place):
                await self._client.call("sql", "servers.begin_delete", place.group, place.name, region=region)


def _path(place: names.Place) -> tuple[str, str, str]:
    return place.group, place.name, place.child
