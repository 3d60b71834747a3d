"""How are domains of Linode's DNS made, read, changed and removed, with their records?

Through libcloud's connection, but not its DNS driver: that forgets the tag of a CAA record, cannot ask for a domain by
name or tag, and reads numbered pages without noticing that they moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetSpec, AssetState
from shared.clouds.errors import NotFound
from shared.clouds.linode import dns_records
from shared.clouds.linode.assets import LinodeAssets, created_at
from shared.clouds.linode.lists import PAGE_MAX, Document, pages_of
from shared.clouds.linode.tags import TAGS
from shared.clouds.models import TOKEN_TAG

_STATES: Mapping[str, AssetState] = {"disabled": AssetState.STOPPED, "has_errors": AssetState.FAILED}


class LinodeDnsZones(LinodeAssets):
    """A domain has no label, and its name is the client's: it is found by the tag that holds the token."""

    resource_type, resource_subtype = "dns", "domain"
    is_global = True
    path, noun = "/v4/domains", "domains"

    def naming(self, region: str, token: str) -> dict[str, object]:  # noqa: ARG002 - a domain has no region
        return {"tags": TAGS.words_of(TOKEN_TAG, token)[0]}

    async def body(self, region: str, spec: AssetSpec, words: list[str]) -> dict[str, Any]:  # noqa: ARG002
        wanted = spec.configuration
        return {"domain": wanted["zone_name"], "type": "master", "soa_email": wanted["soa_email"], "tags": words}

    async def complete(self, region: str, document: Document, configuration: Mapping[str, Any]) -> None:  # noqa: ARG002
        await self._put(document, configuration["records"], all_of_it=False)

    async def whole(self, document: Document) -> Asset:
        """One call more: its records."""
        records = await self._records(str(document["id"]))
        with self._client.reading("domains.get"):
            zone = str(document["domain"]).lower()
            others = [each for each in records if not dns_records.is_plain(each, zone)]
            return Asset(
                id=str(document["id"]),
                name=zone,
                state=_STATES.get(str(document["status"]), AssetState.AVAILABLE),
                region=GLOBAL_REGION,
                tags=self.tags(document),
                configuration={
                    "zone_name": zone,
                    "soa_email": document.get("soa_email") or None,
                    "records": dns_records.from_linode(records, zone),
                },
                facts={
                    "role": document.get("type"),
                    "other_records": sorted(f"{each['name']} {each['type']}" for each in others),
                },
                links=dns_records.links(records),
                created_at=created_at(document) if document.get("created") else None,
            )

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        document = await self.document(region, asset_id, "domains.update")
        if document.get("soa_email") != configuration["soa_email"]:
            await self.update(region, asset_id, {"soa_email": configuration["soa_email"]})
        await self._put(document, configuration["records"], all_of_it=True)

    async def _put(self, document: Document, wanted: list[Mapping[str, Any]], *, all_of_it: bool) -> None:
        domain = str(document["id"])
        there = await self._records(domain)
        with self._client.reading("records.list"):
            made = dns_records.changes(there, wanted, str(document["domain"]).lower(), all_of_it=all_of_it)
        path = f"{self.path}/{domain}/records"
        for record in made.gone:
            await self._remove(f"{path}/{record}")
        for record, body in made.updated:
            await self._client.request("records.update", "PUT", f"{path}/{record}", document=body)
        for body in made.added:
            await self._client.request("records.create", "POST", path, document=body)
        for record in made.gone_at_last:
            await self._remove(f"{path}/{record}")

    async def _remove(self, path: str) -> None:
        try:
            await self._client.request("records.delete", "DELETE", path)
        except NotFound:
            return

    async def _records(self, domain: str) -> list[Document]:
        path = f"{self.path}/{domain}/records"
        pages = pages_of(self._client, "records.list", path, region=GLOBAL_REGION, page_size=PAGE_MAX)
        return [each async for page in pages for each in page]
