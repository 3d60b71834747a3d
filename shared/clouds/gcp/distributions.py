"""How is a CDN made, read, changed and removed: Cloud CDN, in the load balancer that it is a part of?"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetSpec
from shared.clouds.errors import CloudError, Conflict, FieldProblem, InvalidRequest, NotFound
from shared.clouds.gcp import cdn_facts, label_tags
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import last_part
from shared.clouds.gcp.assets import Json, is_refusal, not_found
from shared.clouds.gcp.cdn_facts import Chain
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.gcp.forwarding_rules import GcpForwardingRules, not_there
from shared.clouds.models import TOKEN_TAG

_CREATE = "globalForwardingRules.insert"
_ID = re.compile(r"global/forwardingRules/([a-z]([-a-z0-9]{0,61}[a-z0-9])?)")
_PAGE_MAX = 500
_PROXIES = ("targetHttpProxies", "targetHttpsProxies")
_Read = Callable[[str, str], Awaitable[Json | None]]
"""Reads one thing of a collection (`urlMaps`) by its name; None for one that is not there."""


class GcpDistributions(GcpForwardingRules):
    """Its global forwarding rule has the address and the labels, and its id. Behind that, with its name: a proxy (with
    a certificate and a policy of TLS), a URL map, a backend that is kept copies of, an endpoint group. With domains its
    address is reserved, and shared with a second rule, which sends those who come by HTTP to HTTPS.

    Somebody else's global rule that leads to such a backend by default is shown too, and may be tagged and removed;
    what is behind it stays. So two rules (one for each protocol) before one backend are two.
    """

    resource_type, resource_subtype, rules = "cdn", "cloud_cdn", "globalForwardingRules"
    is_global = True

    def rule_path(self, region: str, name: str) -> str:  # noqa: ARG002 - they belong to none
        return f"global/forwardingRules/{name}"

    def name_of(self, region: str, asset_id: str) -> str:
        found = _ID.fullmatch(asset_id)
        if found is None:
            raise not_found(asset_id[:200], region, f"{self.rules}.get")
        return found[1]

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """From the origin to the rule; a repeat makes what is missing, a refusal takes back what was made for it."""
        tags = gcp_tags.marked(spec.tags, spec.token, operation=_CREATE)
        label_tags.to_labels(tags, operation=_CREATE)  # too many are refused before anything is made
        name, given = gcp_tags.name_of(spec.token), spec.configuration
        text = gcp_tags.to_description({TOKEN_TAG: spec.token}, operation=_CREATE)
        if given["bucket"] is not None:
            await self._check_open(given["bucket"])
        try:
            if given["origin"] is not None:
                await self._insert(cdn_facts.group_part(name, given))
                await self._attach(name, given)
            for part in cdn_facts.parts(name, given, text, self.url):
                await self._insert(part)
        except CloudError as error:
            if is_refusal(error):
                with suppress(CloudError):  # what cannot be taken back now is used by the next try
                    await self._drop(region, name)
            raise
        await self.made(region, name, spec.token, _CREATE)
        await self.label(region, name, tags)
        return await self.look(region, name)

    async def get(self, region: str, asset_id: str) -> Asset:
        return await self.look(region, self.name_of(region, asset_id))

    async def look(self, region: str, name: str) -> Asset:
        found = _asset(await self._chain(await self.get_rule(region, name), self._one))
        if found is None:
            raise not_found(self.rule_path(region, name), region, f"{self.rules}.get")
        return found

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """What rules lead to is listed once, when there is a rule before a proxy; one call more for each endpoint."""
        path, size = f"/projects/{self._client.project}/global/forwardingRules", min(_PAGE_MAX, max(1, page_size))
        listed = _Listed(self._all)
        async for page in self._client.rest_pages("compute", f"{self.rules}.list", path, region, maxResults=size):
            chains = [await self._chain(each, listed) for each in page.get("items", [])]
            yield [found for each in chains if (found := _asset(each)) is not None]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        """Against the version that was read, where Google has one (of a service, not of a bucket)."""
        name = self.name_of(region, asset_id)
        chain = await self._chain(await self.get_rule(region, name), self._one)
        if chain is None:
            raise not_found(asset_id, region, f"{self.rules}.get")
        wanted = cdn_facts.cached_as(chain.backend, configuration)
        if wanted != chain.backend:
            path = f"global/{chain.backend_kind}/{chain.backend['name']}"
            await self.done(f"{chain.backend_kind}.update", "PUT", path, region, body=wanted)

    async def delete(self, region: str, asset_id: str) -> None:
        """The address first: nothing comes any more, then what it came to goes."""
        try:
            name = self.name_of(region, asset_id)
        except NotFound:
            return
        with suppress(NotFound):
            await self.look(region, name)  # a rule of another kind is not ours to remove
            await self.remove(region, [(self.rules, self.rule_path(region, name))])
        if gcp_tags.is_name(name):
            await self._drop(region, name)

    async def _drop(self, region: str, name: str) -> None:
        """What is of ours behind a rule, when that is not there (any more)."""
        if await self.if_any(f"{self.rules}.get", self.rule_path(region, name), region) is None:
            await self.remove(region, cdn_facts.names_of_parts(name))

    async def _check_open(self, bucket: str) -> None:
        """Raises InvalidRequest for a bucket that is not there, or that Google keeps closed to everybody."""
        try:
            found = await self._client.rest("storage", "buckets.get", "GET", f"/b/{bucket}")
        except NotFound as error:
            raise not_there(error, "bucket") from None
        if (found.get("iamConfiguration") or {}).get("publicAccessPrevention") == "enforced":
            problem = FieldProblem("bucket", f"{bucket} is kept closed to the public: Cloud CDN could not read it")
            raise InvalidRequest(
                "bucketNotPublic", problem.detail, provider=PROVIDER, operation=_CREATE, problems=(problem,)
            )

    async def _insert(self, part: cdn_facts.Part) -> None:
        field = "bucket" if "bucketName" in part.body else "origin"
        await self.insert(f"{part.api}.insert", part.path, GLOBAL_REGION, part.body, named=field)

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

    async def _chain(self, rule: Json, read: _Read) -> Chain | None:
        """None when it does not lead to a backend that is kept copies of."""
        kind, name = _collection(rule.get("target"))
        proxy = await read(kind, name) if kind in _PROXIES and "/global/" in rule["target"] else None
        urls = None if proxy is None else await read(*_collection(proxy.get("urlMap")))
        backend_kind, name = _collection((urls or {}).get("defaultService"))
        if backend_kind not in {cdn_facts.SERVICES, cdn_facts.BUCKETS}:
            return None
        backend = await read(backend_kind, name)
        if proxy is None or backend is None or not cdn_facts.is_cdn(backend_kind, backend):
            return None
        group = cdn_facts.group_of(backend)
        try:
            endpoint = None if group is None else await self._endpoint(group)
        except NotFound:  # it went since it was listed
            return None
        found = [await read(*_collection(each)) for each in proxy.get("sslCertificates", [])]
        return Chain(rule, backend_kind, backend, endpoint, [each for each in found if each is not None])

    async def _one(self, collection: str, name: str) -> Json | None:
        return await self.if_any(f"{collection}.get", f"global/{collection}/{name}", GLOBAL_REGION)

    async def _all(self, collection: str) -> dict[str, Json]:
        path = f"/projects/{self._client.project}/global/{collection}"
        pages = self._client.rest_pages("compute", f"{collection}.list", path)
        return {each["name"]: each async for page in pages for each in page.get("items", [])}


class _Listed:
    """Reads from lists, each asked for once, when something of it is wanted."""

    def __init__(self, every: Callable[[str], Awaitable[Mapping[str, Json]]]) -> None:
        self._every = every
        self._known: dict[str, Mapping[str, Json]] = {}

    async def __call__(self, collection: str, name: str) -> Json | None:
        if collection not in self._known:
            self._known[collection] = await self._every(collection)
        return self._known[collection].get(name)


def _asset(chain: Chain | None) -> Asset | None:
    return None if chain is None else cdn_facts.asset_of(chain, f"global/forwardingRules/{chain.rule['name']}")


def _collection(address: object) -> tuple[str, str]:
    """The collection and the name in an address; empty for none."""
    path = str(address or "")
    return last_part(path.rpartition("/")[0]), last_part(path)
