"""Which driver of libcloud talks to Vultr, and what does it tell more than libcloud's own?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from libcloud.common.vultr import VultrConnectionV2
from libcloud.compute.base import Node
from libcloud.compute.drivers.vultr import VultrNodeDriverV2

from shared.clouds.libcloud.connection import connection_class
from shared.clouds.libcloud.driver import WholeNodes
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings


class _Connection(VultrConnectionV2):
    def add_default_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Libcloud asks every path for 500 things a page, also when the caller said another number."""
        return params


class InstanceDriver(WholeNodes, VultrNodeDriverV2):
    """libcloud's own, with a create that takes tags: libcloud's takes one, in a field that Vultr has given up."""

    def node(self, identifier: str) -> Node:
        """Libcloud tells machines from bare metal by the plan's name."""
        node = super().node(identifier)
        node.size = self.size("vc2")
        return node

    def create_instance(self, attributes: Mapping[str, Any]) -> Node:
        answer = self.connection.request("/v2/instances", data=json.dumps(attributes), method="POST")
        return self._to_node(answer.object["instance"])


def driver_maker(credentials: Credentials, settings: CloudSettings) -> Callable[[], InstanceDriver]:
    """Makes a driver for one call at a time."""
    endpoint = settings.vultr_endpoint_url
    connection = connection_class(_Connection, None if endpoint is None else str(endpoint), settings)

    class Driver(InstanceDriver):
        connectionCls = connection  # noqa: N815 - libcloud's name

    return lambda: Driver(credentials["token"])
