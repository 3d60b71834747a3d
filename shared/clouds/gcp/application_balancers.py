"""How are application load balancers made, read, changed and removed: HTTP(S) at a global address, before machines?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset
from shared.clouds.errors import Unsupported
from shared.clouds.gcp import balancer_facts
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.assets import Json
from shared.clouds.gcp.balancer_facts import CHECKS
from shared.clouds.gcp.cdn_facts import is_cdn
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.endpoint_groups import EndpointGroups
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.gcp.front_ends import SERVICES, Chain, Part
from shared.clouds.gcp.global_rules import GcpGlobalRules, Read


class GcpApplicationBalancers(GcpGlobalRules):
    """The backend is a service with a health check, before groups of machines. One that is kept copies of is a CDN's,
    and shown as that; rules of a region are shown among network load balancers.
    """

    resource_type, resource_subtype, named = "load_balancer", "application_load_balancer", "machines"

    def __init__(self, client: GcpClient) -> None:
        super().__init__(client)
        self._groups = EndpointGroups(client, self)

    def is_kind(self, backend_kind: str, backend: Json) -> bool:
        return not is_cdn(backend_kind, backend)

    async def make_backend(self, name: str, given: Json) -> str:
        """The service is made last: where it is, what is behind it was whole, and may have changed since."""
        path = f"global/{SERVICES}"
        if await self.one(SERVICES, name) is None:
            check = {"name": name, **balancer_facts.check_of(given["health_check"])}
            await self.put(Part(CHECKS, f"global/{CHECKS}", check))
            groups = await self._groups.fill(name, given["machines"], given["target_port"])
            service = {
                "name": name,
                "protocol": "HTTP",
                "loadBalancingScheme": "EXTERNAL_MANAGED",
                "healthChecks": [self.url(f"global/{CHECKS}/{name}")],
                **balancer_facts.service_of(given, groups, self.url),
            }
            await self.put(Part(SERVICES, path, service))
        return f"{path}/{name}"

    async def names_behind(self, name: str) -> list[tuple[str, str]]:
        groups = [("networkEndpointGroups", each) for each in await self._groups.named(name)]
        return [(SERVICES, f"global/{SERVICES}/{name}"), *groups, (CHECKS, f"global/{CHECKS}/{name}")]

    async def asset(self, chain: Chain, read: Read) -> Asset | None:
        name = balancer_facts.check_name(chain.backend)
        check = None if name is None else await read(CHECKS, name)
        members = await self._groups.members(balancer_facts.groups_of(chain.backend))
        return balancer_facts.asset_of(chain, check, members, self.rule_path(GLOBAL_REGION, chain.rule["name"]))

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """The service against the version that was read. Who is to go serves until it names who comes."""
        name = self.name_of(region, asset_id)
        chain = await self.chain(region, name)
        if not gcp_tags.is_name(name) or chain.backend["name"] != name:
            raise Unsupported(
                "notOurs", f"{name} is not before a service of our making", provider=PROVIDER,
                operation="backendServices.update",
            )  # fmt: skip
        check, asked = await self.one(CHECKS, name), balancer_facts.check_of(configuration["health_check"])
        if check is not None and not balancer_facts.says(check, asked):
            await self._update(CHECKS, {**check, **asked})
        groups = await self._groups.fill(name, configuration["machines"], configuration["target_port"])
        wanted = balancer_facts.service_of(configuration, groups, self.url)
        if not balancer_facts.says(chain.backend, wanted):
            await self._update(SERVICES, {**chain.backend, **wanted})
        await self._groups.prune(name, groups, configuration["machines"])

    async def _update(self, collection: str, body: Json) -> None:
        path = f"global/{collection}/{body['name']}"
        await self.done(f"{collection}.update", "PUT", path, GLOBAL_REGION, body=body)
