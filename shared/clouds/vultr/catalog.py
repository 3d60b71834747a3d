"""What can be provisioned at Vultr, and with which configuration?"""

from __future__ import annotations

from shared.clouds.libcloud.catalog import TokenCatalog
from shared.clouds.vultr.models import InstanceConfiguration


class VultrCatalog(TokenCatalog):
    name = "vultr"
    configurations = {("compute", "vultr_instance"): ("Vultr instance", InstanceConfiguration)}  # noqa: RUF012
