"""Which images has Vultr?"""

from __future__ import annotations

from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.default_images import DefaultImages
from shared.clouds.vultr.errors import PROVIDER


def default_images(client: LibcloudClient) -> DefaultImages:
    """By number; the name says the release. Operating systems are in every region."""

    async def read(region: str) -> dict[str, str]:
        answer = await client.request("os.list", "GET", "/v2/os", region=region, query={"per_page": 500})
        with client.reading("os.list"):
            return {str(each["name"]): str(each["id"]) for each in answer["os"]}

    return DefaultImages(PROVIDER, read, r"Ubuntu [0-9][02468]\.04 LTS x64")
