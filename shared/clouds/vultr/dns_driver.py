"""Which driver of libcloud talks to Vultr's DNS?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from libcloud.dns.base import Record, Zone
from libcloud.dns.drivers.vultr import VultrDNSConnectionV2, VultrDNSDriverV2

from shared.clouds.libcloud.connection import connection_class
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings
from shared.clouds.vultr.dns_records import Line, read, written

_PER_PAGE = 500


class _Connection(VultrDNSConnectionV2):
    def add_default_params(self, params: dict[str, Any]) -> dict[str, Any]:
        """Libcloud asks every path for 500 things a page, also when the caller said another number."""
        return {"per_page": _PER_PAGE, **params}


class ZoneDriver(VultrDNSDriverV2):
    """libcloud's own, for domains that are named, and records that are lines.

    What it says of a domain is its name only, so a domain's other facts are asked for past it.
    """

    def __new__(cls, *_: Any, **__: Any) -> Self:
        """Libcloud's picks a version by its arguments."""
        return object.__new__(cls)

    def zone(self, domain: str) -> Zone:
        """What libcloud's actions want, without asking for it: they use the name only."""
        return Zone(domain, domain, "master", 0, self)

    def lines(self, domain: str) -> list[Line]:
        found = self.list_records(self.zone(domain))
        return [
            read(
                str(each.name or ""),
                str(each.type),
                str(each.data),
                each.extra["priority"],
                int(each.ttl or 0),
                str(each.id),
            )
            for each in found
        ]

    def make(self, domain: str, line: Line) -> None:
        data, priority = written(line)
        kind: Any = line.type
        extra = {"ttl": line.ttl_s} if priority is None else {"ttl": line.ttl_s, "priority": priority}
        self.create_record(line.name, self.zone(domain), kind, data, extra)

    def keep_for(self, domain: str, line: Line) -> None:
        """Let the record of this line live as long as it says."""
        self.update_record(self._record(domain, line), extra={"ttl": line.ttl_s})

    def remove(self, domain: str, line: Line) -> None:
        self.delete_record(self._record(domain, line))

    def _record(self, domain: str, line: Line) -> Record:
        kind: Any = line.type
        return Record(line.id, line.name, kind, line.value, self.zone(domain), self)


def dns_driver_maker(credentials: Credentials, settings: CloudSettings) -> Callable[[], ZoneDriver]:
    """Makes a driver for one call at a time."""
    endpoint = settings.vultr_endpoint_url
    connection = connection_class(_Connection, None if endpoint is None else str(endpoint), settings)

    class Driver(ZoneDriver):
        connectionCls = connection  # noqa: N815 - libcloud's name

    return lambda: Driver(credentials["token"])
