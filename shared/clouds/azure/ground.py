"""What must be there before anything of ours can stand in a region: a resource group, a network, a subnet."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.azure import names
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.errors import NotFound, ProviderFault, StillWorking

NETWORK, SUBNET = "canopy", "default"
_NETWORK_PREFIX, _SUBNET_PREFIX = "10.61.0.0/16", "10.61.0.0/17"
_HOME_OF_GLOBAL = "eastus"
"""A resource group lies in a location, also that of things which lie in none: there Azure keeps the list of them."""
_LOOK_EVERY_S = 0.5
_LOOKS_MAX = 60
_FIRST_LOOK_S = 0.05
_WAIT_MAX_S = 30.0
_WAITING = "wait until provisioned"
_Seen = TypeVar("_Seen")


class AzureGround:
    """Made once a region and process; making it again changes nothing."""

    def __init__(self, client: AzureClient) -> None:
        self._client = client
        self._subnets: dict[str, str] = {}
        self._groups: set[str] = set()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def group(self, region: str) -> str:
        """The name of our resource group in a region, which exists now."""
        name = names.group_of(region)
        if region not in self._groups:
            try:
                await self._client.call("resources", "resource_groups.get", name, region=region)
            except NotFound:  # one that is there is left as it is: a PUT would take the tenant's tags from it
                location = _HOME_OF_GLOBAL if region == GLOBAL_REGION else region
                body = {"location": location, "tags": {"canopy:managed": "true"}}
                await self._client.call("resources", "resource_groups.create_or_update", name, body, region=region)
            self._groups.add(region)
        return name

    async def subnet(self, region: str) -> str:
        """The id of the subnet that machines stand in when no other is asked for."""
        async with self._locks[region]:
            if region not in self._subnets:
                self._subnets[region] = await self._make_subnet(region)
            return self._subnets[region]

    def forget(self, region: str) -> None:
        """Look again before the next use: somebody removed what stood here."""
        self._subnets.pop(region, None)

    async def _make_subnet(self, region: str) -> str:
        """A PUT of a network drops the subnets that it does not name, so one that is there is never put again."""
        group = await self.group(region)

        async def read() -> Any:
            return await self._client.call("network", "virtual_networks.get", group, NETWORK, region=region)

        try:
            network = await read()
        except NotFound:
            body = {
                "location": region,
                "tags": {"canopy:managed": "true"},
                "properties": {
                    "addressSpace": {"addressPrefixes": [_NETWORK_PREFIX]},
                    "subnets": [{"name": SUBNET, "properties": {"addressPrefix": _SUBNET_PREFIX}}],
                },
            }
            network = await self._client.call(
                "network", "virtual_networks.begin_create_or_update", group, NETWORK, body, region=region
            )
        network = await until_provisioned(network, read)
        return names.canonical(network["id"]) + f"/subnets/{SUBNET}"


async def until_provisioned(answer: Any, read: Callable[[], Awaitable[Any]]) -> Any:
    """Read until Azure has made it: what takes seconds and others need at once. `StillWorking` after half a minute."""
    for _ in range(_LOOKS_MAX):
        state = answer["properties"]["provisioningState"]
        if state == "Failed":
            raise ProviderFault(
                "ProvisioningFailed", f"Azure failed to make {answer['name']}", provider=PROVIDER, operation=_WAITING
            )
        if state not in {"Updating", "Creating", "Accepted"}:
            return answer
        await asyncio.sleep(_LOOK_EVERY_S)
        answer = await read()
    raise StillWorking("provisioning", f"{answer['name']} is not ready yet", provider=PROVIDER, operation=_WAITING)


async def until_seen(look: Callable[[], Awaitable[_Seen | None]], what: str) -> _Seen:
    """Look, ever less often, until there is something to see. `StillWorking` after half a minute."""
    waited_s, wait_s = 0.0, _FIRST_LOOK_S
    while True:
        seen = await look()
        if seen is not None:
            return seen
        if waited_s >= _WAIT_MAX_S:
            raise StillWorking("provisioning", f"{what} is not ready yet", provider=PROVIDER, operation=_WAITING)
        await asyncio.sleep(wait_s)
        waited_s, wait_s = waited_s + wait_s, min(_LOOK_EVERY_S, 2 * wait_s)
