"""What can be provisioned at Linode, and with which configuration?"""

from __future__ import annotations

from shared.clouds.libcloud.catalog import TokenCatalog
from shared.clouds.linode.models import InstanceConfiguration


class LinodeCatalog(TokenCatalog):
    name = "linode"
    configurations = {("compute", "linode"): ("Linode", InstanceConfiguration)}  # noqa: RUF012 - a ClassVar above
