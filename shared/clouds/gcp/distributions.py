"""How is a CDN made, read, changed and removed: Cloud CDN, in the load balancer that it is a part of?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset
from shared.clouds.errors import Conflict, FieldProblem, InvalidRequest, NotFound
from shared.clouds.gcp import cdn_facts
from shared.clouds.gcp.assets import Json
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.gcp.forwarding_rules import not_there
from shared.clouds.gcp.front_ends import BUCKETS, SERVICES, Chain
from shared.clouds.gcp.global_rules import GcpGlobalRules, Read


class GcpDistributions(GcpGlobalRules):
    """The backend is one that is kept copies of: a bucket, or a service before an endpoint group of one server.

    Two rules of somebody else's (one for each protocol) before one backend are two.
    """

    resource_type, resource_subtype, named = "cdn", "cloud_cdn", "origin"

    def is_kind(self, backend_kind: str, backend: Json) -> bool:
        return cdn_facts.is_cdn(backend_kind, backend)

    async def check(self, given: Json) -> None:
        """Raises InvalidRequest for a bucket that is not there, or that Google keeps closed to everybody."""
        bucket = given["bucket"]
        if bucket is None:
            return
        try:
            found = await self._client.rest("storage", "buckets.get", "GET", f"/b/{bucket}")
        except NotFound as error:
            raise not_there(error, "bucket") from None
        if (found.get("iamConfiguration") or {}).get("publicAccessPrevention") == "enforced":
            problem = FieldProblem("bucket", f"{bucket} is kept closed to the public: Cloud CDN could not read it")
            raise InvalidRequest(
                "bucketNotPublic", problem.detail, provider=PROVIDER, operation="backendBuckets.insert",
                problems=(problem,),
            )  # fmt: skip

    async def make_backend(self, name: str, given: Json) -> str:
        if given["origin"] is not None:
            await self.put(cdn_facts.group_part(name, given))
            await self._attach(name, given)
        part = cdn_facts.backend_part(name, given, self.url)
        await self.put(part, named="bucket" if part.api == BUCKETS else self.named)
        return f"{part.path}/{name}"

    async def names_behind(self, name: str) -> list[tuple[str, str]]:
        backends = [(kind, f"global/{kind}/{name}") for kind in (SERVICES, BUCKETS)]
        return [*backends, ("globalNetworkEndpointGroups", f"global/networkEndpointGroups/{name}")]

    async def asset(self, chain: Chain, read: Read) -> Asset | None:  # noqa: ARG002 - endpoints have no list of all
        group = cdn_facts.group_of(chain.backend)
        try:
            endpoint = None if group is None else await self._endpoint(group)
        except NotFound:  # it went since it was listed
            return None
        return cdn_facts.asset_of(chain, endpoint, self.rule_path(GLOBAL_REGION, chain.rule["name"]))

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """Against the version that was read, where Google has one (of a service, not of a bucket)."""
        chain = await self.chain(region, self.name_of(region, asset_id))
        wanted = cdn_facts.cached_as(chain.backend, configuration)
        if wanted != chain.backend:
            path = f"global/{chain.backend_kind}/{chain.backend['name']}"
            await self.done(f"{chain.backend_kind}.update", "PUT", path, region, body=wanted)

    async def _attach(self, name: str, given: Json) -> None:
        """A group has one endpoint; of several creates of one token at once another may be faster."""
        if await self._endpoint(name) is not None:
            return
        path = f"global/networkEndpointGroups/{name}/attachNetworkEndpoints"
        body = {"networkEndpoints": [cdn_facts.endpoint_of(given)]}
        try:
            await self.done("globalNetworkEndpointGroups.attachNetworkEndpoints", "POST", path, GLOBAL_REGION,
                                    body=body)  # fmt: skip
        except (Conflict, InvalidRequest):
            if await self._endpoint(name) is None:
                raise

    async def _endpoint(self, group: str) -> Json | None:
        """The first one; Google reads them by a POST."""
        path = f"global/networkEndpointGroups/{group}/listNetworkEndpoints"
        found = await self.compute("globalNetworkEndpointGroups.listNetworkEndpoints", "POST", path, GLOBAL_REGION)
        endpoints = [each["networkEndpoint"] for each in found.get("items", [])]
        return endpoints[0] if endpoints else None
