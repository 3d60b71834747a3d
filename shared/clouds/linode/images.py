"""Which images has Linode?"""

from __future__ import annotations

from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.libcloud.default_images import DefaultImages
from shared.clouds.linode.errors import PROVIDER


def default_images(client: LibcloudClient) -> DefaultImages:
    """By id, which says the release: linode/ubuntu24.04. Public images are in every region."""

    async def read(region: str) -> dict[str, str]:
        query = {"page_size": 500}
        answer = await client.request("images.list", "GET", "/v4/images", region=region, query=query)
        with client.reading("images.list"):
            found = [str(each["id"]) for each in answer["data"] if not each["deprecated"]]
        return dict(zip(found, found, strict=True))

    return DefaultImages(PROVIDER, read, r"linode/ubuntu[0-9][02468]\.04")
