"""What does a load balancer's JSON say, and what do we say to it?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.clouds.assets import Asset, AssetLink, AssetState
from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.assets import state_of

_FRONTEND, _POOL, _PROBE = "frontend", "machines", "health"
_FAILURES_UNTIL_OUT = 2
_PROTOCOLS = {"tcp": "Tcp", "udp": "Udp", "http": "Http", "https": "Https"}


def new(identifier: str, frontend: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of one with this id, which its own parts refer to."""
    parts = {
        "frontendIPConfigurations": [{"name": _FRONTEND, "properties": dict(frontend)}],
        "backendAddressPools": [{"name": _POOL}],
    }
    return parts | _rules(
        configuration,
        f"{identifier}/frontendIPConfigurations/{_FRONTEND}",
        f"{identifier}/backendAddressPools/{_POOL}",
        f"{identifier}/probes/{_PROBE}",
        {},
    )


def changed(balancer: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The properties as they are, with the rules and the probe of the configuration; a rule that stays keeps what else
    somebody set in it.
    """
    properties, identifier = balancer["properties"], names.canonical(balancer["id"])
    known = {_ends(each): each["properties"] for each in properties.get("loadBalancingRules") or []}
    frontend = (properties.get("frontendIPConfigurations") or [{"name": _FRONTEND}])[0]["name"]
    pool = (properties.get("backendAddressPools") or [{"name": _POOL}])[0]["name"]
    probe = (properties.get("probes") or [{"name": _PROBE}])[0]["name"]
    rules = _rules(
        configuration,
        f"{identifier}/frontendIPConfigurations/{frontend}",
        f"{identifier}/backendAddressPools/{pool}",
        f"{identifier}/probes/{probe}",
        known,
    )
    frontends = [_by_id(each) for each in properties.get("frontendIPConfigurations") or []]
    return {**properties, "frontendIPConfigurations": frontends, **rules}


def _by_id(frontend: Mapping[str, Any]) -> dict[str, Any]:
    """With the id of its public address only, which we read in whole."""
    properties = frontend.get("properties") or {}
    public = properties.get("publicIPAddress")
    shown = {} if public is None else {"publicIPAddress": {"id": public["id"]}}
    return {**frontend, "properties": {**properties, **shown}}


def _rules(
    configuration: Mapping[str, Any],
    frontend_id: str,
    pool_id: str,
    probe_id: str,
    known: Mapping[tuple[str, int], Mapping[str, Any]],
) -> dict[str, Any]:
    check = configuration["health_check"]
    probe = {
        "protocol": _PROTOCOLS[check["protocol"]],
        "port": check["port"],
        "intervalInSeconds": check["interval_s"],
        "numberOfProbes": _FAILURES_UNTIL_OUT,
        **({} if check["path"] is None else {"requestPath": check["path"]}),
    }
    fixed = {
        "frontendIPConfiguration": {"id": frontend_id},
        "backendAddressPool": {"id": pool_id},
        "probe": {"id": probe_id},
        "enableTcpReset": True,
        "disableOutboundSnat": True,
        "idleTimeoutInMinutes": 4,
    }
    rules = [
        {
            "name": f"{each['protocol']}-{each['port']}",
            "properties": {
                **fixed,
                **known.get((each["protocol"], each["port"]), {}),
                "protocol": _PROTOCOLS[each["protocol"]],
                "frontendPort": each["port"],
                "backendPort": each["target_port"],
            },
        }
        for each in configuration["listeners"]
    ]
    return {
        "probes": [{"name": probe_id.rpartition("/")[2], "properties": probe}],
        "loadBalancingRules": rules,
    }


def pool_of(balancer: Mapping[str, Any]) -> str | None:
    """The id of the pool that its machines are in: the first."""
    return next((str(each["id"]) for each in balancer["properties"].get("backendAddressPools") or []), None)


def interfaces_of(balancer: Mapping[str, Any]) -> list[str]:
    """The ids of the interfaces behind it, in one order."""
    found = {
        names.canonical(re.split("/ipConfigurations/", each["id"], flags=re.IGNORECASE)[0])
        for pool in balancer["properties"].get("backendAddressPools") or []
        for each in (pool.get("properties") or {}).get("backendIPConfigurations") or []
        if f"/{names.INTERFACE}/".lower() in each["id"].lower()
        and "/virtualmachinescalesets/" not in each["id"].lower()
    }
    return sorted(found)


def public_address_of(balancer: Mapping[str, Any]) -> dict[str, Any] | None:
    """Its public address, in whole or its id only."""
    for each in balancer["properties"].get("frontendIPConfigurations") or []:
        found: dict[str, Any] | None = (each.get("properties") or {}).get("publicIPAddress")
        if found:
            return found
    return None


def with_pool(
    interface: Mapping[str, Any], pool_id: str | None, *, is_member: bool, balancer_id: str = ""
) -> dict[str, Any]:
    """An interface's body with its first address in the pool, or out of it; with `balancer_id` out of all of that one's
    pools.
    """
    properties = interface["properties"]
    configurations = [{**each, "properties": dict(each["properties"])} for each in properties["ipConfigurations"]]
    for number, each in enumerate(configurations):
        pools = each["properties"].get("loadBalancerBackendAddressPools") or []
        kept = [
            {"id": pool["id"]}
            for pool in pools
            if not (pool_id and names.same(pool["id"], pool_id))
            and not (balancer_id and pool["id"].lower().startswith(f"{balancer_id.lower()}/"))
        ]
        if is_member and number == 0:
            kept.append({"id": str(pool_id)})
        each["properties"]["loadBalancerBackendAddressPools"] = kept
    return {
        "location": interface["location"],
        "tags": interface.get("tags") or {},
        "properties": {**properties, "ipConfigurations": configurations},
    }


def asset_of(
    balancer: Mapping[str, Any], addresses: Mapping[str, str], interfaces: Sequence[Mapping[str, Any]]
) -> Asset:
    """With `addresses` by id (lower case) where the balancer tells the id of its address only; `interfaces` hold at
    least those behind it.
    """
    properties = balancer["properties"]
    public = public_address_of(balancer)
    behind = {each.lower() for each in interfaces_of(balancer)}
    machines = sorted(
        {
            names.canonical(machine["id"])
            for each in interfaces
            if names.canonical(each["id"]).lower() in behind and (machine := each["properties"].get("virtualMachine"))
        }
    )
    subnet_id = _subnet_of(properties)
    return Asset(
        id=names.canonical(balancer["id"]),
        name=balancer["name"],
        state=state_of(properties, AssetState.RUNNING),
        region=balancer["location"],
        tags=azure_tags.from_azure(balancer.get("tags")),
        configuration={
            "public": public is not None,
            "subnet_id": subnet_id,
            "listeners": _listeners(properties),
            "health_check": _health_check(properties),
            "machines": machines,
        },
        facts={
            "sku": (balancer.get("sku") or {}).get("name"),
            "public_address_id": None if public is None else names.canonical(public["id"]),
        },
        links=(
            *(AssetLink("target", f"machine:{each}", hard=False) for each in machines),
            *([AssetLink("network", f"network:{names.network_of(subnet_id)}", hard=True)] if subnet_id else []),
        ),
        address=_private_address(properties) if public is None else _public_address(public, addresses),
    )


def _subnet_of(properties: Mapping[str, Any]) -> str | None:
    for each in properties.get("frontendIPConfigurations") or []:
        subnet = (each.get("properties") or {}).get("subnet")
        if subnet:
            return names.canonical(subnet["id"])
    return None


def _private_address(properties: Mapping[str, Any]) -> str | None:
    found = [
        (each.get("properties") or {}).get("privateIPAddress")
        for each in properties.get("frontendIPConfigurations") or []
    ]
    return next((str(each) for each in found if each), None)


def _public_address(public: Mapping[str, Any], addresses: Mapping[str, str]) -> str | None:
    told = (public.get("properties") or {}).get("ipAddress")
    return told or addresses.get(names.canonical(public["id"]).lower()) or None


def _ends(rule: Mapping[str, Any]) -> tuple[str, int]:
    return str(rule["properties"]["protocol"]).lower(), int(rule["properties"]["frontendPort"])


def _listeners(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [
        {"protocol": protocol, "port": port, "target_port": each["properties"].get("backendPort")}
        for each in properties.get("loadBalancingRules") or []
        for protocol, port in [_ends(each)]
    ]
    return sorted(found, key=lambda each: (each["protocol"], each["port"]))


def _health_check(properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first probe; None for a balancer without any."""
    for each in properties.get("probes") or []:
        probe = each["properties"]
        return {
            "protocol": str(probe["protocol"]).lower(),
            "port": probe["port"],
            "path": probe.get("requestPath") or None,
            "interval_s": probe.get("intervalInSeconds", 15),
        }
    return None
