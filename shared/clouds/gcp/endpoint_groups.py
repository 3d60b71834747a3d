"""Which machines does a global load balancer send to, and on which port?

Endpoint groups of zones, and not instance groups: a machine may be in one load-balanced instance group only, and then
behind one load balancer, and an instance group gives all that use it the same port. A group holds machines of one
subnet, and each of them once ("Zonal network endpoint groups overview", cloud.google.com/load-balancing/docs/negs). So
there is one for each subnet and zone, and another port is another group: that is filled before it takes the place of
the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.errors import Conflict, InvalidRequest, NotFound
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import from_project, last_part, region_of_zone, zonal_id
from shared.clouds.gcp.assets import Json
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.forwarding_rules import GcpForwardingRules, address_of, not_there

_API, _KIND = "networkEndpointGroups", "GCE_VM_IP_PORT"
_SUBNET_CHARACTERS = 8
_FIELD = "machines"


class Place(NamedTuple):
    """Where a machine is, and so in which group."""

    zone: str
    network: str
    subnetwork: str


class Members(NamedTuple):
    """Of the groups of a backend: ids of machines, and the ports that they serve on."""

    machines: list[str]
    ports: list[int]


_NOBODY = Members([], [])


class EndpointGroups:
    """Those of one project; `parts` changes them, as it changes what they belong to."""

    def __init__(self, client: GcpClient, parts: GcpForwardingRules) -> None:
        self._client = client
        self._parts = parts

    async def fill(self, name: str, machines: Sequence[str], port: int) -> list[str]:
        """Put the machines into groups of `name`, and name the groups: paths, in order. Idempotent.

        One call to read each machine. `InvalidRequest` for one that is not there.
        """
        places = await asyncio.gather(*(self._place(each) for each in machines))
        groups: dict[Place, list[str]] = {}
        for machine, place in zip(machines, places, strict=True):
            groups.setdefault(place, []).append(machine)
        return sorted([await self._fill(name, place, inside, port) for place, inside in groups.items()])

    async def prune(self, name: str, kept: Collection[str], machines: Collection[str]) -> None:
        """Remove the groups of `name` that are not in `kept`, and from these who is not among `machines`."""
        for path in await self.named(name):
            if path not in kept:
                await self._parts.remove(_region(path), [(_API, path)])
                continue
            left = [each for each in await self._endpoints(path) if _machine(path, each) not in machines]
            if left:
                await self._change(path, "detachNetworkEndpoints", left)

    async def named(self, name: str) -> list[str]:
        """Paths of the groups that `fill` made for it, in every zone."""
        path, found = f"/projects/{self._client.project}/aggregated/{_API}", list[str]()
        async for page in self._client.rest_pages(
            "compute", f"{_API}.aggregatedList", path, GLOBAL_REGION, filter=f'name eq "{name}-.*"'
        ):
            for scope in page.get("items", {}).values():
                found += [zonal_id(each["selfLink"]) for each in scope.get(_API, [])]
        return sorted(found)

    async def members(self, groups: Iterable[str]) -> Members:
        """Of addresses of groups, also of somebody else's instance groups."""
        found = await asyncio.gather(*(self._members(each) for each in groups))
        return Members(
            machines=sorted({machine for each in found for machine in each.machines}),
            ports=sorted({port for each in found for port in each.ports}),
        )

    async def _fill(self, name: str, place: Place, machines: Sequence[str], port: int) -> str:
        body = {
            "name": f"{name}-{port}-{gcp_tags.digest(place.subnetwork)[:_SUBNET_CHARACTERS]}",
            "networkEndpointType": _KIND,
            "network": address_of(place.network),
            "subnetwork": address_of(place.subnetwork),
        }
        zone = f"zones/{place.zone}/{_API}"
        path = f"{zone}/{body['name']}"
        await self._parts.insert(f"{_API}.insert", zone, _region(zone), body, named=_FIELD)
        missing = await self._missing(path, machines)
        if not missing:
            return path
        endpoints = [{"instance": last_part(each), "port": port} for each in missing]
        try:
            await self._change(path, "attachNetworkEndpoints", endpoints)
        except (Conflict, InvalidRequest):  # another create of this token may have been faster
            if await self._missing(path, machines):
                raise
        return path

    async def _missing(self, path: str, machines: Sequence[str]) -> list[str]:
        there = {_machine(path, each) for each in await self._endpoints(path)}
        return [each for each in machines if each not in there]

    async def _change(self, path: str, verb: str, endpoints: Sequence[Json]) -> None:
        try:
            await self._parts.done(
                f"{_API}.{verb}", "POST", f"{path}/{verb}", _region(path), body={"networkEndpoints": list(endpoints)}
            )
        except NotFound as error:
            raise not_there(error, _FIELD) from None

    async def _place(self, machine: str) -> Place:
        """Of the machine's first interface, which is the one that is served on."""
        try:
            found = await self._parts.compute("instances.get", "GET", machine, _region(machine))
        except NotFound as error:
            raise not_there(error, _FIELD) from None
        interface = found["networkInterfaces"][0]
        return Place(machine.split("/")[1], from_project(interface["network"]), from_project(interface["subnetwork"]))

    async def _members(self, group: str) -> Members:
        """Nobody in what is gone, of another project, or before no machines (a server in the Internet, a function)."""
        if not from_project(group).startswith(f"projects/{self._client.project}/"):
            return _NOBODY
        path = zonal_id(group)
        place, _, kind, *_ = path.split("/")
        try:
            if kind == "instanceGroups":
                listed = await self._all(f"{kind}.listInstances", f"{path}/listInstances")
                return Members([zonal_id(each["instance"]) for each in listed], [])
            return await self._inside(path) if (place, kind) == ("zones", _API) else _NOBODY
        except NotFound:
            return _NOBODY

    async def _inside(self, path: str) -> Members:
        endpoints = await self._endpoints(path)
        machines = [found for each in endpoints if (found := _machine(path, each)) is not None]
        return Members(machines, [int(each["port"]) for each in endpoints if each.get("port")])

    async def _endpoints(self, path: str) -> list[Json]:
        listed = await self._all(f"{_API}.listNetworkEndpoints", f"{path}/listNetworkEndpoints")
        return [each["networkEndpoint"] for each in listed]

    async def _all(self, operation: str, path: str) -> list[dict[str, Any]]:
        """What Google reads by a POST."""
        whole = f"/projects/{self._client.project}/{path}"
        pages = self._client.rest_pages("compute", operation, whole, _region(path), http_method="POST")
        return [each async for page in pages for each in page.get("items", [])]


def _region(path: str) -> str:
    """Of what is of a zone or a region."""
    kind, place = path.split("/")[:2]
    return region_of_zone(place) if kind == "zones" else place


def _machine(group: str, endpoint: Json) -> str | None:
    """The id of the machine of an endpoint; None for an address that is no machine's."""
    name = last_part(endpoint.get("instance", ""))
    return f"zones/{group.split('/')[1]}/instances/{name}" if name else None
