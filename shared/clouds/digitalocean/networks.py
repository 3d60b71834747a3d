"""How is a droplet walled in: a cloud firewall that opens to nobody?

DigitalOcean's firewalls let through what a rule names and nothing else, in and out, and want at least one rule. Ours
lets in TCP to port 9 (discard) from 192.0.2.1, an address for documentation that nobody has and no network carries
(RFC 5737): nothing that exists can use it, so it opens nothing. Sources: docs.digitalocean.com/products/networking/
firewalls; "at least one rule": the checks of DigitalOcean's Terraform provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from shared.clouds.capabilities import Networks
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import PAGE_MAX, Document, pages_of
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.digitalocean.walls import wall_name, wall_tag
from shared.clouds.errors import Conflict, NotFound, StillWorking
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found
from shared.clouds.libcloud.tokens import check_token
from shared.clouds.models import TOKEN_TAG, SecurityGroup

_PATH = "/v2/firewalls"
_PORT, _NOBODY = "9", "192.0.2.1"
_RULE: Mapping[str, Any] = {"protocol": "tcp", "ports": _PORT, "sources": {"addresses": [_NOBODY]}}


class DigitalOceanNetworks(Networks):
    """A firewall's name is unique in its account: the one made of region and token makes a create repeatable. A
    firewall has no tags of its own (its tags choose droplets), so that of ours only the token is known again.
    """

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def create_isolated_group(
        self, region: str, *, token: str, tags: Mapping[str, str], description: str
    ) -> SecurityGroup:
        """DigitalOcean keeps no description either."""
        del description
        operation, name = "firewalls.create", wall_name(region, token)
        TAGS.to_words(tags, token, operation=operation)
        async with self._client.one_create_of(name):
            firewall = await self._named(region, name)
            if firewall is None:
                firewall = await self._create(region, name, operation)
        group = self._read(firewall, region, token)
        if group.ingress_rules or group.egress_rules or firewall.get("status") == "failed":
            detail = f"Firewall {group.id} is not closed"
            raise StillWorking("rules_remain", detail, provider=PROVIDER, operation=operation)
        return group

    async def find_by_token(self, region: str, token: str) -> SecurityGroup | None:
        check_token(token, provider=PROVIDER, operation="find_by_token")
        firewall = await self._named(region, wall_name(region, token))
        return None if firewall is None else self._read(firewall, region, token)

    async def of_machine(self, region: str, machine_id: str) -> tuple[str, ...]:
        """The firewalls that are in force: one whose change is still under way does not count."""
        operation = "droplets.firewalls"
        if not machine_id.isdecimal():
            raise not_found(f"droplet {machine_id} in {region}", provider=PROVIDER, operation=operation)
        path, query = f"/v2/droplets/{machine_id}/firewalls", {"per_page": PAGE_MAX}
        answer = await self._client.request(operation, "GET", path, region=region, query=query, wants=("firewalls",))
        with self._client.reading(operation):
            return tuple(sorted(str(each["id"]) for each in answer["firewalls"] if not _is_coming(each, machine_id)))

    async def delete_group(self, region: str, group_id: str) -> None:
        """DigitalOcean would take the wall away from droplets that it stands around: such a one stays."""
        path = f"{_PATH}/{quote(group_id)}"
        try:
            answer = await self._client.request("firewalls.get", "GET", path, region=region, wants=("firewall",))
            tag = wall_tag(answer["firewall"]["tags"] or ())
            if answer["firewall"]["droplet_ids"] or (tag is not None and await self._has_droplets(region, tag)):
                detail = f"Firewall {group_id} still has droplets"
                raise Conflict("in_use", detail, provider=PROVIDER, operation="firewalls.delete")
            await self._client.request("firewalls.delete", "DELETE", path, region=region)
            if tag is not None:
                await self._client.request("tags.delete", "DELETE", f"/v2/tags/{tag}", region=region)
        except NotFound:
            return

    async def _create(self, region: str, name: str, operation: str) -> Document:
        """The tag has to be there first; making it again is success."""
        await self._client.request("tags.create", "POST", "/v2/tags", region=region, document={"name": name})
        body = {"name": name, "inbound_rules": [_RULE], "outbound_rules": [], "droplet_ids": [], "tags": [name]}
        try:
            answer = await self._client.request(
                operation, "POST", _PATH, region=region, document=body, wants=("firewall",)
            )  # fmt: skip
        except Conflict:
            known = await self._named(region, name)
            if known is None:
                raise
            return known
        made: Document = answer["firewall"]
        return made

    async def _named(self, region: str, name: str) -> Document | None:
        async for page in pages_of(self._client, "firewalls", _PATH, region=region):
            for each in page:
                if each.get("name") == name:
                    return each
        return None

    async def _has_droplets(self, region: str, tag: str) -> bool:
        query = {"tag_name": tag, "per_page": 1}
        answer = await self._client.request(
            "droplets.list", "GET", "/v2/droplets", region=region, query=query, wants=("droplets",)
        )
        return bool(answer["droplets"])

    def _read(self, document: Document, region: str, token: str) -> SecurityGroup:
        with self._client.reading("firewalls.get"):
            return SecurityGroup(
                id=str(document["id"]),
                name=str(document["name"]),
                region=region,
                network_id=None,
                ingress_rules=sum(not _opens_to_nobody(each) for each in document["inbound_rules"] or ()),
                egress_rules=len(document["outbound_rules"] or ()),
                tags={TOKEN_TAG: token},
            )


def _opens_to_nobody(rule: Document) -> bool:
    """Whether it is our one rule, however DigitalOcean writes it."""
    sources = {name: value for name, value in rule["sources"].items() if value}
    addresses = [str(each).removesuffix("/32") for each in sources.get("addresses", ())]
    return (rule["protocol"], str(rule["ports"])) == ("tcp", _PORT) and (
        set(sources) == {"addresses"} and addresses == [_NOBODY]
    )


def _is_coming(firewall: Document, machine_id: str) -> bool:
    return any(str(each.get("droplet_id")) == machine_id for each in firewall.get("pending_changes") or ())
