"""How are managed databases made, read, changed, suspended and removed?

Source: techdocs.akamai.com/linode-api/reference, "Databases". One list has those of all engines, each is reached by its
engine's own path: so an id here is `postgresql/123`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetSpec, AssetState, StopsAssets
from shared.clouds.errors import IncorrectState, StillWorking
from shared.clouds.linode.assets import LinodeTagless, created_at
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.linode.lists import Document

_ID = re.compile(r"(mysql|postgresql)/([0-9]{1,12})")
_DEGRADED = "degraded"
_STATES: Mapping[str, AssetState] = {
    "provisioning": AssetState.CREATING,
    "active": AssetState.RUNNING,
    _DEGRADED: AssetState.RUNNING,
    "suspending": AssetState.STOPPING,
    "suspended": AssetState.STOPPED,
    "resuming": AssetState.STARTING,
    "failed": AssetState.FAILED,
}
"""The others (resizing, updating, restoring, migrating…) are on their way to something."""


class LinodeDatabases(LinodeTagless, StopsAssets):
    resource_type, resource_subtype = "database", "managed_database"
    path, noun = "/v4/databases/instances", "databases"

    def collection(self, configuration: Mapping[str, Any]) -> str:
        return f"/v4/databases/{configuration['engine']}/instances"

    def address(self, asset_id: str) -> str | None:
        found = _ID.fullmatch(asset_id)
        return None if found is None else f"/v4/databases/{found[1]}/instances/{found[2]}"

    async def body(self, region: str, spec: AssetSpec, words: list[str]) -> dict[str, Any]:  # noqa: ARG002
        wanted = spec.configuration
        body = {
            "label": self.label(spec.token),
            "region": region,
            "type": wanted["instance_type"],
            "engine": f"{wanted['engine']}/{wanted['version']}",
            "cluster_size": wanted["cluster_size"],
            "allow_list": wanted["allow_list"],
        }
        if wanted["network_id"] is not None:
            network, subnet = int(wanted["network_id"]), int(wanted["subnet_id"])
            body["private_network"] = {"vpc_id": network, "subnet_id": subnet, "public_access": False}
        return body

    async def whole(self, document: Document) -> Asset:
        with self._client.reading("databases.get"):
            return _asset(document, self.tags(document))

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """All in one call, or nothing when nothing differs."""
        operation = "databases.update"
        known = await self.get(region, asset_id)
        names = {"instance_type": "type", "cluster_size": "cluster_size", "allow_list": "allow_list"}
        body = {
            theirs: configuration[ours]
            for ours, theirs in names.items()
            if configuration[ours] != known.configuration[ours]
        }
        if not body:
            return
        if known.state is not AssetState.RUNNING:
            raise _wrong_state(known, operation)
        await self.update(region, asset_id, body)

    async def start(self, region: str, asset_id: str) -> None:
        known = await self.get(region, asset_id)
        if known.state not in {AssetState.RUNNING, AssetState.STARTING, AssetState.CHANGING}:
            await self._turn(region, known, "resume", AssetState.STOPPED)

    async def stop(self, region: str, asset_id: str) -> None:
        known = await self.get(region, asset_id)
        if known.state not in {AssetState.STOPPED, AssetState.STOPPING}:
            await self._turn(region, known, "suspend", AssetState.RUNNING)

    async def _turn(self, region: str, known: Asset, verb: str, needed: AssetState) -> None:
        operation = f"databases.{verb}"
        if known.state is not needed:
            raise _wrong_state(known, operation)
        await self._client.request(operation, "POST", f"{self.address(known.id)}/{verb}", region=region)


def _wrong_state(known: Asset, operation: str) -> IncorrectState | StillWorking:
    moving = known.state not in {AssetState.STOPPED, AssetState.FAILED, AssetState.RUNNING}
    error = StillWorking if moving else IncorrectState
    return error("wrong_state", f"{known.id} is {known.state}", provider=PROVIDER, operation=operation)


def _asset(document: Document, tags: Mapping[str, str]) -> Asset:
    engine, status = str(document["engine"]), str(document["status"])
    hosts, private = document.get("hosts") or {}, document.get("private_network") or {}
    network = private.get("vpc_id")
    return Asset(
        id=f"{engine}/{document['id']}",
        name=str(document["label"]),
        state=_STATES.get(status, AssetState.CHANGING),
        region=str(document["region"]),
        tags=tags,
        configuration={
            "engine": engine,
            "version": str(document["version"]).partition(".")[0],
            "instance_type": str(document["type"]),
            "cluster_size": int(document["cluster_size"]),
            "allow_list": sorted(str(each) for each in document.get("allow_list") or []),
            "network_id": None if network is None else str(network),
            "subnet_id": None if network is None else str(private["subnet_id"]),
        },
        facts={
            "full_version": str(document["version"]),
            "storage_gib": document.get("total_disk_size_gb"),
            "standby_host": hosts.get("standby") or hosts.get("secondary"),
            "public": network is None or bool(private.get("public_access")),
        },
        links=() if network is None else (AssetLink("network", f"network:{network}", hard=True),),
        address=hosts.get("primary"),
        created_at=created_at(document),
        state_reason="One of its machines does not answer" if status == _DEGRADED else None,
    )
