"""How are database clusters made, read, changed and removed?

Source: docs.digitalocean.com/reference/api, "Databases".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetSpec, AssetState
from shared.clouds.digitalocean.assets import DigitalOceanAssets
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import Document
from shared.clouds.digitalocean.tagging import put_tags
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.errors import InvalidRequest, StillWorking
from shared.clouds.libcloud.tags import from_words
from shared.clouds.libcloud.tokens import name_of

_STATES: Mapping[str, AssetState] = {
    "creating": AssetState.CREATING,
    "forking": AssetState.CREATING,
    "online": AssetState.RUNNING,
}
"""Everything else is on its way to online again: resizing, migrating."""
_ONLINE = "online"
_MIB_A_GIB = 1024
_NOBODY = {"type": "ip_addr", "value": "192.0.2.1"}
"""RFC 5737: nobody's address. A cluster without any trusted source is open to everybody who has a password."""
_OURS: Mapping[str, str] = {"droplet": "trusted_machines", "ip_addr": "trusted_addresses"}


class DigitalOceanDatabases(DigitalOceanAssets):
    """A cluster's name is unique in the account: the one made of the token makes a create repeatable, between processes
    too. It cannot stand still. A read-only node is a part of its cluster and no thing of its own.

    The first user's password is DigitalOcean's making, which whoever may read the cluster there can see. We neither
    show nor keep it.
    """

    resource_type, resource_subtype = "database", "database_cluster"
    path, name, names = "/v2/databases", "database", "databases"
    fields = {"subnet_id": "network_id", "machines": "trusted_machines"}  # noqa: RUF012 - a ClassVar above

    async def make(self, region: str, spec: AssetSpec) -> Asset:
        wanted = spec.configuration
        body = {
            **_amounts(wanted),
            "name": name_of(spec.token),
            "region": region,
            "engine": wanted["engine"],
            "tags": TAGS.to_words(spec.tags, spec.token, operation="databases.create"),
            "rules": _rules(wanted, ()),
        }
        choices = {"version": wanted["version"], "private_network_uuid": wanted["network_id"]}
        body |= {name: value for name, value in choices.items() if value is not None}
        answer = await self.ask("create", "POST", region, body=body, wants=(self.name,))
        return await self.whole(answer[self.name])

    async def whole(self, document: Document) -> Asset:
        return self.told({**document, "rules": await self._firewall(str(document["region"]), str(document["id"]))})

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """Trusted sources at once, the size while it is online. DigitalOcean makes neither size nor storage smaller."""
        known = await self.document(region, asset_id)
        there = await self._firewall(region, asset_id)
        rules = _rules(configuration, there)
        wanted = _amounts(configuration)
        try:
            if _sources(rules) != _sources(there):
                await self.ask("update_firewall", "PUT", region, f"{asset_id}/firewall", body={"rules": rules})
            if any(known.get(name) != value for name, value in wanted.items()):
                if known["status"] != _ONLINE:
                    detail = f"{asset_id} is {known['status']}"
                    raise StillWorking("not_online", detail, provider=PROVIDER, operation="databases.resize")
                await self.ask("resize", "PUT", region, f"{asset_id}/resize", body=wanted)
        except InvalidRequest as error:
            raise self.renamed(error) from None

    async def delete(self, region: str, asset_id: str) -> None:
        await self.remove(region, asset_id)

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        known = await self.document(region, asset_id)
        await put_tags(self._client, region, ("database", asset_id), known.get("tags") or (), tags)

    def read(self, document: Document) -> Asset:
        network, rules = str(document.get("private_network_uuid") or ""), list(document.get("rules") or ())
        storage_mib, connection = document.get("storage_size_mib"), document.get("connection") or {}
        trusted = {field: sorted(value for kind, value in _sources(rules) if kind == word)
                   for word, field in _OURS.items()}  # fmt: skip
        trusted["trusted_addresses"] = [each for each in trusted["trusted_addresses"] if each != _NOBODY["value"]]
        return Asset(
            id=str(document["id"]),
            name=str(document["name"]),
            state=_STATES.get(str(document["status"]), AssetState.CHANGING),
            region=str(document["region"]),
            tags=from_words(document.get("tags") or ()),
            configuration={
                "engine": str(document["engine"]),
                "version": str(document["version"]),
                "instance_type": str(document["size"]),
                "nodes": int(document["num_nodes"]),
                "storage_gib": None if storage_mib is None else int(storage_mib) // _MIB_A_GIB,
                "network_id": network or None,
                **trusted,
            },
            facts={
                "port": connection.get("port"),
                "private_host": (document.get("private_connection") or {}).get("host"),
                "open_to_everybody": not rules,
                "other_trusted_sources": [f"{kind} {value}" for kind, value in _sources(rules) if kind not in _OURS],
            },
            links=(AssetLink("network", f"network:{network}", hard=True),) if network else (),
            address=connection.get("host"),
            created_at=datetime.fromisoformat(document["created_at"]).astimezone(UTC),
        )

    async def _firewall(self, region: str, asset_id: str) -> list[Document]:
        answer = await self.ask("list_firewall", "GET", region, f"{asset_id}/firewall", wants=("rules",))
        return list(answer["rules"] or ())


def _amounts(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Storage that is not said is what comes with the size."""
    body = {"size": wanted["instance_type"], "num_nodes": wanted["nodes"]}
    if wanted["storage_gib"] is not None:
        body["storage_size_mib"] = wanted["storage_gib"] * _MIB_A_GIB
    return body


def _rules(wanted: Mapping[str, Any], there: Iterable[Document]) -> list[dict[str, Any]]:
    """What the configuration says, beside what it has no words for and is there; never none."""
    others = [(kind, value) for kind, value in _sources(there) if kind not in _OURS]
    ours = [(kind, str(value)) for kind, field in _OURS.items() for value in wanted[field]]
    return [{"type": kind, "value": value} for kind, value in [*others, *ours]] or [_NOBODY]


def _sources(rules: Iterable[Document]) -> list[tuple[str, str]]:
    return sorted((str(each["type"]), str(each["value"])) for each in rules)
