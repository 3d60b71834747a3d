"""Whose is an address or a host name that a DNS record shows?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.clouds.assets import AssetLink
from shared.clouds.azure import names
from shared.clouds.azure.client import AzureClient
from shared.clouds.errors import NotFound

_OF_FRONT_DOOR = ".azurefd.net"
"""The ending of the host name of every Front Door; whose it is the inventory finds by that address."""
_OF_ACCOUNT = re.compile(r"([a-z0-9]{3,24})\.[a-z0-9.]*core\.windows\.net")


@dataclass(frozen=True, slots=True)
class Owners:
    """What stands behind records: keys of things by address, by a public address's id (lower case), by account name."""

    by_address: Mapping[str, str] = field(default_factory=dict)
    by_id: Mapping[str, str] = field(default_factory=dict)
    by_account: Mapping[str, str] = field(default_factory=dict)

    def links(self, records: Sequence[Mapping[str, Any]]) -> tuple[AssetLink, ...]:
        """A zone lives on when what a record leads to is gone: only that name leads nowhere."""
        found: set[str] = set()
        for each in records:
            keys = [self.by_address.get(value) for value in each["values"]]
            keys.append(self.by_id.get((each["target_id"] or "").lower()))
            account = _account_of(each)
            keys.append(None if account is None else self.by_account.get(account))
            keys += [f"address:{value}" for value in each["values"] if value.endswith(_OF_FRONT_DOOR)]
            found |= {key for key in keys if key is not None}
        return tuple(AssetLink("record", key, hard=False) for key in sorted(found))


class AzureAddresses:
    """Asks only for what the records can lead to: public addresses when there are any, accounts for their names."""

    def __init__(self, client: AzureClient) -> None:
        self._client = client

    async def owners(self, records: Sequence[Mapping[str, Any]]) -> Owners:
        by_address: dict[str, str] = {}
        by_id: dict[str, str] = {}
        values = {value for each in records if each["type"] in {"A", "AAAA"} for value in each["values"]}
        targets = {each["target_id"].lower() for each in records if each["target_id"] is not None}
        if values or targets:
            for address in await self._all("network", "public_ip_addresses.list_all"):
                identifier = names.canonical(address["id"]).lower()
                text = address["properties"].get("ipAddress")
                if text in values or identifier in targets:
                    key = await self._user_of(address)
                    if key is not None:
                        by_address[str(text)] = by_id[identifier] = key
        return Owners(by_address, by_id, await self._accounts(records))

    async def _user_of(self, address: Mapping[str, Any]) -> str | None:
        """The key of what has the address: a load balancer, or the machine of an interface."""
        used = (address["properties"].get("ipConfiguration") or {}).get("id")
        if used is None:
            return None
        owner = names.canonical(re.split("/(?:ip|frontendIP)Configurations/", used, flags=re.IGNORECASE)[0])
        if f"/{names.LOAD_BALANCER}/".lower() in owner.lower():
            return f"load_balancer:{owner}"
        try:
            place = names.place_of(owner, names.INTERFACE)
            interface = await self._client.call("network", "network_interfaces.get", place.group, place.name)
        except NotFound:  # it went meanwhile, or is of something that we do not know
            return None
        machine = (interface["properties"].get("virtualMachine") or {}).get("id")
        return None if machine is None else f"machine:{names.canonical(machine)}"

    async def _accounts(self, records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        wanted = {account for each in records if (account := _account_of(each)) is not None}
        if not wanted:
            return {}
        accounts = await self._all("storage", "storage_accounts.list")
        return {each["name"]: f"storage:{names.canonical(each['id'])}" for each in accounts if each["name"] in wanted}

    async def _all(self, service: str, operation: str) -> list[dict[str, Any]]:
        return [each async for page in self._client.pages(service, operation) for each in page]


def _account_of(record: Mapping[str, Any]) -> str | None:
    """The storage account that a CNAME leads to."""
    if record["type"] != "CNAME" or not record["values"]:
        return None
    found = _OF_ACCOUNT.fullmatch(record["values"][0])
    return None if found is None else found[1]
