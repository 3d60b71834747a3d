"""Which images has DigitalOcean?"""

from __future__ import annotations

from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.default_images import DefaultImages


def default_images(client: LibcloudClient) -> DefaultImages:
    """By slug, which says the release: ubuntu-24-04-x64."""

    async def read(region: str) -> dict[str, str]:
        query = {"type": "distribution", "per_page": 200}
        answer = await client.request("images.list", "GET", "/v2/images", region=region, query=query)
        with client.reading("images.list"):
            slugs = [str(each["slug"]) for each in answer["images"] if region in each["regions"]]
        return dict(zip(slugs, slugs, strict=True))

    return DefaultImages(PROVIDER, read, r"ubuntu-[0-9][02468]-04-x64")
