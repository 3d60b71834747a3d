"""How is a Front Door made, read, changed, switched off and on, and removed, with its endpoint, origin and route?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState, StopsAssets
from shared.clouds.azure import front_door_facts as facts
from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.assets import AzureAssets, state_of
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.front_door_facts import Json, Part, Whole
from shared.clouds.azure.ground import AzureGround, until_seen
from shared.clouds.azure.origin_access import AzureOriginAccess
from shared.clouds.errors import CloudError, Conflict, IncorrectState, NotFound, ProviderFault, StillWorking

_CREATE = "profiles.create"
_VERSION = "2026-10-01"
_CHANGEABLE = ("cache", "domains", "origin_path")
_UNDER_WAY = (AssetState.CREATING, AssetState.CHANGING, AssetState.DELETING)


class AzureFrontDoors(AzureAssets, StopsAssets):
    """A profile of Microsoft.Cdn with one endpoint, which has its name, and one route to one origin.

    Somebody else's profile of Front Door is shown with the first of each; those of the CDN before it
    (Standard_Microsoft and other networks') are not. What is below a profile goes with it.
    """

    resource_type, resource_subtype, kind = "cdn", "front_door", names.FRONT_DOOR
    is_global = True

    def __init__(self, client: AzureClient, ground: AzureGround) -> None:
        super().__init__(client, ground)
        self._access = AzureOriginAccess(client)

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """The profile, then what is below it. One that has its route is whole: a repeat lets it be."""
        tags = azure_tags.marked(spec.tags, spec.token, operation=_CREATE)
        place = names.Place(names.group_of(region), self.name_for(spec.token))
        profile_id, account = self._id(place), spec.configuration["storage_account_id"]
        host = spec.configuration["origin"] if account is None else await self._access.host_of(account)
        await self._ground.group(region)
        body = facts.profile_body(tags, is_before_account=account is not None)
        profile = await self._put(profile_id, Part("profiles", "", body))
        self.taken(place.name, profile.get("tags") or {}, spec.token)
        if await self._if_any("routes.get", f"{profile_id}/{facts.route_path(place.name)}") is None:
            try:
                await self._build(profile, profile_id, spec.configuration, host)
            except CloudError as error:
                if not error.retryable and not error.outcome_unknown:
                    with suppress(CloudError):  # what cannot be taken back now is used by the next try
                        await self.delete(region, profile_id)
                raise
        return await self.look(region, place)

    async def look(self, region: str, place: names.Place) -> Asset:
        return facts.asset_of(await self._whole_at(region, place))

    async def listed(self, region: str) -> AsyncIterator[list[Asset]]:  # noqa: ARG002 - they belong to none
        """Up to four calls more for each: its endpoint, route, origin and domains."""
        path = f"/subscriptions/{self._client.subscription_id}/providers/{names.FRONT_DOOR}"
        async for page in self._pages("profiles.list", path):
            found = await asyncio.gather(*(self._whole_if_any(each) for each in page if _is_front_door(each)))
            yield [facts.asset_of(each) for each in found if each is not None]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """New domains are made before the route names them, and old ones go when it does not any more."""
        whole = await self._whole_at(region, self.place_of(asset_id))
        profile_id, now = names.canonical(whole.profile["id"]), facts.asset_of(whole).configuration
        if whole.route is None:
            raise _incomplete(asset_id, "routes.create")
        if all(now[name] == configuration[name] for name in _CHANGEABLE):
            return
        known = {str(each["properties"]["hostName"]): str(each["id"]) for each in whole.domains}
        for domain in configuration["domains"]:
            if domain not in known:
                known[domain] = str((await self._put(profile_id, facts.domain_part(domain)))["id"])
        wanted = facts.routed_as(whole.route, configuration, [known[each] for each in configuration["domains"]])
        route_id = names.canonical(whole.route["id"])
        await self._client.rest("cdn", "routes.create", "PUT", route_id, _VERSION, {"properties": wanted})
        gone = [known[each] for each in now["domains"] if each not in configuration["domains"]]
        if gone:
            await self._settled("routes.get", route_id)
            for each in gone:
                with suppress(NotFound, Conflict):  # another route may have it too
                    await self._client.rest("cdn", "afd_custom_domains.delete", "DELETE", each, _VERSION)

    async def start(self, region: str, asset_id: str) -> None:
        await self._enable(region, asset_id, "Enabled")

    async def stop(self, region: str, asset_id: str) -> None:
        await self._enable(region, asset_id, "Disabled")

    async def delete(self, region: str, asset_id: str) -> None:
        """The role that it has on a storage account first: without the identity nobody could tell whose it was."""
        try:
            whole = await self._whole_at(region, self.place_of(asset_id))
            profile_id = names.canonical(whole.profile["id"])
            if state_of(whole.profile["properties"], AssetState.AVAILABLE) is not AssetState.DELETING:
                path = f"{profile_id}/{facts.ORIGIN_PATH}"
                account = facts.account_of(whole.origin or await self._if_any("afd_origins.get", path))
                if account is not None:
                    await self._access.forget(account, profile_id)
                await self._client.rest("cdn", "profiles.delete", "DELETE", profile_id, _VERSION)
        except NotFound:
            return

    async def _build(self, profile: Json, profile_id: str, given: Json, host: str) -> None:
        """The role comes after the origin, by which its removal finds the account."""
        for part in facts.parts(profile_id, given, host):
            await self._put(profile_id, part)
            if part.path == facts.ORIGIN_PATH and given["storage_account_id"] is not None:
                principal = (profile.get("identity") or {}).get("principalId")
                await self._access.let_read(given["storage_account_id"], profile_id, principal)

    async def _put(self, profile_id: str, part: Part) -> dict[str, Any]:
        """What is there stays as it is. The next part stands on it, so it is waited for; then `StillWorking`."""
        path = f"{profile_id}/{part.path}".rstrip("/")
        known = await self._if_any(f"{part.api}.get", path)
        if known is None or _state(known) is AssetState.FAILED:
            try:
                known = await self._client.rest("cdn", f"{part.api}.create", "PUT", path, _VERSION, part.body)
            except (Conflict, StillWorking):  # another create of this token
                known = await self._if_any(f"{part.api}.get", path)
                if known is None:
                    raise
        if known and _state(known) not in _UNDER_WAY:
            return self._sound(known, path)
        return await self._settled(f"{part.api}.get", path)

    async def _settled(self, operation: str, path: str) -> dict[str, Any]:
        async def ready() -> dict[str, Any] | None:
            found = await self._if_any(operation, path)
            return None if found is None or _state(found) in _UNDER_WAY else found

        return self._sound(await until_seen(ready, path.rpartition("/")[2]), path)

    def _sound(self, found: dict[str, Any], path: str) -> dict[str, Any]:
        if _state(found) is AssetState.FAILED:
            name = path.rpartition("/")[2]
            raise ProviderFault("ProvisioningFailed", f"Azure failed to make {name}", provider=PROVIDER,
                                operation=_CREATE)  # fmt: skip
        return found

    async def _enable(self, region: str, asset_id: str, state: str) -> None:
        whole = await self._whole_at(region, self.place_of(asset_id))
        if whole.endpoint is None:
            raise _incomplete(asset_id, "afd_endpoints.update")
        if whole.endpoint["properties"].get("enabledState") != state:
            body = {"properties": {"enabledState": state}}
            path = names.canonical(whole.endpoint["id"])
            await self._client.rest("cdn", "afd_endpoints.update", "PATCH", path, _VERSION, body)

    async def _whole_at(self, region: str, place: names.Place) -> Whole:
        profile = await self._client.rest("cdn", "profiles.get", "GET", self._id(place), _VERSION)
        if not _is_front_door(profile):
            raise self.not_found(self._id(place), region)
        return await self._whole(profile)

    async def _whole_if_any(self, profile: Json) -> Whole | None:
        try:
            return await self._whole(profile)
        except NotFound:  # it went since it was listed
            return None

    async def _whole(self, profile: Json) -> Whole:
        profile_id = names.canonical(profile["id"])
        endpoint = await self._first("afd_endpoints.list_by_profile", f"{profile_id}/afdEndpoints")
        if endpoint is None:
            return Whole(profile, None, None, None, ())
        route = await self._first("routes.list_by_endpoint", f"{names.canonical(endpoint['id'])}/routes")
        properties = {} if route is None else route["properties"]
        group, wanted = (
            properties.get("originGroup"),
            {each["id"].lower() for each in properties.get("customDomains") or []},
        )
        origin = (
            None
            if not group
            else await self._first("afd_origins.list_by_origin_group", f"{names.canonical(group['id'])}/origins")
        )
        pages = self._pages("afd_custom_domains.list_by_profile", f"{profile_id}/customDomains") if wanted else None
        known = [] if pages is None else [each async for page in pages for each in page]
        return Whole(profile, endpoint, route, origin, [each for each in known if each["id"].lower() in wanted])

    async def _first(self, operation: str, path: str) -> dict[str, Any] | None:
        async for page in self._pages(operation, path):
            for each in page:
                return each
        return None

    def _pages(self, operation: str, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        return self._client.documents("cdn", operation, path, **{"api-version": _VERSION})

    async def _if_any(self, operation: str, path: str) -> dict[str, Any] | None:
        try:
            return await self._client.rest("cdn", operation, "GET", path, _VERSION)
        except NotFound:
            return None

    def _id(self, place: names.Place) -> str:
        group = f"/subscriptions/{self._client.subscription_id}/resourceGroups/{place.group}"
        return f"{group}/providers/{names.FRONT_DOOR}/{place.name}"


def _is_front_door(profile: Json) -> bool:
    return (profile.get("sku") or {}).get("name") in facts.SKUS


def _state(thing: Json) -> AssetState:
    return state_of(thing.get("properties") or {}, AssetState.AVAILABLE)


def _incomplete(asset_id: str, operation: str) -> IncorrectState:
    return IncorrectState("Incomplete", f"{asset_id[-100:]} has no route yet", provider=PROVIDER, operation=operation)
