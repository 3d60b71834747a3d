"""What can be provisioned at Linode, and with which configuration?"""

from __future__ import annotations

from shared.clouds.catalog import Kind
from shared.clouds.libcloud.catalog import TokenCatalog
from shared.clouds.linode.models import InstanceConfiguration


class LinodeCatalog(TokenCatalog):
    name = "linode"
    kinds = {("compute", "linode"): Kind("Linode", InstanceConfiguration, can_stop=True)}  # noqa: RUF012 - a ClassVar above
