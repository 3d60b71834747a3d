"""How are DNS domains made, read, changed and removed, with their records?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from shared.clouds.assets import GLOBAL_REGION, Asset, Assets, AssetSpec, AssetState
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.refusals import not_found, tags_not_kept
from shared.clouds.libcloud.tokens import check_token
from shared.clouds.models import TOKEN_TAG
from shared.clouds.vultr import dns_records
from shared.clouds.vultr.dns_driver import ZoneDriver
from shared.clouds.vultr.dns_records import Line
from shared.clouds.vultr.errors import PROVIDER
from shared.clouds.vultr.lists import Document, moment_of, pages_of

_PATH = "/v2/domains"
_CREATE = "domains.create"
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9_-]{1,63}")
_KNOWN = (dns_records.is_plain, dns_records.is_own, dns_records.is_mark)

_Result = TypeVar("_Result")


class VultrDnsZones(Assets):
    """A domain is one only in all of Vultr, whoever has it; its id is its name. It has neither label nor tags, and what
    a record holds the whole world can read: so of our tags only the token is kept, in a text of its name `_canopy`.
    `client` has drivers that are `ZoneDriver`.

    A record is changed at a time: a change that breaks off is completed by its repeat.
    """

    resource_type, resource_subtype = "dns", "dns_domain"
    is_global = True

    def __init__(self, client: LibcloudClient) -> None:
        self._client = client

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        """The domain, its token, its records; a repeat adds what is missing.

        The token comes a call after the domain. So a domain that has nothing but its own name servers may be half made,
        and is taken for ours: nobody's words are lost by that. Any other without our token is a `Conflict`.
        """
        check_token(spec.token, provider=PROVIDER, operation=_CREATE)
        domain, wanted = str(spec.configuration["zone_name"]), spec.configuration
        async with self._client.one_create_of(domain):
            try:
                await self._document(domain)
            except NotFound:
                signed = {"dns_sec": bool(wanted["dnssec"])}
                await self._act(_CREATE, lambda driver: driver.create_zone(domain, extra=signed))
            there = await self._lines(domain)
            if all(dns_records.is_own(each) for each in there):
                await self._make(domain, dns_records.mark_of(spec.token))
            elif dns_records.token_of(there) != spec.token:
                detail = f"{domain} is there already"
                raise Conflict("already_exists", detail, provider=PROVIDER, operation=_CREATE)
            await self._put(domain, there, wanted["records"], and_no_others=False)
        return await self.get(region, domain)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        """One call for each domain: nothing finds a text."""
        check_token(token, provider=PROVIDER, operation="find_by_token")
        async for page in self.pages(region):
            found = next((each for each in page if each.token == token), None)
            if found is not None:
                return found
        return None

    async def get(self, region: str, asset_id: str) -> Asset:  # noqa: ARG002 - it has none
        document, lines = await asyncio.gather(self._document(asset_id), self._lines(asset_id))
        return self._read(document, lines)

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:
        """One call more for each domain's records."""
        async for page in pages_of(self._client, "domains", _PATH, region=region, page_size=page_size):
            names = [str(each.get("domain")) for each in page]
            found = await asyncio.gather(*map(self._lines_if_any, names))
            yield [self._read(each, lines) for each, lines in zip(page, found, strict=True) if lines is not None]

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:  # noqa: ARG002
        document, there = await asyncio.gather(self._document(asset_id), self._lines(asset_id))
        if self._read(document, there).configuration["dnssec"] != configuration["dnssec"]:
            body = {"dns_sec": "enabled" if configuration["dnssec"] else "disabled"}
            await self._client.request("domains.update", "PUT", f"{_PATH}/{asset_id}", document=body)
        await self._put(asset_id, there, configuration["records"], and_no_others=True)

    async def delete(self, region: str, asset_id: str) -> None:  # noqa: ARG002
        """With all its records."""
        if not _DOMAIN.fullmatch(asset_id):
            return
        try:
            await self._act("domains.delete", lambda driver: driver.delete_zone(driver.zone(asset_id)))
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:  # noqa: ARG002
        """`Unsupported`, since everybody could read them."""
        await self._document(asset_id)
        raise tags_not_kept("domain", "everybody could read them", provider=PROVIDER, operation="domains.tag")

    async def _put(
        self, domain: str, there: Iterable[Line], records: Iterable[Mapping[str, Any]], *, and_no_others: bool
    ) -> None:
        todo = dns_records.changes(there, dns_records.lines_of(records), and_no_others=and_no_others)
        await self._remove(domain, todo.gone_first)
        for line in todo.new:
            await self._make(domain, line)
        for line in todo.changed:
            await self._act("records.update", partial(ZoneDriver.keep_for, domain=domain, line=line))
        await self._remove(domain, todo.gone)

    async def _make(self, domain: str, line: Line) -> None:
        await self._act("records.create", partial(ZoneDriver.make, domain=domain, line=line))

    async def _remove(self, domain: str, lines: Iterable[Line]) -> None:
        for line in lines:
            try:
                await self._act("records.delete", partial(ZoneDriver.remove, domain=domain, line=line))
            except NotFound:
                continue

    async def _document(self, domain: str) -> Document:
        if not _DOMAIN.fullmatch(domain):
            raise not_found(f"domain {domain[:100]}", provider=PROVIDER, operation="domains.get")
        answer = await self._client.request("domains.get", "GET", f"{_PATH}/{domain}", wants=("domain",))
        document: Document = answer["domain"]
        return document

    async def _lines(self, domain: str) -> list[Line]:
        if not _DOMAIN.fullmatch(domain):
            raise not_found(f"domain {domain[:100]}", provider=PROVIDER, operation="records.list")
        return await self._client.call("records.list", lambda driver: driver.lines(domain), reads=True)

    async def _lines_if_any(self, domain: str) -> list[Line] | None:
        try:
            return await self._lines(domain)
        except NotFound:  # the domain went since it was listed
            return None

    async def _act(self, operation: str, ask: Callable[[ZoneDriver], _Result]) -> _Result:
        return await self._client.call(operation, ask, region=GLOBAL_REGION, reads=False)

    def _read(self, document: Document, lines: list[Line]) -> Asset:
        with self._client.reading("domains.get"):
            return _asset(document, lines)


def _asset(document: Document, lines: list[Line]) -> Asset:
    domain, token = str(document["domain"]), dns_records.token_of(lines)
    others = [each for each in lines if not any(known(each) for known in _KNOWN)]
    return Asset(
        id=domain,
        name=domain,
        state=AssetState.AVAILABLE,  # Vultr makes one at once and has no state of it
        region=GLOBAL_REGION,
        tags={} if token is None else {TOKEN_TAG: token},
        configuration={
            "zone_name": domain,
            "dnssec": document.get("dns_sec") == "enabled",
            "records": dns_records.records_of(each for each in lines if dns_records.is_plain(each)),
        },
        facts={
            "name_servers": sorted(each.value for each in lines if dns_records.is_own(each)),
            "other_records": sorted(f"{each.name or '@'} {each.type}" for each in others),
        },
        links=dns_records.links(lines),
        created_at=moment_of(document["date_created"]),
    )
