"""How are instances of Cloud SQL made, read, changed, stopped and removed?"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState, StopsAssets
from shared.clouds.errors import Conflict, IncorrectState, NotFound, ProviderFault, StillWorking
from shared.clouds.gcp import label_tags, sql_facts
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.assets import GcpAssets, Json, errors_of, not_found
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.errors import PROVIDER, from_operation

_CREATE, _PATCH = "instances.insert", "instances.patch"
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,96}[a-z0-9])?")
_PAGE_MAX = 1000


def random_password() -> str:
    """One that nobody guesses, with all kinds of characters that a password policy may ask for."""
    return f"{secrets.token_urlsafe(32)}-aA1"


class GcpDatabases(GcpAssets, StopsAssets):
    """Google keeps the name of a deleted instance for a week, so a token makes one database in that time."""

    resource_type, resource_subtype = "database", "cloud_sql_instance"

    def __init__(self, client: GcpClient, *, new_password: Callable[[], str] = random_password) -> None:
        super().__init__(client)
        self._new_password = new_password

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """Answered while Google makes it, which takes minutes. The administrator's password: see the configuration."""
        tags = gcp_tags.marked(spec.tags, spec.token, operation=_CREATE)
        name, password = gcp_tags.name_of(spec.token), self._new_password()
        labels = label_tags.to_labels(tags, operation=_CREATE)
        body = sql_facts.insertion(name, region, labels, spec.configuration, password)
        try:
            change = await self._sql(_CREATE, "POST", "", region, body=body, secrets=(password,))
        except Conflict:
            return await self.made(region, name, spec.token, _CREATE)
        errors = [(str(each["code"]), str(each.get("message", ""))) for each in errors_of(change)]
        if errors:
            raise from_operation(errors, operation=_CREATE)
        return await self.look(region, name)

    async def get(self, region: str, asset_id: str) -> Asset:
        return sql_facts.asset_of(await self._raw(region, asset_id, "instances.get"))

    async def look(self, region: str, name: str) -> Asset:
        return sql_facts.asset_of(await self._sql("instances.get", "GET", f"/{name}", region))

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """One list has all regions, and says of those that do not answer that they are missing."""
        path, size = f"/projects/{self._client.project}/instances", min(_PAGE_MAX, max(1, page_size))
        async for page in self._client.rest_pages(
            "sqladmin", "instances.list", path, region, maxResults=size, filter=f"region:{region}"
        ):
            for warning in page.get("warnings", []):
                if warning.get("region") in {None, "", region}:
                    raise ProviderFault(
                        str(warning.get("code")), f"Cloud SQL does not know what is in {region}", provider=PROVIDER,
                        operation="instances.list",
                    )  # fmt: skip
            found = [each for each in page.get("items", []) if each["region"] == region]
            yield [sql_facts.asset_of(each) for each in found]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        known = await self._raw(region, asset_id, _PATCH)
        body = sql_facts.changes(known, configuration)
        if body:
            await self._patch(region, known, body)

    async def start(self, region: str, asset_id: str) -> None:
        await self._turn(region, asset_id, sql_facts.RUNS)

    async def stop(self, region: str, asset_id: str) -> None:
        """Google stops neither a copy nor what has copies."""
        await self._turn(region, asset_id, sql_facts.STANDS)

    async def delete(self, region: str, asset_id: str) -> None:
        """Google keeps one that has copies."""
        try:
            known = await self._raw(region, asset_id, "instances.delete")
            if known.get("state") != "PENDING_DELETE":
                await self._sql("instances.delete", "DELETE", f"/{asset_id}", region)
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        gcp_tags.check(tags, operation=_PATCH)
        known = await self._raw(region, asset_id, _PATCH)
        labels = label_tags.changed(known["settings"].get("userLabels"), tags, operation=_PATCH)
        await self._patch(region, known, {"userLabels": labels})

    async def _turn(self, region: str, asset_id: str, policy: str) -> None:
        known = await self._raw(region, asset_id, _PATCH)
        state = sql_facts.asset_of(known).state
        if known["settings"].get("activationPolicy") == policy:
            return
        if state is AssetState.FAILED:
            raise IncorrectState("invalidState", f"{asset_id} has failed", provider=PROVIDER, operation=_PATCH)
        if state not in {AssetState.RUNNING, AssetState.STOPPED}:
            raise StillWorking("operationInProgress", f"{asset_id} is {state}", provider=PROVIDER, operation=_PATCH)
        await self._patch(region, known, {"activationPolicy": policy})

    async def _patch(self, region: str, known: Json, settings: Json) -> None:
        """Against the version that was read: what two write at once would be mixed."""
        body = {"settings": {**settings, "settingsVersion": known["settings"]["settingsVersion"]}}
        await self._sql(_PATCH, "PATCH", f"/{known['name']}", region, body=body)

    async def _raw(self, region: str, asset_id: str, operation: str) -> Json:
        """The instance, which must be in the region."""
        if not _NAME.fullmatch(asset_id):
            raise not_found(asset_id[:100], region, operation)
        found = await self._sql("instances.get", "GET", f"/{asset_id}", region)
        if found["region"] != region:
            raise not_found(asset_id, region, operation)
        return found

    async def _sql(
        self, operation: str, http_method: str, path: str, region: str, *, body: Json | None = None,
        secrets: tuple[str, ...] = (),
    ) -> dict[str, Any]:  # fmt: skip
        whole = f"/projects/{self._client.project}/instances{path}"
        return await self._client.rest("sqladmin", operation, http_method, whole, region, body=body, secrets=secrets)
