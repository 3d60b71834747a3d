"""How are NodeBalancers made, read, changed and removed, with their ports and the Linodes behind them?

Sources: techdocs.akamai.com/linode-api/reference, "Create a NodeBalancer", "Rebuild a config", "Allocate an IPv4
address". It reaches a Linode by a private address of the region (192.168.128.0/17). A Linode without gets one when it
is named, and keeps it: it is the Linode's own, which sets it up when it next boots.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetSpec, AssetState
from shared.clouds.errors import InvalidRequest, NotFound
from shared.clouds.libcloud.refusals import invalid
from shared.clouds.linode.assets import LinodeAssets, created_at
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.linode.lists import PAGE_MAX, Document, page_of

_PLAIN = ("tcp", "http")
_NODE = re.compile(r"linode-([0-9]+)")
_PRIVATE = "192.168."
_CREATE = "nodebalancers.create"


class LinodeLoadBalancers(LinodeAssets):
    """A node is only an address at Linode: ours are labelled with their Linodes' numbers. All of a port is set in one
    call, so that a change never leaves half of one.
    """

    resource_type, resource_subtype = "load_balancer", "nodebalancer"
    path, noun = "/v4/nodebalancers", "nodebalancers"

    async def body(self, region: str, spec: AssetSpec, words: list[str]) -> dict[str, Any]:
        wanted = spec.configuration
        addresses = await self._addresses(region, wanted["listeners"], _CREATE)
        return {
            "label": self.label(spec.token),
            "region": region,
            "client_conn_throttle": wanted["connections_per_second_max"],
            "configs": [_config(each, addresses) for each in wanted["listeners"]],
            "tags": words,
        }

    async def whole(self, document: Document) -> Asset:
        """Two calls more, and one for each port: what is behind it."""
        with self._client.reading("nodebalancers.get"):
            balancer, region = str(document["id"]), str(document["region"])
        configs = await self._configs(region, balancer)
        nodes = await asyncio.gather(*(self._nodes(region, balancer, str(each["id"])) for each in configs))
        with self._client.reading("nodebalancers.get"):
            return _asset(document, self.tags(document), list(zip(configs, nodes, strict=True)))

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        operation = "nodebalancers.update"
        document = await self.document(region, asset_id, operation)
        wanted = {each["port"]: each for each in configuration["listeners"]}
        addresses = await self._addresses(region, configuration["listeners"], operation)
        throttle = configuration["connections_per_second_max"]
        if document["client_conn_throttle"] != throttle:
            await self.update(region, asset_id, {"client_conn_throttle": throttle})
        there: set[int] = set()
        for config in await self._configs(region, asset_id):
            if config["protocol"] in _PLAIN:
                there.add(config["port"])
                await self._put(region, asset_id, config, wanted.get(config["port"]), addresses)
        for port, each in wanted.items():
            if port not in there:
                path = f"{self.path}/{asset_id}/configs"
                body = _config(each, addresses)
                await self._client.request("configs.create", "POST", path, region=region, document=body)

    async def _put(
        self, region: str, balancer: str, config: Document, wanted: Mapping[str, Any] | None,
        addresses: Mapping[str, str],
    ) -> None:  # fmt: skip
        """Make a port what is wanted, or remove it. Nodes that somebody else added stay."""
        path = f"{self.path}/{balancer}/configs/{config['id']}"
        if wanted is None:
            try:
                await self._client.request("configs.delete", "DELETE", path, region=region)
            except NotFound:
                return
            return
        nodes = await self._nodes(region, balancer, str(config["id"]))
        if _listener(config, nodes) != wanted:
            theirs = [
                {name: each[name] for name in _NODE_FIELDS} for each in nodes if not _NODE.fullmatch(each["label"])
            ]
            body = _config(wanted, addresses)
            body["nodes"] += theirs
            await self._client.request("configs.rebuild", "POST", f"{path}/rebuild", region=region, document=body)

    async def _configs(self, region: str, balancer: str) -> list[Document]:
        path = f"{self.path}/{balancer}/configs"
        page = await page_of(self._client, "configs.list", path, region=region, size=PAGE_MAX)
        return sorted(page.things, key=lambda each: int(each["port"]))

    async def _nodes(self, region: str, balancer: str, config: str) -> list[Document]:
        path = f"{self.path}/{balancer}/configs/{config}/nodes"
        page = await page_of(self._client, "nodes.list", path, region=region, size=PAGE_MAX)
        return [*page.things]

    async def _addresses(self, region: str, listeners: list[Mapping[str, Any]], operation: str) -> dict[str, str]:
        """The private address of each Linode that is named."""
        named = sorted({each["machine_id"] for listener in listeners for each in listener["backends"]})
        found = await asyncio.gather(*(self._address(region, each, operation) for each in named))
        return dict(zip(named, found, strict=True))

    async def _address(self, region: str, machine_id: str, operation: str) -> str:
        try:
            path = f"/v4/linode/instances/{machine_id}"
            document = await self._client.request("instances.get", "GET", path, region=region, wants=("ipv4",))
        except NotFound:
            raise _no_backend(machine_id, f"is not in {region}", operation) from None
        if document.get("region") != region:
            raise _no_backend(machine_id, f"is not in {region}", operation)
        private = next((str(each) for each in document["ipv4"] if str(each).startswith(_PRIVATE)), None)
        return private or await self._new_address(region, machine_id, operation)

    async def _new_address(self, region: str, machine_id: str, operation: str) -> str:
        """One that is not given (the newer kind of interfaces has none) is the listener's fault, not the provider's."""
        path, body = f"/v4/linode/instances/{machine_id}/ips", {"type": "ipv4", "public": False}
        try:
            answer = await self._client.request(
                "addresses.create", "POST", path, region=region, document=body, wants=("address",)
            )
        except InvalidRequest as error:
            raise _no_backend(machine_id, f"gets no private address: {error.message}", operation) from None
        return str(answer["address"])


_NODE_FIELDS = ("id", "label", "address", "weight", "mode")


def _no_backend(machine_id: str, what: str, operation: str) -> InvalidRequest:
    return invalid("listeners", f"Linode {machine_id} {what}", provider=PROVIDER, operation=operation)


def _config(listener: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
    check = listener["health_check"]
    nodes = [
        {
            "label": f"linode-{each['machine_id']}",
            "address": f"{addresses[each['machine_id']]}:{each['port']}",
            "weight": each["weight"],
            "mode": "accept",
        }
        for each in listener["backends"]
    ]
    return {
        "port": listener["port"],
        "protocol": listener["protocol"],
        "algorithm": listener["algorithm"],
        "stickiness": listener["stickiness"],
        "check": check["kind"],
        "check_path": check["path"],
        "check_interval": check["interval_s"],
        "check_timeout": check["timeout_s"],
        "check_attempts": check["attempts"],
        "nodes": nodes,
    }


def _listener(config: Document, nodes: list[Document]) -> dict[str, Any]:
    """A port in the words of our configuration, with those nodes that are ours."""
    backends = [
        {"machine_id": named[1], "port": int(str(each["address"]).rpartition(":")[2]), "weight": int(each["weight"])}
        for each in nodes
        if (named := _NODE.fullmatch(str(each["label"])))
    ]
    return {
        "port": int(config["port"]),
        "protocol": str(config["protocol"]),
        "algorithm": str(config["algorithm"]),
        "stickiness": str(config["stickiness"]),
        "health_check": {
            "kind": str(config["check"]),
            "path": str(config["check_path"] or "/"),
            "interval_s": int(config["check_interval"]),
            "timeout_s": int(config["check_timeout"]),
            "attempts": int(config["check_attempts"]),
        },
        "backends": sorted(backends, key=lambda each: (int(each["machine_id"]), each["port"])),
    }


def _asset(document: Document, tags: Mapping[str, str], ports: list[tuple[Document, list[Document]]]) -> Asset:
    listeners = [_listener(config, nodes) for config, nodes in ports if config["protocol"] in _PLAIN]
    targets = {_target(each) for _, nodes in ports for each in nodes}
    return Asset(
        id=str(document["id"]),
        name=str(document["label"]),
        state=AssetState.RUNNING,  # a NodeBalancer has no state: it serves
        region=str(document["region"]),
        tags=tags,
        configuration={
            "connections_per_second_max": int(document["client_conn_throttle"]),
            "listeners": listeners,
        },
        facts={
            "host_name": document.get("hostname"),
            "ipv6": document.get("ipv6"),
            "other_ports": [int(config["port"]) for config, _ in ports if config["protocol"] not in _PLAIN],
        },
        links=tuple(AssetLink("target", each, hard=len(targets) == 1) for each in sorted(targets)),
        address=document.get("ipv4"),
        created_at=created_at(document),
    )


def _target(node: Document) -> str:
    named = _NODE.fullmatch(str(node["label"]))
    return f"machine:{named[1]}" if named else f"address:{str(node['address']).rpartition(':')[0]}"
