"""How are domains made, read, changed and removed, with their records?

Source: docs.digitalocean.com/reference/api, "Domains" and "Domain Records". Records go through libcloud's driver, but
for CAA, which it has no words for; its `create_zone` gives every domain an address, and its lists do not notice when
pages move meanwhile, so those go past it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from libcloud.dns.base import Record, Zone
from libcloud.dns.drivers.digitalocean import DigitalOceanDNSDriver

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetSpec, AssetState
from shared.clouds.digitalocean import dns_records
from shared.clouds.digitalocean.assets import DigitalOceanAssets
from shared.clouds.digitalocean.dns_models import MARK
from shared.clouds.digitalocean.dns_records import Changes, Value
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import Document, pages_of
from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.errors import NotFound
from shared.clouds.libcloud.refusals import tags_not_kept
from shared.clouds.models import TOKEN_TAG

_MARKED = f"{TOKEN_TAG}="
_MARK_TTL_S = 3600
_RECORDS = "records"


class DigitalOceanDnsZones(DigitalOceanAssets):
    """A domain is named by itself; nobody else at DigitalOcean can have it then. It has no tags, and what a record
    holds the whole world can read: so of ours only the token is kept, in a TXT record.

    A domain is made in steps. With the first one goes an address for the domain itself, made of the token (127.0.0.0/8
    leads nowhere), by which a repeat knows the domain again before it has its TXT record; then that address goes.
    """

    resource_type, resource_subtype = "dns", "domain"
    path, name, names, key = "/v2/domains", "domain", "domains", "name"
    is_global = True
    id_pattern = re.compile(r"([a-z0-9_-]{1,63}\.)+[a-z0-9-]{1,63}")

    async def make(self, region: str, spec: AssetSpec) -> Asset:
        TAGS.check(spec.tags, operation="domains.create")
        body = {"name": spec.configuration["zone_name"], "ip_address": _address_of(spec.token)}
        answer = await self.ask("create", "POST", region, body=body, wants=(self.name,))
        return await self.completed(region, await self.whole(answer[self.name]), spec)

    async def completed(self, region: str, known: Asset, spec: AssetSpec) -> Asset:
        there = await self._records_of(known.id)
        if _token(there) is None:
            await self._add(known.id, Value(MARK, "TXT", f"{_MARKED}{spec.token}", _MARK_TTL_S))
        for each in there:
            if _is_first_address(each, spec.token):
                await self._remove(known.id, str(each["id"]))
        await self._put(known.id, spec.configuration["records"], and_no_others=False)
        return await self.get(region, known.id)

    def carries(self, asset: Asset, token: str) -> Asset | None:
        """Also a domain that has its first address only."""
        first = {"name": "@", "type": "A", "values": [_address_of(token)]}
        found = any(first == {name: each[name] for name in first} for each in asset.configuration[_RECORDS])
        if asset.token is None and found:
            return replace(asset, tags={TOKEN_TAG: token})
        return super().carries(asset, token)

    async def whole(self, document: Document) -> Asset:
        return self.told({**document, _RECORDS: await self._records_of(str(document["name"]))})

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        await self.document(region, asset_id)
        await self._put(asset_id, configuration[_RECORDS], and_no_others=True)

    async def delete(self, region: str, asset_id: str) -> None:  # noqa: ARG002 - a domain has no region
        """With all of its records."""
        if self.id_pattern.fullmatch(asset_id):
            ask = partial(_delete_zone, domain=asset_id)
            with suppress(NotFound):
                await self._client.call("domains.delete", ask, reads=False)

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:  # noqa: ARG002 - whichever
        """`Unsupported`, since everybody could read them."""
        await self.document(region, asset_id)
        raise tags_not_kept("domain", "everybody could read them", provider=PROVIDER, operation="domains.tag")

    def read(self, document: Document) -> Asset:
        name, records = str(document["name"]), list(document.get(_RECORDS) or ())
        token = _token(records)
        others = [each for each in records if not dns_records.is_plain(each) and not dns_records.is_own(each)]
        servers = {str(each["data"]) for each in records if (each["type"], each["name"]) == ("NS", "@")}
        return Asset(
            id=name,
            name=name,
            state=AssetState.AVAILABLE,  # DigitalOcean makes a domain at once and has no state of it
            region=GLOBAL_REGION,
            tags={} if token is None else {TOKEN_TAG: token},
            configuration={"zone_name": name, _RECORDS: dns_records.configured(records, name)},
            facts={
                "name_servers": sorted(servers),
                "other_records": sorted(f"{each['name']} {each['type']}" for each in others),
            },
            links=dns_records.links(records, name),
        )

    async def _records_of(self, domain: str) -> list[Document]:
        pages = pages_of(self._client, "domain_records", f"{self.path}/{domain}/records")
        return [each async for page in pages for each in page]

    async def _put(self, domain: str, wanted: list[Mapping[str, Any]], *, and_no_others: bool) -> None:
        """What goes goes first: beside a CNAME there is nothing. A repeat does what is left to do."""
        there = await self._records_of(domain)
        todo: Changes = dns_records.changes(there, wanted, domain, and_no_others=and_no_others)
        await asyncio.gather(*(self._remove(domain, each) for each in todo.gone))
        for record_id, value in todo.changed:
            await self._write("domain_records.update", "PUT", domain, value, record_id)
        await asyncio.gather(*(self._add(domain, each) for each in todo.new))

    async def _add(self, domain: str, value: Value) -> None:
        await self._write("domain_records.create", "POST", domain, value)

    async def _write(self, operation: str, method: str, domain: str, value: Value, record_id: str = "") -> None:
        body = dns_records.written(value)
        if value.type == "CAA":
            path = f"{self.path}/{domain}/records" + (f"/{record_id}" if record_id else "")
            await self._client.request(operation, method, path, document=body)
        else:
            ask = partial(_write_record, domain=domain, body=body, record_id=record_id)
            await self._client.call(operation, ask, reads=False)

    async def _remove(self, domain: str, record_id: str) -> None:
        with suppress(NotFound):
            ask = partial(_delete_record, domain=domain, record_id=record_id)
            await self._client.call("domain_records.delete", ask, reads=False)


def _token(records: list[Document]) -> str | None:
    marks = (str(each["data"]) for each in records if (each["name"], each["type"]) == (MARK, "TXT"))
    return next((each.removeprefix(_MARKED) for each in marks if each.startswith(_MARKED)), None)


def _address_of(token: str) -> str:
    """One of 127.0.0.0/8 that only this token has, but for one chance in 16 million."""
    first, second, third = hashlib.sha256(token.encode()).digest()[:3]
    return f"127.{first}.{second}.{third}"


def _is_first_address(record: Document, token: str) -> bool:
    return (record["name"], record["type"], record["data"]) == ("@", "A", _address_of(token))


def _zone(driver: DigitalOceanDNSDriver, domain: str) -> Zone:
    return Zone(domain, domain, "master", 0, driver)


def _write_record(driver: Any, *, domain: str, body: Mapping[str, Any], record_id: str) -> None:
    dns: DigitalOceanDNSDriver = driver.dns
    zone, extra = _zone(dns, domain), {name: body.get(name) for name in ("ttl", "priority", "port", "weight")}
    if record_id:
        record = Record(record_id, body["name"], body["type"], body["data"], zone, dns)
        dns.update_record(record, data=body["data"], extra=extra)
    else:
        dns.create_record(body["name"], zone, body["type"], body["data"], extra=extra)


def _delete_record(driver: Any, *, domain: str, record_id: str) -> None:
    """By its id: the rest is not asked for."""
    dns: DigitalOceanDNSDriver = driver.dns
    nothing: Any = ""
    dns.delete_record(Record(record_id, nothing, nothing, nothing, _zone(dns, domain), dns))


def _delete_zone(driver: Any, *, domain: str) -> None:
    dns: DigitalOceanDNSDriver = driver.dns
    dns.delete_zone(_zone(dns, domain))
