"""Which driver of libcloud talks to DigitalOcean, and what does it tell more than libcloud's own?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from libcloud.common.digitalocean import DigitalOcean_v2_Connection
from libcloud.compute.base import NodeImage
from libcloud.compute.drivers.digitalocean import DigitalOcean_v2_NodeDriver
from libcloud.dns.drivers.digitalocean import DigitalOceanDNSDriver

from shared.clouds.libcloud.connection import connection_class
from shared.clouds.libcloud.driver import WholeNodes
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings


class _Connection(DigitalOcean_v2_Connection):
    def add_default_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Libcloud asks every path for 200 things a page, also when the caller said another number."""
        return params


class DropletDriver(WholeNodes, DigitalOcean_v2_NodeDriver):  # type: ignore[misc] # libcloud's bases differ
    """libcloud's own, and the create's parameters that it leaves out."""

    EX_CREATE_ATTRIBUTES = [*DigitalOcean_v2_NodeDriver.EX_CREATE_ATTRIBUTES, "monitoring", "vpc_uuid"]  # noqa: RUF012

    @cached_property
    def dns(self) -> DigitalOceanDNSDriver:
        """Libcloud's driver of domains, on this one's connection."""
        driver = object.__new__(DigitalOceanDNSDriver)
        driver.connection = self.connection
        return driver

    def image(self, identifier: str) -> NodeImage:
        """DigitalOcean wants a number as a number."""
        image = super().image(identifier)
        if identifier.isdecimal():
            number: Any = int(identifier)
            image.id = number
        return image

    def act(self, droplet_id: str, action: Mapping[str, Any]) -> None:
        """An action that libcloud has no method for."""
        self.connection.request(f"/v2/droplets/{droplet_id}/actions", data=json.dumps(action), method="POST")


def driver_maker(credentials: Credentials, settings: CloudSettings) -> Callable[[], DropletDriver]:
    """Makes a driver for one call at a time."""
    endpoint = settings.digitalocean_endpoint_url
    connection = connection_class(_Connection, None if endpoint is None else str(endpoint), settings)

    class Driver(DropletDriver):
        connectionCls = connection  # noqa: N815 - libcloud's name

    return lambda: Driver(credentials["token"])
