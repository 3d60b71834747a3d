"""How is a Linode walled in: a firewall whose policies drop everything, both ways, and that has no rules?

A Linode is created in it, so that there is no moment without. Source: techdocs.akamai.com/linode-api/reference,
"Create a firewall". Firewalls belong to no region; ours are of the region that their label is made for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.capabilities import Networks
from shared.clouds.errors import Conflict, NotFound, StillWorking
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found
from shared.clouds.libcloud.tags import from_words
from shared.clouds.libcloud.tokens import check_token, name_of
from shared.clouds.linode.errors import PROVIDER
from shared.clouds.linode.lists import PAGE_MAX, Document, page_of
from shared.clouds.linode.tags import TAGS
from shared.clouds.models import TOKEN_TAG, SecurityGroup

_PATH = "/v4/networking/firewalls"
_DROP = "DROP"
_WALL: Mapping[str, Any] = {"inbound": [], "inbound_policy": _DROP, "outbound": [], "outbound_policy": _DROP}


class LinodeNetworks(Networks):
    """A label is unique in its account: the one made of region and token makes a create repeatable."""

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def create_isolated_group(
        self, region: str, *, token: str, tags: Mapping[str, str], description: str
    ) -> SecurityGroup:
        """Linode keeps no description of a firewall."""
        del description
        operation = "firewalls.create"
        words = TAGS.to_words(tags, token, operation=operation)
        group = await self.find_by_token(region, token)
        if group is None:
            body = {"label": _label(region, token), "rules": _WALL, "tags": words}
            try:
                made = await self._client.request(operation, "POST", _PATH, region=region, document=body)
                group = self._read(made, region)
            except Conflict:
                group = await self.find_by_token(region, token)
                if group is None:
                    raise
        if group.ingress_rules or group.egress_rules:
            detail = f"Firewall {group.id} lets something through"
            raise StillWorking("rules_remain", detail, provider=PROVIDER, operation=operation)
        return group

    async def find_by_token(self, region: str, token: str) -> SecurityGroup | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        filters = {"label": _label(region, token)}
        page = await page_of(self._client, "firewalls.list", _PATH, region=region, filters=filters)
        found = [self._read(each, region) for each in page.things]
        return next((each for each in found if each.tags.get(TOKEN_TAG) == token), None)

    async def of_machine(self, region: str, machine_id: str) -> tuple[str, ...]:
        operation = "instances.firewalls"
        if not machine_id.isdecimal():
            raise not_found(f"Linode {machine_id} in {region}", provider=PROVIDER, operation=operation)
        path = f"/v4/linode/instances/{machine_id}/firewalls"
        page = await page_of(self._client, operation, path, region=region, size=PAGE_MAX)
        with self._client.reading(operation):
            return tuple(str(each["id"]) for each in page.things if each["status"] == "enabled")

    async def delete_group(self, region: str, group_id: str) -> None:
        """Linode would take the wall away from a machine that it stands around: such a one stays."""
        if not group_id.isdecimal():
            return
        path = f"{_PATH}/{group_id}"
        try:
            firewall = await self._client.request("firewalls.get", "GET", path, region=region, wants=("entities",))
            if firewall["entities"]:
                detail = f"Firewall {group_id} still has machines"
                raise Conflict("in_use", detail, provider=PROVIDER, operation="firewalls.delete")
            await self._client.request("firewalls.delete", "DELETE", path, region=region)
        except NotFound:
            return

    def _read(self, document: Document, region: str) -> SecurityGroup:
        with self._client.reading("firewalls.get"):
            rules, enabled = document["rules"], document["status"] == "enabled"
            return SecurityGroup(
                id=str(document["id"]),
                name=str(document["label"]),
                region=region,
                network_id=None,
                ingress_rules=_openings(rules, "inbound", enabled=enabled),
                egress_rules=_openings(rules, "outbound", enabled=enabled),
                tags=from_words(document["tags"]),
            )


def _openings(rules: Document, direction: str, *, enabled: bool) -> int:
    """What lets something through: rules that accept, and a policy that does or is not in force."""
    is_open = not enabled or rules[f"{direction}_policy"] != _DROP
    return int(is_open) + len([each for each in rules[direction] or [] if each["action"] != _DROP])


def _label(region: str, token: str) -> str:
    return name_of(f"{region}/{token}")
