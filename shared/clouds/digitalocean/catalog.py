"""What can be provisioned at DigitalOcean, and with which configuration?"""

from __future__ import annotations

from shared.clouds.digitalocean.models import DropletConfiguration
from shared.clouds.libcloud.catalog import TokenCatalog


class DigitalOceanCatalog(TokenCatalog):
    name = "digitalocean"
    configurations = {("compute", "droplet"): ("Droplet", DropletConfiguration)}  # noqa: RUF012 - a ClassVar above
