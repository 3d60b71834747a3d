"""What does Azure SQL's JSON say, and what do we say to it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetState
from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags

RULE = "canopy"
"""The name of our rule for the one subnet that reaches a server."""

_GIB = 1024**3
_STATES: Mapping[str, AssetState] = {
    "Creating": AssetState.CREATING,
    "Copying": AssetState.CREATING,
    "Restoring": AssetState.CREATING,
    "Scaling": AssetState.CHANGING,
    "Stopping": AssetState.STOPPING,
    "Stopped": AssetState.STOPPED,
    "Starting": AssetState.STARTING,
    "Offline": AssetState.STOPPED,
    "Disabled": AssetState.FAILED,
    "EmergencyMode": AssetState.FAILED,
    "Inaccessible": AssetState.FAILED,
    "RecoveryPending": AssetState.FAILED,
    "Suspect": AssetState.FAILED,
}
"""All others serve; a paused serverless database wakes up when somebody connects."""
_PRIMARY = ("Primary", "Source")


@dataclass(frozen=True, slots=True)
class OnServer:
    """The server of some databases, its rules for subnets, and how its databases are replicated."""

    server: Mapping[str, Any]
    rules: Sequence[Mapping[str, Any]]
    links: Sequence[Mapping[str, Any]]

    @property
    def subnet_id(self) -> str | None:
        """That of our rule."""
        return next((self._subnet(each) for each in self.rules if each["name"] == RULE), None)

    @property
    def subnet_ids(self) -> list[str]:
        return sorted(self._subnet(each) for each in self.rules)

    def source_of(self, database_id: str) -> str | None:
        """The database that this one is a copy of."""
        for each in self.links:
            properties = each["properties"]
            ours = each["id"].rpartition("/replicationLinks/")[0]
            if names.same(ours, database_id) and properties.get("partnerRole") in _PRIMARY:
                found = properties.get("partnerDatabaseId")
                return None if found is None else names.canonical(found)
        return None

    @staticmethod
    def _subnet(rule: Mapping[str, Any]) -> str:
        return names.canonical(rule["properties"]["virtualNetworkSubnetId"])


def server_body(
    region: str, tags: Mapping[str, str], configuration: Mapping[str, Any], client_id: str
) -> dict[str, Any]:
    """The application itself administers it where nobody is named: SQL knows an application by its client id."""
    named = configuration["administrator"] or {
        "login": client_id, "object_id": client_id, "principal_type": "Application",
    }  # fmt: skip
    return {
        "location": region,
        "tags": dict(tags),
        "properties": {
            "version": configuration["version"],
            "minimalTlsVersion": "1.2",
            "publicNetworkAccess": "Disabled",
            "administrators": {
                "administratorType": "ActiveDirectory",
                "azureADOnlyAuthentication": True,
                "login": named["login"],
                "sid": named["object_id"],
                "principalType": named["principal_type"],
            },
        },
    }


def database_body(region: str, tags: Mapping[str, str], configuration: Mapping[str, Any]) -> dict[str, Any]:
    source, size_gib = configuration["source_database_id"], configuration["storage_gib"]
    copied = {"createMode": "Secondary", "secondaryType": "Geo", "sourceDatabaseId": source}
    return {
        "location": region,
        "tags": dict(tags),
        "sku": {"name": configuration["instance_type"]},
        "properties": {
            "requestedBackupStorageRedundancy": configuration["backup_redundancy"],
            "zoneRedundant": configuration["zone_redundant"],
            **({} if size_gib is None else {"maxSizeBytes": size_gib * _GIB}),
            **(copied if source else {}),
        },
    }


def change_body(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A PATCH of what differs; empty when nothing does. No size wanted means: whatever its service objective has."""
    properties: dict[str, Any] = {}
    if wanted["storage_gib"] not in {None, now["storage_gib"]}:
        properties["maxSizeBytes"] = wanted["storage_gib"] * _GIB
    if wanted["backup_redundancy"] != now["backup_redundancy"]:
        properties["requestedBackupStorageRedundancy"] = wanted["backup_redundancy"]
    if wanted["zone_redundant"] != now["zone_redundant"]:
        properties["zoneRedundant"] = wanted["zone_redundant"]
    body: dict[str, Any] = {"properties": properties} if properties else {}
    if wanted["instance_type"] != now["instance_type"]:
        body["sku"] = {"name": wanted["instance_type"]}
    return body


def database_of(database: Mapping[str, Any], around: OnServer) -> Asset:
    properties, identifier = database["properties"], names.canonical(database["id"])
    source, size_bytes = around.source_of(identifier), properties.get("maxSizeBytes")
    server = around.server["properties"]
    created = properties.get("creationDate")
    return Asset(
        id=identifier,
        name=database["name"],
        state=_state(properties),
        region=database["location"],
        tags=azure_tags.from_azure(database.get("tags")),
        configuration={
            "database_name": database["name"],
            "engine": "sqlserver",
            "version": server.get("version"),
            "instance_type": properties.get("currentServiceObjectiveName"),
            "storage_gib": None if size_bytes is None else round(size_bytes / _GIB),
            "backup_redundancy": properties.get("requestedBackupStorageRedundancy"),
            "zone_redundant": bool(properties.get("zoneRedundant")),
            "subnet_id": around.subnet_id,
            "source_database_id": source,
        },
        facts={
            "status": properties.get("status"),
            "server": around.server["name"],
            "public_network_access": server.get("publicNetworkAccess"),
            "subnets": around.subnet_ids,
        },
        links=_links(around, source),
        address=server.get("fullyQualifiedDomainName"),
        created_at=None if created is None else datetime.fromisoformat(created).astimezone(UTC),
    )


def _links(around: OnServer, source: str | None) -> tuple[AssetLink, ...]:
    """A copy lives on without its source, and is no copy of anything then."""
    networks = sorted({names.network_of(each) for each in around.subnet_ids})
    found = [AssetLink("network", f"network:{each}", hard=False) for each in networks]
    return (*found, *((AssetLink("replica", f"database:{source}", hard=False),) if source else ()))


def _state(properties: Mapping[str, Any]) -> AssetState:
    """Azure calls a database whose size is being changed online; only what was asked for differs from what is."""
    state = _STATES.get(str(properties.get("status", "")), AssetState.RUNNING)
    asked = properties.get("requestedServiceObjectiveName")
    is_changing = asked not in {None, properties.get("currentServiceObjectiveName")}
    return AssetState.CHANGING if state is AssetState.RUNNING and is_changing else state
