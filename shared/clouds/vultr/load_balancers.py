"""How are load balancers made, read, changed and removed?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetState
from shared.clouds.errors import NotFound
from shared.clouds.vultr.labelled import LabelledAssets, Place, region_of
from shared.clouds.vultr.labels import tags_of, text_of
from shared.clouds.vultr.lists import Document, moment_of

_STATES: Mapping[str, AssetState] = {
    "pending": AssetState.CREATING,
    "installing": AssetState.CREATING,
    "active": AssetState.RUNNING,
}
"""As Vultr's Terraform provider waits for them."""
_CHECK: Mapping[str, str] = {
    "protocol": "protocol",
    "port": "port",
    "path": "path",
    "interval_s": "check_interval",
    "timeout_s": "response_timeout",
    "unhealthy_threshold": "unhealthy_threshold",
    "healthy_threshold": "healthy_threshold",
}


class VultrLoadBalancers(LabelledAssets):
    """A load balancer has an address while it is installed already."""

    resource_type, resource_subtype = "load_balancer", "load_balancer"
    place = Place("/v2/load-balancers", "load_balancers", "load_balancer")

    async def order(self, region: str, configuration: Mapping[str, Any]) -> Mapping[str, Any]:
        body = {"region": region, **_body(configuration)}
        return body if configuration["network_id"] is None else {**body, "vpc": configuration["network_id"]}

    def update(self, before: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        changed = {name for name in wanted if wanted[name] != before.get(name)}
        return {name: value for name, value in _body(wanted).items() if _OURS.get(name, name) in changed}

    async def delete(self, region: str, asset_id: str) -> None:
        """It leaves its network first: Vultr takes a deleted one apart for some time, and so long keeps its network."""
        try:
            known = await self.get(region, asset_id)
        except NotFound:
            return
        if known.configuration["network_id"] is not None:
            await self.set_fields(region, asset_id, {"vpc": ""})
        await super().delete(region, asset_id)

    def asset_of(self, document: Document) -> Asset:
        info, check = document["generic_info"], document["health_check"]
        machines = sorted(str(each) for each in document.get("instances") or [])
        network = str(info.get("vpc") or "") or None
        links = [AssetLink("network", f"network:{network}", hard=True)] if network else []
        links += [AssetLink("target", f"machine:{each}", hard=len(machines) == 1) for each in machines]
        status = str(document["status"])
        return Asset(
            id=str(document["id"]),
            name=text_of(document["label"]),
            state=_STATES.get(status, AssetState.FAILED),
            region=region_of(document),
            tags=tags_of(document["label"]),
            configuration={
                "forwarding_rules": sorted(map(_rule, document["forwarding_rules"]), key=lambda each: each["port"]),
                "balancing_algorithm": str(info["balancing_algorithm"]),
                "proxy_protocol": bool(info.get("proxy_protocol")),
                "health_check": _check(check),
                "nodes": int(document.get("nodes") or 1),
                "machines": machines,
                "network_id": network,
            },
            facts={"ipv6": document.get("ipv6") or None, "has_tls": bool(document.get("has_ssl"))},
            links=tuple(links),
            address=document.get("ipv4") or None,
            created_at=moment_of(document["date_created"]),
            state_reason=None if status in _STATES else f"The load balancer is {status}",
        )


_OURS: Mapping[str, str] = {"instances": "machines"}
"""Fields of a body that we call otherwise."""


def _body(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """What can be changed, as Vultr has it."""
    rules = [
        {
            "frontend_protocol": each["protocol"],
            "frontend_port": each["port"],
            "backend_protocol": each["protocol"],
            "backend_port": each["target_port"],
        }
        for each in configuration["forwarding_rules"]
    ]
    check = configuration["health_check"]
    return {
        "forwarding_rules": rules,
        "balancing_algorithm": configuration["balancing_algorithm"],
        "proxy_protocol": configuration["proxy_protocol"],
        "health_check": {theirs: check[ours] for ours, theirs in _CHECK.items() if check[ours] is not None},
        "nodes": configuration["nodes"],
        "instances": configuration["machines"],
    }


def _rule(document: Document) -> dict[str, Any]:
    return {
        "protocol": str(document["frontend_protocol"]),
        "port": int(document["frontend_port"]),
        "target_port": int(document["backend_port"]),
    }


def _check(document: Document) -> dict[str, Any]:
    """A check of tcp has a path at Vultr, which nobody asks for."""
    found = {ours: document.get(theirs) for ours, theirs in _CHECK.items()}
    return {**found, "path": found["path"] if found["protocol"] != "tcp" else None}
