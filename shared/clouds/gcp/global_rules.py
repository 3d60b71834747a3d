"""How is a thing behind a global address made, read and removed: a CDN, an application load balancer?"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import ClassVar

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetSpec
from shared.clouds.errors import CloudError, NotFound
from shared.clouds.gcp import front_ends, label_tags
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.assets import Json, is_refusal, not_found
from shared.clouds.gcp.forwarding_rules import GcpForwardingRules
from shared.clouds.gcp.front_ends import BUCKETS, PROXIES, SERVICES, Chain, Part, collection_of
from shared.clouds.models import TOKEN_TAG

_CREATE = "globalForwardingRules.insert"
_ID = re.compile(r"global/forwardingRules/([a-z]([-a-z0-9]{0,61}[a-z0-9])?)")
_PAGE_MAX = 500
Read = Callable[[str, str], Awaitable[Json | None]]
"""Reads one global thing of a collection (`urlMaps`) by its name; None for one that is not there."""


class GcpGlobalRules(GcpForwardingRules):
    """Its global forwarding rule has the address and the labels, and its id. Behind that, with its name: a proxy (with
    a certificate and a policy of TLS), a URL map, and a backend, which is the kind's own. With domains its address is
    reserved, and shared with a second rule, which sends those who come by HTTP to HTTPS.

    Which kind a rule is of is decided by the backend that it leads to by default, so that no rule is of two. Somebody
    else's is shown too, and may be tagged and removed; what is behind it stays. One that leads to no backend (it
    redirects, as our second ones do) is of none.
    """

    rules, is_global = "globalForwardingRules", True
    named: ClassVar[str]
    """The field of the configuration that names what the backend stands on."""

    @abstractmethod
    def is_kind(self, backend_kind: str, backend: Json) -> bool:
        """Whether a rule that leads to this backend is of this kind."""

    @abstractmethod
    async def make_backend(self, name: str, given: Json) -> str:
        """The backend with all behind it, and its path. Idempotent."""

    @abstractmethod
    async def names_behind(self, name: str) -> list[tuple[str, str]]:
        """What `make_backend` may have made, as `remove` takes it."""

    @abstractmethod
    async def asset(self, chain: Chain, read: Read) -> Asset | None:
        """None when something of it went while it was read."""

    async def check(self, given: Json) -> None:
        """Raises InvalidRequest for what would be of no use, before anything is made."""

    def rule_path(self, region: str, name: str) -> str:  # noqa: ARG002 - they belong to none
        return f"global/forwardingRules/{name}"

    def name_of(self, region: str, asset_id: str) -> str:
        found = _ID.fullmatch(asset_id)
        if found is None:
            raise not_found(asset_id[:200], region, f"{self.rules}.get")
        return found[1]

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """From the backend to the rule; a repeat makes what is missing, a refusal takes back what was made for it."""
        tags = gcp_tags.marked(spec.tags, spec.token, operation=_CREATE)
        label_tags.to_labels(tags, operation=_CREATE)  # too many are refused before anything is made
        name, given = gcp_tags.name_of(spec.token), spec.configuration
        text = gcp_tags.to_description({TOKEN_TAG: spec.token}, operation=_CREATE)
        await self.check(given)
        try:
            backend = await self.make_backend(name, given)
            for part in front_ends.parts(name, backend, given["domains"], text, self.url):
                await self.put(part)
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
        chain = await self.chain(region, name)
        found = await self.asset(chain, self.one)
        if found is None:
            raise not_found(self.rule_path(region, name), region, f"{self.rules}.get")
        return found

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """What rules lead to is listed once, when there is a rule before a proxy; what is behind a backend is asked."""
        path, size = f"/projects/{self._client.project}/global/forwardingRules", min(_PAGE_MAX, max(1, page_size))
        listed = _Listed(self._all)
        async for page in self._client.rest_pages("compute", f"{self.rules}.list", path, region, maxResults=size):
            chains = [await self._chain(each, listed) for each in page.get("items", [])]
            found = [await self.asset(each, listed) for each in chains if each is not None]
            yield [each for each in found if each is not None]

    async def delete(self, region: str, asset_id: str) -> None:
        """The address first: nothing comes any more, then what it came to goes."""
        try:
            name = self.name_of(region, asset_id)
        except NotFound:
            return
        with suppress(NotFound):
            await self.chain(region, name)  # a rule of another kind is not ours to remove
            await self.remove(region, [(self.rules, self.rule_path(region, name))])
        if gcp_tags.is_name(name):
            await self._drop(region, name)

    async def put(self, part: Part, *, named: str = "") -> None:
        await self.insert(f"{part.api}.insert", part.path, GLOBAL_REGION, part.body, named=named or self.named)

    async def chain(self, region: str, name: str) -> Chain:
        """Of the rule of that name. `NotFound`, also for a rule of another kind."""
        found = await self._chain(await self.get_rule(region, name), self.one)
        if found is None:
            raise not_found(self.rule_path(region, name), region, f"{self.rules}.get")
        return found

    async def one(self, collection: str, name: str) -> Json | None:
        return await self.if_any(f"{collection}.get", f"global/{collection}/{name}", GLOBAL_REGION)

    async def _drop(self, region: str, name: str) -> None:
        """What is of ours behind a rule, when that is not there (any more)."""
        if await self.if_any(f"{self.rules}.get", self.rule_path(region, name), region) is None:
            await self.remove(region, front_ends.names_of_parts(name))
            await self.remove(region, await self.names_behind(name))

    async def _chain(self, rule: Json, read: Read) -> Chain | None:
        """None when it does not lead to a backend of this kind."""
        kind, name = collection_of(rule.get("target"))
        proxy = await read(kind, name) if kind in PROXIES and "/global/" in rule["target"] else None
        urls = None if proxy is None else await read(*collection_of(proxy.get("urlMap")))
        backend_kind, name = collection_of((urls or {}).get("defaultService"))
        if backend_kind not in {SERVICES, BUCKETS}:
            return None
        backend = await read(backend_kind, name)
        if proxy is None or backend is None or not self.is_kind(backend_kind, backend):
            return None
        found = [await read(*collection_of(each)) for each in proxy.get("sslCertificates", [])]
        return Chain(rule, backend_kind, backend, [each for each in found if each is not None])

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
