"""How is an instance walled in: two firewall rules that deny everything to whoever carries a network tag?

Google has no groups: a firewall rule names network tags, and an instance carries some. A group is therefore a tag with
its two rules, and its id is the tag. The rules have the highest priority, 0, where a deny wins over an allow. What they
cannot keep out is Google's own metadata server (169.254.169.254), which no rule of a network reaches, and rules of an
organization's firewall policy, which come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.capabilities import Machines, Networks
from shared.clouds.errors import Conflict, NotFound, StillWorking
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.gcp.operations import Operations
from shared.clouds.models import SecurityGroup

_NETWORK = "default"
_EVERYWHERE = "0.0.0.0/0"
_DIRECTIONS: Mapping[str, str] = {"INGRESS": "-in", "EGRESS": "-out"}
"""The endings of the two rules' names."""


class GcpNetworks(Networks):
    """A tag's name is made of its region and token; so are its rules' names, which makes their creation repeatable."""

    def __init__(self, client: GcpClient, machines: Machines) -> None:
        self._client = client
        self._machines = machines
        self._operations = Operations(client)

    async def create_isolated_group(
        self, region: str, *, token: str, tags: Mapping[str, str], description: str
    ) -> SecurityGroup:
        """Firewall rules have neither labels nor metadata: the tags are in their descriptions."""
        marked = gcp_tags.marked(tags, token, operation="firewalls.insert")
        text = gcp_tags.to_description(marked, description, operation="firewalls.insert")
        name = gcp_tags.name_of(token, region)
        await self._client.read("networks.get", region, "global", "networks", _NETWORK)
        for direction in _DIRECTIONS:
            await self._deny(region, name, direction, text)
        group = await self._found(region, name)
        if group is None or group.ingress_rules or group.egress_rules:
            raise StillWorking(
                "resourceNotReady",
                f"The rules of {name} do not deny everything yet",
                provider=PROVIDER,
                operation="firewalls.get",
            )
        return group

    async def find_by_token(self, region: str, token: str) -> SecurityGroup | None:
        gcp_tags.check_token(token, operation="find_by_token")
        return await self._found(region, gcp_tags.name_of(token, region))

    async def of_machine(self, region: str, machine_id: str) -> tuple[str, ...]:
        return (await self._machines.get(region, machine_id)).security_groups

    async def delete_group(self, region: str, group_id: str) -> None:
        """Google would delete the rules below a machine that they wall in, so the machines are asked first."""
        async for page in self._machines.pages(region):
            for machine in page:
                if group_id in machine.security_groups:
                    raise Conflict(
                        "resourceInUseByAnotherResource",
                        f"{machine.id} is still in {group_id}",
                        provider=PROVIDER,
                        operation="firewalls.delete",
                    )
        for ending in _DIRECTIONS.values():
            try:
                operation = await self._client.call("firewalls", "delete_unary", region, firewall=group_id + ending)
            except NotFound:
                continue
            await self._operations.settled(operation, region, name="firewalls.delete")

    async def _deny(self, region: str, name: str, direction: str, text: str) -> None:
        ranges = "source_ranges" if direction == "INGRESS" else "destination_ranges"
        body = {
            "name": name + _DIRECTIONS[direction],
            "description": text,
            "network": f"projects/{self._client.project}/global/networks/{_NETWORK}",
            "direction": direction,
            "priority": 0,
            "denied": [{"I_p_protocol": "all"}],
            "target_tags": [name],
            ranges: [_EVERYWHERE],
        }
        try:
            operation = await self._client.call("firewalls", "insert_unary", region, firewall_resource=body)
            await self._operations.settled(operation, region, name="firewalls.insert")
        except Conflict as error:
            if error.code != "alreadyExists":
                raise

    async def _found(self, region: str, name: str) -> SecurityGroup | None:
        """None unless one of the two rules is there; a direction without its wall counts as one open rule."""
        rules: dict[str, Any] = {}
        for direction, ending in _DIRECTIONS.items():
            try:
                rules[direction] = await self._client.read(
                    "firewalls.get", region, "global", "firewalls", name + ending
                )
            except NotFound:
                continue
        if not rules:
            return None
        first = next(iter(rules.values()))
        opened = {each: int(not _denies_all(rules.get(each), each, name)) for each in _DIRECTIONS}
        return SecurityGroup(
            id=name,
            name=name,
            region=region,
            network_id=from_project(first["network"]),
            ingress_rules=opened["INGRESS"],
            egress_rules=opened["EGRESS"],
            tags=gcp_tags.from_description(first.get("description", ""), {}),
        )


def _denies_all(rule: Mapping[str, Any] | None, direction: str, tag: str) -> bool:
    if rule is None:
        return False
    ranges = rule.get("sourceRanges" if direction == "INGRESS" else "destinationRanges")
    return (
        rule.get("direction") == direction
        and rule.get("priority", 0) == 0
        and not rule.get("disabled")
        and not rule.get("allowed")
        and [each.get("IPProtocol") for each in rule.get("denied", [])] == ["all"]
        and ranges == [_EVERYWHERE]
        and rule.get("targetTags") == [tag]
    )
