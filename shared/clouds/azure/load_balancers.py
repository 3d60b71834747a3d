"""How are load balancers made, read, changed and removed, with their address and the machines behind them?

Which machines are behind it, Azure writes down at their interfaces: a machine that goes is taken out by that alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.azure import balancer_facts, facts, names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.assets import AzureAssets, state_of
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.ground import until_seen
from shared.clouds.errors import CloudError, FieldProblem, InvalidRequest, NotFound, StillWorking

_CREATE = "load_balancers.create_or_update"
_WITH_ADDRESS = "frontendIPConfigurations/publicIPAddress"


class AzureLoadBalancers(AzureAssets):
    resource_type, resource_subtype, kind = "load_balancer", "load_balancer", names.LOAD_BALANCER

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """Its address, itself, then the interfaces of its machines: what is there already is used."""
        tags = azure_tags.marked(spec.tags, spec.token, operation=_CREATE)
        place = names.Place(names.group_of(region), self.name_for(spec.token))
        balancer = await self._raw_if_any(region, place)
        if balancer is None:
            interfaces = await self._interfaces_of(region, spec.configuration["machines"])
            await self._ground.group(region)
            frontend = await self._frontend(region, place, tags, spec)
            identifier = self._id(place)
            body = {
                "location": region,
                "tags": tags,
                "sku": {"name": "Standard"},
                "properties": balancer_facts.new(identifier, frontend, spec.configuration),
            }
            try:
                await self._client.call(
                    "network", "load_balancers.begin_create_or_update", place.group, place.name, body, region=region
                )
            except StillWorking:  # another create of this token
                pass
            except CloudError as error:
                if not error.retryable and not error.outcome_unknown:
                    await self._drop_address(region, place)
                raise
        else:
            self.taken(place.name, balancer.get("tags") or {}, spec.token)
            interfaces = await self._interfaces_of(region, spec.configuration["machines"])
        if interfaces:
            await self._fill(region, place, interfaces)
        return await self.look(region, place)

    async def look(self, region: str, place: names.Place) -> Asset:
        balancer = await self._raw(region, place)
        found = await asyncio.gather(
            *(self._interface_if_any(region, each) for each in balancer_facts.interfaces_of(balancer))
        )
        return balancer_facts.asset_of(balancer, {}, [each for each in found if each is not None])

    async def listed(self, region: str) -> AsyncIterator[list[Asset]]:
        """Addresses and interfaces come in lists of the subscription, asked for when a balancer has any."""
        await self.all_of("network", "usages.list", region, region=region)
        interfaces: list[dict[str, Any]] | None = None
        addresses: dict[str, str] | None = None
        async for page in self._client.pages("network", "load_balancers.list_all"):
            here = [each for each in page if each["location"] == region]
            if addresses is None and any(balancer_facts.public_address_of(each) for each in here):
                addresses = {
                    names.canonical(each["id"]).lower(): each["properties"].get("ipAddress") or ""
                    for each in await self.all_of("network", "public_ip_addresses.list_all", region=region)
                }
            if interfaces is None and any(balancer_facts.interfaces_of(each) for each in here):
                interfaces = await self.all_of("network", "network_interfaces.list_all", region=region)
            yield [balancer_facts.asset_of(each, addresses or {}, interfaces or []) for each in here]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        place = self.place_of(asset_id)
        now = await self.get(region, asset_id)
        interfaces = await self._interfaces_of(region, configuration["machines"])
        if any(now.configuration[name] != configuration[name] for name in ("listeners", "health_check")):
            balancer = await self._raw(region, place)
            body = {
                "location": region,
                "tags": balancer.get("tags") or {},
                "sku": balancer.get("sku") or {"name": "Standard"},
                "properties": balancer_facts.changed(balancer, configuration),
            }
            await self._client.call(
                "network", "load_balancers.begin_create_or_update", place.group, place.name, body, region=region
            )
        if now.configuration["machines"] != configuration["machines"]:
            await self._fill(region, place, interfaces, and_no_others=True)

    async def delete(self, region: str, asset_id: str) -> None:
        """The machines are let go first, then it goes, then the address that nothing uses any more."""
        try:
            place = self.place_of(asset_id)
        except NotFound:
            return
        with suppress(NotFound):
            await self.get(region, asset_id)
            if (await self._raw(region, place))["properties"].get("provisioningState") != "Deleting":
                await self._empty(region, place)
                await self._client.call(
                    "network", "load_balancers.begin_delete", place.group, place.name, region=region
                )

        async def gone() -> bool | None:
            return True if await self._raw_if_any(region, place) is None else None

        if place.group == names.group_of(region):
            await until_seen(gone, f"the end of {place.name}")
            with suppress(NotFound):
                await self._client.call(
                    "network", "public_ip_addresses.begin_delete", place.group, _address_name(place), region=region
                )

    async def _frontend(
        self, region: str, place: names.Place, tags: Mapping[str, str], spec: AssetSpec
    ) -> dict[str, Any]:
        if not spec.configuration["public"]:
            subnet_id = spec.configuration["subnet_id"] or await self._ground.subnet(region)
            return {"subnet": {"id": subnet_id}, "privateIPAllocationMethod": "Dynamic"}
        at = (place.group, _address_name(place))

        async def ready() -> dict[str, Any] | None:
            with suppress(NotFound):
                address: dict[str, Any] = await self._client.call(
                    "network", "public_ip_addresses.get", *at, region=region
                )
                is_ready = state_of(address["properties"], AssetState.AVAILABLE) is AssetState.AVAILABLE
                return address if is_ready else None
            return None

        address = await ready()
        if address is None:
            body = {
                "location": region,
                "tags": dict(tags),
                "sku": {"name": "Standard"},
                "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
            }
            await self._client.call("network", "public_ip_addresses.begin_create_or_update", *at, body, region=region)
            address = await until_seen(ready, at[1])
        return {"publicIPAddress": {"id": address["id"]}}

    async def _drop_address(self, region: str, place: names.Place) -> None:
        """What was made for a balancer that Azure refused; what cannot be removed now is used by the next try."""
        with suppress(CloudError):
            await self._client.call(
                "network", "public_ip_addresses.begin_delete", place.group, _address_name(place), region=region
            )

    async def _interfaces_of(self, region: str, machines: Sequence[str]) -> list[str]:
        """The first interface of each machine. `InvalidRequest` for one that is not there."""
        return list(await asyncio.gather(*(self._interface_of(region, each) for each in machines)))

    async def _interface_of(self, region: str, machine_id: str) -> str:
        place = names.place_of(machine_id, names.MACHINE)
        try:
            vm = await self._client.call("compute", "virtual_machines.get", place.group, place.name, region=region)
            return next(iter(facts.interface_ids(vm)))
        except (NotFound, StopIteration):
            problem = FieldProblem("machines", f"{machine_id[:300]} is not there")
            raise InvalidRequest(
                "InvalidResourceReference", f"{problem.field}: {problem.detail}", provider=PROVIDER,
                operation=_CREATE, problems=(problem,),
            ) from None  # fmt: skip

    async def _fill(
        self, region: str, place: names.Place, wanted: Sequence[str], *, and_no_others: bool = False
    ) -> None:
        """Put these interfaces behind it once it is there; they write it down."""

        async def ready() -> dict[str, Any] | None:
            balancer = await self._raw_if_any(region, place)
            is_ready = balancer and state_of(balancer["properties"], AssetState.RUNNING) is AssetState.RUNNING
            return balancer if is_ready else None

        balancer = await until_seen(ready, place.name)
        pool, members = balancer_facts.pool_of(balancer), balancer_facts.interfaces_of(balancer)
        known = {each.lower() for each in members}
        for each in wanted:
            if each.lower() not in known:
                await self._set_member(region, each, pool, is_member=True)
        if and_no_others:
            kept = {each.lower() for each in wanted}
            for each in members:
                if each.lower() not in kept:
                    await self._set_member(region, each, pool, is_member=False)

    async def _empty(self, region: str, place: names.Place) -> None:
        balancer = await self._raw(region, place)
        for each in balancer_facts.interfaces_of(balancer):
            await self._set_member(region, each, None, is_member=False, balancer_id=balancer["id"])

    async def _set_member(
        self, region: str, interface_id: str, pool: str | None, *, is_member: bool, balancer_id: str = ""
    ) -> None:
        """One that went meanwhile needs nothing."""
        where = names.place_of(interface_id, names.INTERFACE)
        with suppress(NotFound):
            interface = await self._client.call(
                "network", "network_interfaces.get", where.group, where.name, region=region
            )
            body = balancer_facts.with_pool(interface, pool, is_member=is_member, balancer_id=balancer_id)
            await self._client.call(
                "network", "network_interfaces.begin_create_or_update", where.group, where.name, body, region=region
            )

    async def _interface_if_any(self, region: str, interface_id: str) -> dict[str, Any] | None:
        where = names.place_of(interface_id, names.INTERFACE)
        try:
            found: dict[str, Any] = await self._client.call(
                "network", "network_interfaces.get", where.group, where.name, region=region
            )
        except NotFound:
            return None
        return found

    async def _raw(self, region: str, place: names.Place) -> dict[str, Any]:
        balancer: dict[str, Any] = await self._client.call(
            "network", "load_balancers.get", place.group, place.name, expand=_WITH_ADDRESS, region=region
        )
        return balancer

    async def _raw_if_any(self, region: str, place: names.Place) -> dict[str, Any] | None:
        try:
            return await self._raw(region, place)
        except NotFound:
            return None

    def _id(self, place: names.Place) -> str:
        group = f"/subscriptions/{self._client.subscription_id}/resourceGroups/{place.group}"
        return f"{group}/providers/{names.LOAD_BALANCER}/{place.name}"


def _address_name(place: names.Place) -> str:
    return f"{place.name}-ip"
