"""How is a virtual machine walled in: a network security group that denies everything, both ways?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.ground import AzureGround, until_provisioned
from shared.clouds.capabilities import Machines, Networks
from shared.clouds.errors import NotFound, StillWorking
from shared.clouds.models import TOKEN_TAG, SecurityGroup

_HIGHEST_PRIORITY = 100
"""Custom rules have 100 to 4096, Azure's own 65000 to 65500; the lowest number is asked first."""
_DESCRIPTION_CHARACTERS_MAX = 140
_ANY = "*"


class AzureNetworks(Networks):
    """A group's name is made of its token; putting it again builds the same wall."""

    def __init__(self, client: AzureClient, ground: AzureGround, machines: Machines) -> None:
        self._client = client
        self._ground = ground
        self._machines = machines

    async def create_isolated_group(
        self, region: str, *, token: str, tags: Mapping[str, str], description: str
    ) -> SecurityGroup:
        """Every group of Azure's ends with rules that allow the network and the way out; two rules before them deny
        all. What no rule can stop is the platform itself: 168.63.129.16 (health, DNS) and 169.254.169.254 (metadata).
        """
        marked = azure_tags.marked(tags, token, operation="network_security_groups.create_or_update")
        name, group = names.name_of(token), await self._ground.group(region)
        body = {
            "location": region,
            "tags": marked,
            "properties": {"securityRules": [_deny_all(each, description) for each in ("Inbound", "Outbound")]},
        }
        made = await self._client.call(
            "network", "network_security_groups.begin_create_or_update", group, name, body, region=region
        )

        async def read() -> Any:
            return await self._client.call("network", "network_security_groups.get", group, name, region=region)

        await until_provisioned(made, read)
        confirmed = _group(await read())
        if confirmed.ingress_rules or confirmed.egress_rules:
            raise StillWorking(
                "rules_remain", f"{confirmed.id} still allows something", provider=PROVIDER,
                operation="network_security_groups.get",
            )  # fmt: skip
        return confirmed

    async def find_by_token(self, region: str, token: str) -> SecurityGroup | None:
        try:
            answer = await self._client.call(
                "network", "network_security_groups.get", names.group_of(region), names.name_of(token), region=region
            )
        except NotFound:
            return None
        found = _group(answer)
        return found if found.tags.get(TOKEN_TAG) == token else None

    async def of_machine(self, region: str, machine_id: str) -> tuple[str, ...]:
        return (await self._machines.get(region, machine_id)).security_groups

    async def delete_group(self, region: str, group_id: str) -> None:
        try:
            place = names.place_of(group_id, names.SECURITY_GROUP)
            await self._client.call(
                "network", "network_security_groups.begin_delete", place.group, place.name, region=region
            )
        except NotFound:
            return


def _deny_all(direction: str, description: str) -> dict[str, Any]:
    return {
        "name": f"deny-all-{direction.lower()}",
        "properties": {
            "description": description[:_DESCRIPTION_CHARACTERS_MAX],
            "direction": direction,
            "access": "Deny",
            "priority": _HIGHEST_PRIORITY,
            "protocol": _ANY,
            "sourceAddressPrefix": _ANY,
            "sourcePortRange": _ANY,
            "destinationAddressPrefix": _ANY,
            "destinationPortRange": _ANY,
        },
    }


def _group(answer: Mapping[str, Any]) -> SecurityGroup:
    properties = answer["properties"]
    rules = [
        each["properties"]
        for each in (*(properties.get("securityRules") or []), *(properties.get("defaultSecurityRules") or []))
    ]
    return SecurityGroup(
        id=names.canonical(answer["id"]),
        name=answer["name"],
        region=answer["location"],
        network_id=None,  # a group belongs to no network: it is put on interfaces
        ingress_rules=allowing(rules, "Inbound"),
        egress_rules=allowing(rules, "Outbound"),
        tags=azure_tags.from_azure(answer.get("tags")),
    )


def allowing(rules: list[Mapping[str, Any]], direction: str) -> int:
    """How many rules let something through: those that allow and are asked before one that denies everything."""
    count = 0
    for rule in sorted((each for each in rules if each["direction"] == direction), key=lambda each: each["priority"]):
        if rule["access"] == "Allow":
            count += 1
        elif _denies_all(rule):
            return count
    return count


def _denies_all(rule: Mapping[str, Any]) -> bool:
    sides = ("protocol", "sourceAddressPrefix", "sourcePortRange", "destinationAddressPrefix", "destinationPortRange")
    return all(rule.get(side) == _ANY for side in sides)
