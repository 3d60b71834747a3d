"""How are VPCs made, read, renamed and removed?

Source: docs.digitalocean.com/reference/api, "VPCs".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.assets import Asset, AssetSpec, AssetState
from shared.clouds.digitalocean.assets import DigitalOceanAssets
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.lists import Document
from shared.clouds.digitalocean.notes import from_note, marked, to_note
from shared.clouds.errors import Conflict, NotFound
from shared.clouds.libcloud.refusals import tags_not_kept
from shared.clouds.libcloud.tokens import name_of

_DESCRIPTION_CHARACTERS_MAX = 255


class DigitalOceanPrivateNetworks(DigitalOceanAssets):
    """A VPC has no tags: its description holds ours, which are 255 characters of JSON at most with the token. Its name
    is unique in the account.
    """

    resource_type, resource_subtype = "network", "vpc"
    path, name, names = "/v2/vpcs", "vpc", "vpcs"

    async def make(self, region: str, spec: AssetSpec) -> Asset:
        tags = marked(spec.tags, spec.token, operation="vpcs.create")
        body = {
            "name": spec.configuration["name"] or name_of(spec.token),
            "region": region,
            "description": to_note(tags, characters_max=_DESCRIPTION_CHARACTERS_MAX, operation="vpcs.create"),
        }
        if spec.configuration["ip_range"] is not None:
            body["ip_range"] = spec.configuration["ip_range"]
        answer = await self.ask("create", "POST", region, body=body, wants=(self.name,))
        return self.told(answer[self.name])

    async def change(self, region: str, asset_id: str, configuration: Mapping[str, Any]) -> None:
        known = await self.get(region, asset_id)
        if configuration["name"] not in {None, known.name}:
            await self.ask("update", "PATCH", region, asset_id, body={"name": configuration["name"]})

    async def delete(self, region: str, asset_id: str) -> None:
        """A region's default VPC stays, as DigitalOcean wants it; so does one in which something stands."""
        try:
            known = await self.get(region, asset_id)
        except NotFound:
            return
        if known.facts["default"]:
            detail = f"{known.name} is the default VPC of {region}"
            raise Conflict("default_vpc", detail, provider=PROVIDER, operation="vpcs.delete")
        await self.remove(region, asset_id)

    async def tag(self, region: str, asset_id: str, tags: Mapping[str, str]) -> None:
        """What somebody else described is kept as it is: such a VPC can hold no tags, and is `Unsupported`."""
        known = await self.document(region, asset_id)
        before = str(known["description"] or "")
        if before and not from_note(before):
            why = "somebody's description stands where they would"
            raise tags_not_kept("VPC", why, provider=PROVIDER, operation="vpcs.update")
        note = to_note(
            {**from_note(before), **tags}, characters_max=_DESCRIPTION_CHARACTERS_MAX, operation="vpcs.update"
        )
        await self.ask("update", "PATCH", region, asset_id, body={"description": note})

    def read(self, document: Document) -> Asset:
        tags = from_note(str(document["description"] or ""))
        return Asset(
            id=str(document["id"]),
            name=str(document["name"]),
            state=AssetState.AVAILABLE,  # DigitalOcean makes a VPC at once and has no state of it
            region=str(document["region"]),
            tags=tags,
            configuration={"name": str(document["name"]), "ip_range": str(document["ip_range"])},
            facts={
                "default": bool(document["default"]),
                "urn": f"do:vpc:{document['id']}",
                "description": None if tags else document["description"] or None,
            },
            created_at=datetime.fromisoformat(document["created_at"]).astimezone(UTC),
        )
