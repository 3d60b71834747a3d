"""How are storage accounts, Azure's buckets, made, read, changed and removed?

An account has no objects of its own: they are in its containers. What protects them (versions, soft delete) belongs to
the account's blob service, a second resource that is there when the account is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from shared.clouds.assets import Asset, AssetLink, AssetSpec, AssetState
from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.assets import AzureAssets, state_of
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.ground import until_seen
from shared.clouds.errors import Conflict, InvalidRequest, NotFound, StillWorking

_CREATE = "storage_accounts.create"
_FOR_BLOBS = ("StorageV2", "Storage", "BlobStorage", "BlockBlobStorage")
"""Accounts of other kinds (files only) have no blob service."""
_CONTENTS = {
    "containers": "blob_containers.list",
    "file shares": "file_shares.list",
    "queues": "queue.list",
    "tables": "table.list",
}
_NO_SUCH_SERVICE = "FeatureNotSupportedForAccount"
"""What an account for blobs alone says of queues."""


class AzureBuckets(AzureAssets):
    """Azure would remove an account with all that is in it, and lists no objects to a manager of resources: so one is
    removed only when it has no container, file share, queue or table.
    """

    resource_type, resource_subtype, kind = "storage", "storage_account", names.STORAGE_ACCOUNT

    def name_for(self, token: str) -> str:
        return names.account_name_of(token)

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """The account, then its blob service, which Azure takes when the account is provisioned: some 20 s."""
        tags = azure_tags.marked(spec.tags, spec.token, operation=_CREATE)
        configuration = spec.configuration
        place = names.Place(names.group_of(region), configuration["account_name"] or self.name_for(spec.token))
        known = await self._raw_if_any(region, place)
        if known is None:
            await self._ground.group(region)
            with suppress(StillWorking):  # another create of this token
                await self._client.call(
                    "storage", "storage_accounts.begin_create", place.group, place.name,
                    _body(region, tags, configuration), region=region,
                )  # fmt: skip
        else:
            self.taken(place.name, known.get("tags") or {}, spec.token)

        async def ready() -> dict[str, Any] | None:
            account = await self._raw_if_any(region, place)
            is_ready = account is not None and state_of(account["properties"], AssetState.AVAILABLE) in _SETTLED
            return account if is_ready else None

        account = await until_seen(ready, place.name)
        self.taken(place.name, account.get("tags") or {}, spec.token)
        return _asset(account, await self._protect(region, place, configuration))

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        """An account may have a name of the client's own: then only the list of our resource group knows the token."""
        known = await super().find_by_token(region, token)
        if known is not None:
            return known
        try:
            accounts = await self.all_of(
                "storage", "storage_accounts.list_by_resource_group", names.group_of(region), region=region
            )
        except NotFound:  # there is no such group
            return None
        for each in accounts:
            if azure_tags.token_of(each.get("tags")) == token:
                return await self._whole(region, each)
        return None

    async def look(self, region: str, place: names.Place) -> Asset:
        account = await self._client.call(
            "storage", "storage_accounts.get_properties", place.group, place.name, region=region
        )
        return await self._whole(region, account)

    async def listed(self, region: str) -> AsyncIterator[list[Asset]]:
        """One call more for each account's blob service; a subscription has 250 accounts a region, unless raised."""
        await self.all_of("storage", "usages.list_by_location", region, region=region)
        async for page in self._client.pages("storage", "storage_accounts.list"):
            here = [each for each in page if each["location"] == region]
            found = await asyncio.gather(*(self._whole_if_any(region, each) for each in here))
            yield [each for each in found if each is not None]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        place = self.place_of(asset_id)
        known = await self.get(region, asset_id)
        walls = {}
        if known.configuration["subnet_ids"] != configuration["subnet_ids"]:
            account = await self._raw_if_any(region, place) or {"properties": {}}
            walls = {"networkAcls": _walls(configuration, account["properties"].get("networkAcls") or {})}
        body = {"properties": {**_changeable(configuration), **walls}}
        await self._client.call("storage", "storage_accounts.update", place.group, place.name, body, region=region)
        await self._protect(region, place, configuration)

    async def delete(self, region: str, asset_id: str) -> None:
        try:
            await self.get(region, asset_id)
            place = self.place_of(asset_id)
            await self._check_empty(region, place)
            await self._client.call("storage", "storage_accounts.delete", place.group, place.name, region=region)
        except NotFound:
            return

    async def _check_empty(self, region: str, place: names.Place) -> None:
        for what, operation in _CONTENTS.items():
            try:
                found = await self.all_of("storage", operation, place.group, place.name, region=region)
            except (Conflict, InvalidRequest) as error:
                if error.code != _NO_SUCH_SERVICE:
                    raise
                continue
            if found:
                raise Conflict(
                    "StorageAccountNotEmpty", f"{place.name} has {len(found)} {what}", provider=PROVIDER,
                    operation="storage_accounts.delete",
                )  # fmt: skip

    async def _protect(self, region: str, place: names.Place, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
        """Read, then put: a PUT alone would take from the blob service what it does not name."""
        days = configuration["soft_delete_days"]
        policy = {"enabled": True, "days": days} if days else {"enabled": False}
        service = await self._client.call(
            "storage", "blob_services.get_service_properties", place.group, place.name, region=region
        )
        wanted = {
            "isVersioningEnabled": configuration["versioning"],
            "deleteRetentionPolicy": policy,
            "containerDeleteRetentionPolicy": policy,
        }
        body = {"properties": {**(service.get("properties") or {}), **wanted}}
        answer: dict[str, Any] = await self._client.call(
            "storage", "blob_services.set_service_properties", place.group, place.name, body, region=region
        )
        return answer

    async def _whole_if_any(self, region: str, account: Mapping[str, Any]) -> Asset | None:
        try:
            return await self._whole(region, account)
        except NotFound:  # it went since it was listed
            return None

    async def _whole(self, region: str, account: Mapping[str, Any]) -> Asset:
        """With what its blob service says, once there is one."""
        is_there = state_of(account["properties"], AssetState.AVAILABLE) is AssetState.AVAILABLE
        if not is_there or account["location"] != region or account.get("kind") not in _FOR_BLOBS:
            return _asset(account, {})
        place = self.place_of(account["id"])
        service = await self._client.call(
            "storage", "blob_services.get_service_properties", place.group, place.name, region=region
        )
        return _asset(account, service)

    async def _raw_if_any(self, region: str, place: names.Place) -> dict[str, Any] | None:
        try:
            account: dict[str, Any] = await self._client.call(
                "storage", "storage_accounts.get_properties", place.group, place.name, region=region
            )
        except NotFound:
            return None
        return account


_SETTLED = (AssetState.AVAILABLE, AssetState.FAILED)


def _body(region: str, tags: Mapping[str, str], configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "location": region,
        "kind": "StorageV2",
        "sku": {"name": f"Standard_{configuration['replication']}"},
        "tags": dict(tags),
        "properties": {
            "supportsHttpsTrafficOnly": True,
            "minimumTlsVersion": "TLS1_2",
            "allowBlobPublicAccess": False,
            "allowCrossTenantReplication": False,
            "networkAcls": _walls(configuration, {}),
            **_changeable(configuration),
        },
    }


def _changeable(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {"accessTier": configuration["access_tier"], "allowSharedKeyAccess": configuration["shared_key_access"]}


def _walls(configuration: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """Who gets to the account at all. Addresses that somebody else let in stay let in, and nobody else comes in."""
    rules = [{"id": each, "action": "Allow"} for each in configuration["subnet_ids"]]
    return {
        "bypass": "AzureServices",
        "ipRules": [],
        **now,
        "virtualNetworkRules": rules,
        "defaultAction": "Deny" if rules or now.get("ipRules") else "Allow",
    }


def _asset(account: Mapping[str, Any], service: Mapping[str, Any]) -> Asset:
    properties = account["properties"]
    endpoint = (properties.get("primaryEndpoints") or {}).get("blob")
    rules = (properties.get("networkAcls") or {}).get("virtualNetworkRules") or []
    subnets = sorted(names.canonical(each["id"]) for each in rules)
    created = properties.get("creationTime")
    return Asset(
        id=names.canonical(account["id"]),
        name=account["name"],
        state=state_of(properties, AssetState.AVAILABLE),
        region=account["location"],
        tags=azure_tags.from_azure(account.get("tags")),
        configuration=_configuration(account, service.get("properties") or {}) | {"subnet_ids": subnets},
        facts={
            "kind": account.get("kind"),
            "minimum_tls_version": properties.get("minimumTlsVersion"),
            "public_blobs_allowed": properties.get("allowBlobPublicAccess"),
        },
        links=tuple(
            AssetLink("network", f"network:{each}", hard=False)
            for each in sorted({names.network_of(subnet) for subnet in subnets})
        ),
        address=None if endpoint is None else urlsplit(endpoint).hostname,
        created_at=None if created is None else datetime.fromisoformat(created).astimezone(UTC),
    )


def _configuration(account: Mapping[str, Any], service: Mapping[str, Any]) -> dict[str, Any]:
    """A fact that Azure does not tell is left out: the blob service's of an account that has none (yet).

    `allowSharedKeyAccess` is absent where nobody ever set it, which Azure takes for yes.
    """
    properties = account["properties"]
    told: dict[str, Any] = {
        "replication": str((account.get("sku") or {}).get("name", "")).partition("_")[2],
        "access_tier": properties.get("accessTier"),
        "shared_key_access": properties.get("allowSharedKeyAccess", True) is not False,
    }
    if service:
        policy = service.get("deleteRetentionPolicy") or {}
        told["versioning"] = bool(service.get("isVersioningEnabled"))
        told["soft_delete_days"] = int(policy.get("days") or 0) if policy.get("enabled") else 0
    return told
