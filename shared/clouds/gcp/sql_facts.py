"""How does a database look in Cloud SQL's words, and an instance of Cloud SQL in ours?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetState
from shared.clouds.gcp import label_tags
from shared.clouds.gcp.addresses import from_project, in_utc_or_none
from shared.clouds.gcp.assets import Json

RUNS, STANDS = "ALWAYS", "NEVER"
"""Activation policies: how Cloud SQL is told to start and to stop."""

_ENGINES: Mapping[str, str] = {"postgres": "POSTGRES", "mysql": "MYSQL"}
_IAM_FLAGS: Mapping[str, str] = {"postgres": "cloudsql.iam_authentication", "mysql": "cloudsql_iam_authentication"}
_REGIONAL, _ZONAL = "REGIONAL", "ZONAL"
_PLUS = "db-perf-optimized-"
"""The sizes of the edition Enterprise Plus begin so."""

# cloud.google.com/sql/docs/mysql/admin-api/rest/v1/instances, SqlInstanceState; a stopped one is RUNNABLE too.
_STATES: Mapping[str, AssetState] = {
    "PENDING_CREATE": AssetState.CREATING,
    "RUNNABLE": AssetState.RUNNING,
    "MAINTENANCE": AssetState.CHANGING,
    "ONLINE_MAINTENANCE": AssetState.RUNNING,
    "REPAIRING": AssetState.CHANGING,
    "PENDING_DELETE": AssetState.DELETING,
    "SUSPENDED": AssetState.FAILED,
    "FAILED": AssetState.FAILED,
}


def insertion(name: str, region: str, labels: Mapping[str, str], configuration: Json, password: str) -> dict[str, Any]:
    network, source, engine = configuration["network_id"], configuration["source_database_id"], configuration["engine"]
    reached: dict[str, Any] = {"ipv4Enabled": network is None, "sslMode": "ENCRYPTED_ONLY"}
    if network is not None:
        reached["privateNetwork"] = network
    settings: dict[str, Any] = {
        "tier": configuration["instance_type"],
        "edition": _edition(configuration["instance_type"]),
        "dataDiskSizeGb": str(configuration["storage_gib"]),
        "dataDiskType": "PD_SSD",
        "storageAutoResize": configuration["storage_grows"],
        "availabilityType": _REGIONAL if configuration["high_availability"] else _ZONAL,
        "activationPolicy": RUNS,
        "ipConfiguration": reached,
        "databaseFlags": [{"name": _IAM_FLAGS[engine], "value": "on"}],
        "userLabels": dict(labels),
    }
    body: dict[str, Any] = {
        "name": name,
        "region": region,
        "databaseVersion": f"{_ENGINES[engine]}_{str(configuration['version']).replace('.', '_')}",
        "settings": settings,
    }
    if source is not None:
        return {**body, "instanceType": "READ_REPLICA_INSTANCE", "masterInstanceName": source}
    settings["backupConfiguration"] = _backups(engine, on=configuration["backups"])
    return {**body, "rootPassword": password}


def changes(instance: Json, wanted: Json) -> dict[str, Any]:
    """The settings that make it what is wanted; empty when it is."""
    now, found = configuration_of(instance), dict[str, Any]()
    if now["instance_type"] != wanted["instance_type"]:
        found |= {"tier": wanted["instance_type"], "edition": _edition(wanted["instance_type"])}
    if now["storage_gib"] != wanted["storage_gib"]:
        found["dataDiskSizeGb"] = str(wanted["storage_gib"])
    if now["high_availability"] != wanted["high_availability"]:
        found["availabilityType"] = _REGIONAL if wanted["high_availability"] else _ZONAL
    if now["backups"] != wanted["backups"]:
        found["backupConfiguration"] = _backups(now["engine"], on=wanted["backups"])
    return found


def configuration_of(instance: Json) -> dict[str, Any]:
    """An instance that only stands for one outside of Google (`ON_PREMISES_INSTANCE`) has hardly any settings."""
    settings = instance.get("settings") or {}
    engine, _, version = str(instance.get("databaseVersion", "")).partition("_")
    reached = settings.get("ipConfiguration") or {}
    network, source = reached.get("privateNetwork"), instance.get("masterInstanceName")
    size = settings.get("dataDiskSizeGb")
    return {
        "engine": engine.lower(),
        "version": version.replace("_", "."),
        "instance_type": settings.get("tier"),
        "storage_gib": None if size is None else int(size),
        "storage_grows": bool(settings.get("storageAutoResize")),
        "high_availability": settings.get("availabilityType") == _REGIONAL,
        "backups": bool((settings.get("backupConfiguration") or {}).get("enabled")),
        "network_id": None if network is None else from_project(network),
        "source_database_id": None if source is None else str(source).rpartition(":")[2],
    }


def asset_of(instance: Json) -> Asset:
    settings, configuration = instance.get("settings") or {}, configuration_of(instance)
    state = _STATES.get(instance.get("state", ""), AssetState.FAILED)
    if state is AssetState.RUNNING and settings.get("activationPolicy") == STANDS:
        state = AssetState.STOPPED
    addresses = {each["type"]: each["ipAddress"] for each in instance.get("ipAddresses", [])}
    network, source = configuration["network_id"], configuration["source_database_id"]
    return Asset(
        id=instance["name"],
        name=instance["name"],
        state=state,
        region=instance["region"],
        zone=instance.get("gceZone"),
        tags=label_tags.from_labels(settings.get("userLabels")),
        configuration=configuration,
        facts={
            "connection_name": instance.get("connectionName"),
            "edition": settings.get("edition"),
            "tls": (settings.get("ipConfiguration") or {}).get("sslMode"),
            "replica_ids": sorted(str(each).rpartition(":")[2] for each in instance.get("replicaNames", [])),
        },
        links=(
            *((AssetLink("replica_of", f"database:{source}", hard=False),) if source else ()),
            *((AssetLink("network", f"network:{network}", hard=True),) if network else ()),
        ),
        address=addresses.get("PRIVATE") or addresses.get("PRIMARY"),
        created_at=in_utc_or_none(instance.get("createTime", "")),
        state_reason=", ".join(sorted(instance.get("suspensionReason", []))) or None,
    )


def _edition(tier: str) -> str:
    return "ENTERPRISE_PLUS" if tier.startswith(_PLUS) else "ENTERPRISE"


def _backups(engine: str, *, on: bool) -> dict[str, Any]:
    """To any point in time: MySQL calls that its binary log."""
    log = "binaryLogEnabled" if engine == "mysql" else "pointInTimeRecoveryEnabled"
    return {"enabled": on, log: on}
