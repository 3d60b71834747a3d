"""How does a thing that is there come to other tags?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote

from shared.clouds.digitalocean.tags import TAGS
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.tags import replaced_by


async def put_tags(
    client: LibcloudClient, region: str, resource: tuple[str, str], before: Iterable[str], tags: Mapping[str, str]
) -> None:
    """Give the thing these tags, which has those of `before`; `resource` is its type (`droplet`) and id.

    New tags are set before those that they replace are taken away: an interrupted change loses nothing.
    """
    TAGS.check(tags, operation="tags.assign")
    resource_type, resource_id = resource
    there = list(before)
    wanted = [word for key, value in tags.items() for word in TAGS.words_of(key, value)]
    body = {"resources": [{"resource_id": resource_id, "resource_type": resource_type}]}
    for word in wanted:
        if word not in there:
            await client.request("tags.create", "POST", "/v2/tags", region=region, document={"name": word})
            await client.request("tags.assign", "POST", _path(word), region=region, document=body)
    for word in replaced_by(there, tags, wanted):
        await client.request("tags.unassign", "DELETE", _path(word), region=region, document=body)


def _path(word: str) -> str:
    return f"/v2/tags/{quote(word)}/resources"
