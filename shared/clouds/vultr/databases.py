"""How are managed databases made, read, changed and removed?"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetState
from shared.clouds.vultr.labelled import LabelledAssets, Place, region_of
from shared.clouds.vultr.labels import tags_of, text_of
from shared.clouds.vultr.lists import Document, moment_of

_NOBODY, _EVERYBODY = "127.0.0.1/32", "0.0.0.0/0"
"""Vultr lets everybody in when it is told of no address: it is told of one that nobody comes from."""
_AT_WORK = frozenset({"rebuilding", "rebalancing", "configuring", "pending"})
_STATES: Mapping[str, AssetState] = {"running": AssetState.RUNNING, "poweroff": AssetState.STOPPED}
"""In lower case. Vultr can switch one off, its customers cannot."""
_FIELDS: Mapping[str, str] = {"plan": "instance_type", "trusted_ips": "trusted_ips"}
"""What can be changed, as Vultr and as we call it."""


class VultrDatabases(LabelledAssets):
    """Vultr's list has all at once, readable copies within what they are copies of. Its answers hold passwords, which
    nothing here reads.
    """

    resource_type, resource_subtype = "database", "managed_database"
    place = Place("/v2/databases", "databases", "database", change_by="PUT", is_paged=False)

    async def order(self, region: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
        body = {
            "region": region,
            "database_engine": configuration["engine"],
            "database_engine_version": configuration["version"],
            **_body(configuration),
        }
        return body if configuration["network_id"] is None else {**body, "vpc_id": configuration["network_id"]}

    def update(self, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        body = _body(wanted)
        return {theirs: body[theirs] for theirs, ours in _FIELDS.items() if wanted[ours] != before[ours]}

    def spread(self, documents: list[Document]) -> list[Document]:
        found: dict[str, Document] = {}
        for each in documents:
            found.setdefault(str(each["id"]), each)
            for copy in each.get("read_replicas") or []:
                found[str(copy["id"])] = {**copy, "parent_id": each["id"]}
        return list(found.values())

    def asset_of(self, document: Document) -> Asset:
        network, source = str(document.get("vpc_id") or ""), str(document.get("parent_id") or "")
        links = [AssetLink("network", f"network:{network}", hard=True)] if network else []
        links += [AssetLink("replica_of", f"database:{source}", hard=False)] if source else []
        status = str(document["status"]).lower()
        return Asset(
            id=str(document["id"]),
            name=text_of(document["label"]),
            state=_state(document, status),
            region=region_of(document),
            tags=tags_of(document["label"]),
            configuration={
                "engine": str(document["database_engine"]),
                "version": str(document["database_engine_version"]).partition(".")[0],
                "instance_type": str(document["plan"]),
                "trusted_ips": _trusted(document.get("trusted_ips") or []),
                "network_id": network or None,
            },
            facts={
                "storage_gib": document.get("plan_disk"),
                "memory_mib": document.get("plan_ram"),
                "vcpu": document.get("plan_vcpus"),
                "standbys": document.get("plan_replicas"),
                "port": int(document["port"]) if document.get("port") else None,
                "public_host": document.get("public_host") or None,
                "source_database_id": source or None,
            },
            links=tuple(links),
            address=str(document.get("host") or "").lower() or None,
            created_at=moment_of(document["date_created"]),
            state_reason=None if status in {*_STATES, *_AT_WORK} else f"The database is {status}",
        )


def _body(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {"plan": configuration["instance_type"], "trusted_ips": configuration["trusted_ips"] or [_NOBODY]}


def _trusted(told: list[str]) -> list[str]:
    """As our configuration has them; Vultr leaves out the length of a single address."""
    networks = sorted({str(ipaddress.ip_network(each, strict=False)) for each in told})
    return [each for each in networks if each != _NOBODY] if networks else [_EVERYBODY]


def _state(document: Document, status: str) -> AssetState:
    """One that was never backed up has not served yet."""
    if status in _AT_WORK:
        return AssetState.CHANGING if document.get("latest_backup") else AssetState.CREATING
    return _STATES.get(status, AssetState.FAILED)
