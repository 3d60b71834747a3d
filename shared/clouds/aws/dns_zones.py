"""How are hosted zones of Route 53 made with their records, found, changed and removed?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from shared.clouds.assets import GLOBAL_REGION, Asset, AssetLink, Assets, AssetSpec, AssetState
from shared.clouds.aws import dns_records
from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.dns_records import RecordSet
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.aws.paging import pages_by, still_there
from shared.clouds.errors import Conflict, NotFound, ProviderFault
from shared.clouds.models import TOKEN_TAG

_SERVICE = "route53"
_REFERENCE = "canopy/"
_TAGS_A_CALL_MAX = 10  # API_ChangeTagsForResource, AddTags; API_ListTagsForResources, ResourceIds
_SETS_MAX = 1000
"""More record sets than this are not read: such a zone shows their number and not what they say."""


class AwsDnsZones(Assets):
    """A zone's id is Route 53's, without `/hostedzone/`. The reference of its making carries the token.

    Route 53 refuses a reference that it knows, so a create makes one zone however often it is repeated; the tags come
    in a second call. All records are ours to set but those that name the zone's servers, and those that our
    configuration has no words for (aliases, weights): these stay, and a zone with such is not deleted.
    """

    resource_type = "dns"
    resource_subtype = "route53_zone"
    is_global = True

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def create(self, region: str, spec: AssetSpec) -> Asset:
        aws_tags.check_token(spec.token, operation="CreateHostedZone")
        listed = aws_tags.to_aws({**spec.tags, TOKEN_TAG: spec.token}, operation="ChangeTagsForResource")
        zone_id = await self._make(spec)
        await self._add_tags(zone_id, listed)
        await self.change(region, zone_id, spec.configuration)
        return await self.get(region, zone_id)

    async def find_by_token(self, region: str, token: str) -> Asset | None:
        aws_tags.check_token(token, operation="find_by_token")
        zone_id = await self._by_reference(token)
        return None if zone_id is None else await self.get(region, zone_id)

    async def get(self, region: str, asset_id: str) -> Asset:  # noqa: ARG002 - zones belong to none
        answer = await self._call("GetHostedZone", Id=asset_id)
        tags = await self._tags([asset_id])
        return await self._read(answer["HostedZone"], tags)

    async def pages(self, region: str, *, page_size: int = 100) -> AsyncIterator[list[Asset]]:  # noqa: ARG002
        """1 to 100 a page (API_ListHostedZones, MaxItems)."""
        async for zones in self._listed(min(100, max(1, page_size))):
            tags = await self._tags([_id(each) for each in zones])
            yield await still_there(self._read(each, tags) for each in zones)

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:  # noqa: ARG002
        wanted = [dns_records.to_aws(each) for each in configuration["records"]]
        changes = dns_records.changes(await self._sets(asset_id), wanted)
        await self._apply(asset_id, changes)

    async def delete(self, region: str, asset_id: str) -> None:  # noqa: ARG002
        try:
            sets = await self._sets(asset_id)
            others = [each for each in sets if not dns_records.is_plain(each) and not dns_records.is_own(each, sets)]
            if others:
                shown = ", ".join(sorted({f"{each['Name']} {each['Type']}" for each in others})[:5])
                raise Conflict(
                    "HostedZoneNotEmpty", f"The zone has records that we did not make: {shown}",
                    provider=PROVIDER, operation="DeleteHostedZone",
                )  # fmt: skip
            await self._apply(asset_id, dns_records.changes(sets, []))
            await self._call("DeleteHostedZone", Id=asset_id)
        except NotFound:
            return

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:  # noqa: ARG002
        await self._add_tags(asset_id, aws_tags.to_aws(tags, operation="ChangeTagsForResource"))

    async def _make(self, spec: AssetSpec) -> str:
        """The zone's id."""
        given = spec.configuration
        network = given["network_id"]
        private: dict[str, Any] = (
            {} if network is None else {"VPC": {"VPCId": network, "VPCRegion": given["network_region"]}}
        )
        try:
            answer = await self._call(
                "CreateHostedZone",
                Name=given["name"],
                CallerReference=f"{_REFERENCE}{spec.token}",
                HostedZoneConfig={"Comment": "made by Canopy", "PrivateZone": network is not None},
                **private,
            )
        except Conflict:
            known = await self._by_reference(spec.token)
            if known is None:
                raise
            return known
        return _id(answer["HostedZone"])

    async def _by_reference(self, token: str) -> str | None:
        async for zones in self._listed(100):
            for each in zones:
                if each["CallerReference"] == f"{_REFERENCE}{token}":
                    return _id(each)
        return None

    async def _listed(self, size: int) -> AsyncIterator[list[dict[str, Any]]]:
        async for page in pages_by(
            self._client, _SERVICE, self._client.default_region, "ListHostedZones", "Marker",
            lambda page: page.get("NextMarker"), MaxItems=str(size),
        ):  # fmt: skip
            yield page["HostedZones"]

    async def _tags(self, zone_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """By id. One that went meanwhile would spoil the answer for all that are asked with it, so then one by one."""
        parts = [zone_ids[first : first + _TAGS_A_CALL_MAX] for first in range(0, len(zone_ids), _TAGS_A_CALL_MAX)]
        try:
            answers = await asyncio.gather(*(self._tags_of(part) for part in parts))
        except NotFound:
            answers = await still_there(self._tags_of([each]) for each in zone_ids)
        return {zone_id: tags for answer in answers for zone_id, tags in answer.items()}

    async def _tags_of(self, zone_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        answer = await self._call("ListTagsForResources", ResourceType="hostedzone", ResourceIds=list(zone_ids))
        return {each["ResourceId"]: aws_tags.from_aws(each.get("Tags")) for each in answer["ResourceTagSets"]}

    async def _add_tags(self, zone_id: str, listed: Sequence[dict[str, str]]) -> None:
        for first in range(0, len(listed), _TAGS_A_CALL_MAX):
            part = list(listed[first : first + _TAGS_A_CALL_MAX])
            await self._call("ChangeTagsForResource", ResourceType="hostedzone", ResourceId=zone_id, AddTags=part)

    async def _sets(self, zone_id: str) -> list[RecordSet]:
        """All record sets of the zone. A set is named by its name, type and identifier; so is the next one."""
        found: list[RecordSet] = []
        start: dict[str, str] = {}
        while True:
            page = await self._call("ListResourceRecordSets", HostedZoneId=zone_id, **start)
            found += page["ResourceRecordSets"]
            if not page["IsTruncated"]:
                return found
            following = {
                f"Start{name}": page[f"Next{name}"]
                for name in ("RecordName", "RecordType", "RecordIdentifier")
                if page.get(f"Next{name}")
            }
            if following == start:
                raise ProviderFault(
                    "repeated_page", "The same page came twice", provider=PROVIDER, operation="ListResourceRecordSets"
                )
            start = following

    async def _apply(self, zone_id: str, changes: Sequence[dict[str, Any]]) -> None:
        for part in dns_records.batches(changes):
            await self._call("ChangeResourceRecordSets", HostedZoneId=zone_id, ChangeBatch={"Changes": part})

    async def _read(self, zone: Mapping[str, Any], tags: Mapping[str, dict[str, str]]) -> Asset:
        zone_id = _id(zone)
        is_private = bool(zone.get("Config", {}).get("PrivateZone"))
        few = zone.get("ResourceRecordSetCount", 0) <= _SETS_MAX
        sets, networks = await asyncio.gather(
            self._sets(zone_id) if few else _none(), self._networks(zone_id) if is_private else _none()
        )
        return _zone(zone, tags.get(zone_id, {}), sets if few else None, networks)

    async def _networks(self, zone_id: str) -> list[dict[str, str]]:
        """Those that a private zone is known in."""
        answer = await self._call("GetHostedZone", Id=zone_id)
        found = [{"id": each["VPCId"], "region": each["VPCRegion"]} for each in answer.get("VPCs", [])]
        return sorted(found, key=lambda each: each["id"])

    async def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return await self._client.call(_SERVICE, self._client.default_region, operation, **parameters)


async def _none() -> list[Any]:
    return []


def _id(zone: Mapping[str, Any]) -> str:
    return str(zone["Id"]).removeprefix("/hostedzone/")


def _zone(
    zone: Mapping[str, Any],
    tags: Mapping[str, str],
    sets: Sequence[RecordSet] | None,
    networks: Sequence[Mapping[str, str]],
) -> Asset:
    name = zone["Name"].rstrip(".")
    configuration: dict[str, Any] = {"name": name}
    facts: dict[str, Any] = {"record_sets": zone.get("ResourceRecordSetCount"), "networks": list(networks)}
    if networks:
        configuration |= {"network_id": networks[0]["id"], "network_region": networks[0]["region"]}
    if sets is not None:
        configuration["records"] = [dns_records.from_aws(each) for each in sets if dns_records.is_plain(each)]
        facts["name_servers"] = dns_records.name_servers(sets)
    reference = str(zone.get("CallerReference", ""))
    known = {TOKEN_TAG: reference.removeprefix(_REFERENCE)} if reference.startswith(_REFERENCE) else {}
    links = [AssetLink("network", f"network:{each['id']}", hard=False) for each in networks]
    links += [AssetLink("record", target, hard=False) for target in dns_records.targets(sets or [])]
    return Asset(
        id=_id(zone),
        name=name,
        state=AssetState.AVAILABLE,
        region=GLOBAL_REGION,
        tags={**known, **tags},
        configuration=configuration,
        facts=facts,
        links=tuple(links),
    )
