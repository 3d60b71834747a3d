"""How are persistent disks made from snapshots, and moved between instances?"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.capabilities import ListsVolumes, Volumes
from shared.clouds.errors import Conflict, NotFound, Unsupported
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import Zonal, from_project, in_utc_or_none, last_part, region_of_zone, zonal, zonal_id
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.gcp.images import GcpImages
from shared.clouds.gcp.operations import Operations
from shared.clouds.gcp.regions import GcpPlaces
from shared.clouds.models import Volume, VolumeSpec, VolumeState
from shared.clouds.restoring import RestoresVolumes

_STATES: Mapping[str, VolumeState] = {
    "CREATING": VolumeState.CREATING,
    "RESTORING": VolumeState.CREATING,
    "READY": VolumeState.AVAILABLE,
    "DELETING": VolumeState.DELETING,
    "FAILED": VolumeState.ERROR,
    "UNAVAILABLE": VolumeState.ERROR,
}
_DEVICE_CHARACTERS_MAX = 63
_PAGE_MAX = 500


class GcpVolumes(Volumes, RestoresVolumes, ListsVolumes):
    """A disk's name is made of its token, so that a zone cannot hold two; a label finds it."""

    def __init__(self, client: GcpClient, places: GcpPlaces, images: GcpImages) -> None:
        self._client = client
        self._places = places
        self._images = images
        self._operations = Operations(client)

    async def create_from_snapshot(self, region: str, spec: VolumeSpec) -> Volume:
        """Snapshots are global: one of any region will do, and one stored far away takes longer."""
        tags = gcp_tags.marked(spec.tags, spec.token, operation="disks.insert")
        name = gcp_tags.name_of(spec.token)
        body = {
            "name": name,
            "description": gcp_tags.to_description(tags, operation="disks.insert"),
            "labels": gcp_tags.to_labels(tags),
            "source_snapshot": f"projects/{self._client.project}/global/snapshots/{spec.snapshot_id}",
            "type_": f"zones/{spec.zone}/diskTypes/pd-balanced",
        }
        place = Zonal(spec.zone, name)
        try:
            operation = await self._client.call(
                "disks",
                "insert_unary",
                region,
                zone=spec.zone,
                disk_resource=body,
            )
            await self._operations.settled(operation, region, name="disks.insert")
        except Conflict as error:
            if error.code != "alreadyExists":
                raise
        try:
            return await self._volume(region, await self._read(region, place))
        except NotFound:  # accepted and not readable yet
            return Volume(
                f"zones/{spec.zone}/disks/{name}", VolumeState.CREATING, 0, region, spec.zone, tags, spec.snapshot_id
            )

    async def find_by_token(self, region: str, token: str) -> Volume | None:
        wanted = gcp_tags.token_filter(token)
        zones = await self._places.zones(region)
        disks = await asyncio.gather(
            *(self._client.first("disks.list", region, "zones", zone, "disks", filter=wanted) for zone in zones)
        )
        found = next((each for each in disks if each is not None), None)
        return None if found is None else await self._volume(region, found)

    async def get(self, region: str, volume_id: str) -> Volume:
        """A second call, for its device name, when it is attached; a third for the snapshot behind its image."""
        place = await self._place(region, volume_id, "disks.get")
        return await self._volume(region, await self._read(region, place))

    async def of_machine(self, region: str, machine_id: str) -> list[Volume]:
        """`Unsupported` for a machine with a regional disk: leaving it out would make a backup that lacks it."""
        place = zonal(machine_id, "instances")
        if place is None:
            return []
        try:
            instance = await self._instance(region, place)
        except NotFound:
            return []
        ordered = sorted(instance.get("disks", []), key=lambda each: (not each.get("boot"), each.get("index", 0)))
        places = [_zonal(each["source"]) for each in ordered if each.get("source")]
        disks = await asyncio.gather(*(self._read(region, each) for each in places))
        return [await self._volume(region, each, instance) for each in disks]

    async def attach(self, region: str, volume_id: str, machine_id: str, device_name: str) -> None:
        """Google's device names have no slashes: `/dev/sdf` is `sdf`. A machine without a boot disk gets one by this;
        it must be stopped then.
        """
        disk, machine = await self._place(region, volume_id, "instances.attachDisk"), zonal(machine_id, "instances")
        if machine is None:
            raise _not_found(f"There is no instance {machine_id}", "instances.attachDisk")
        wanted = _device(device_name)
        disks = (await self._instance(region, machine)).get("disks", [])
        known = {zonal_id(each.get("source", "")): each.get("deviceName", "") for each in disks}
        if known.get(volume_id) == wanted:
            return
        if volume_id in known:
            raise Conflict(
                "resourceInUseByAnotherResource", f"{volume_id} is attached as {known[volume_id]}", provider=PROVIDER,
                operation="instances.attachDisk",
            )  # fmt: skip
        attached = {
            "source": f"projects/{self._client.project}/zones/{disk.zone}/disks/{disk.name}",
            "device_name": wanted,
            "boot": not any(each.get("boot") for each in disks),
        }
        operation = await self._client.call(
            "instances",
            "attach_disk_unary",
            region,
            zone=machine.zone,
            instance=machine.name,
            attached_disk_resource=attached,
        )
        await self._operations.settled(operation, region, name="instances.attachDisk")

    async def detach(self, region: str, volume_id: str) -> None:
        try:
            volume = await self.get(region, volume_id)
            machine = None if volume.machine_id is None else zonal(volume.machine_id, "instances")
            if machine is None:
                return
            operation = await self._client.call(
                "instances",
                "detach_disk_unary",
                region,
                zone=machine.zone,
                instance=machine.name,
                device_name=volume.device_name or "",
            )
        except NotFound:
            return
        await self._operations.settled(operation, region, name="instances.detachDisk")

    async def delete(self, region: str, volume_id: str) -> None:
        try:
            zone, name = await self._place(region, volume_id, "disks.delete")
            operation = await self._client.call("disks", "delete_unary", region, zone=zone, disk=name)
        except NotFound:
            return
        await self._operations.settled(operation, region, name="disks.delete")

    async def pages(self, region: str, *, page_size: int = 500) -> AsyncIterator[list[Volume]]:
        """Zone by zone, as a list over all zones hides the lost ones in a warning; regional disks are in none of them.

        The devices are read from the zone's instances, all of them at once, and each image of the project's once.
        """
        size = min(_PAGE_MAX, max(1, page_size))
        origins: dict[str, str | None] = {}
        for zone in await self._places.zones(region):
            instances = {
                zonal_id(each["selfLink"]): {"disks": each.get("disks", [])}
                async for page in self._client.listed("instances.list", region, "zones", zone, "instances")
                for each in page
            }
            async for page in self._client.listed("disks.list", region, "zones", zone, "disks", maxResults=size):
                yield [await self._volume(region, each, instances.get(_user_of(each) or ""), origins) for each in page]

    async def _read(self, region: str, place: Zonal) -> dict[str, Any]:
        return await self._client.read("disks.get", region, "zones", place.zone, "disks", place.name)

    async def _instance(self, region: str, place: Zonal) -> dict[str, Any]:
        return await self._client.read("instances.get", region, "zones", place.zone, "instances", place.name)

    async def _place(self, region: str, volume_id: str, operation: str) -> Zonal:
        """Where a disk is; the region is asked before an id of elsewhere is called unknown in it."""
        place = zonal(volume_id, "disks")
        if place is None or region_of_zone(place.zone) != region:
            await self._places.zones(region)
            raise _not_found(f"There is no disk {volume_id} in {region}", operation)
        return place

    async def _volume(
        self,
        region: str,
        disk: Mapping[str, Any],
        instance: Mapping[str, Any] | None = None,
        origins: dict[str, str | None] | None = None,
    ) -> Volume:
        """`instance` is what the disk is attached to, read when it is not given: only it knows the device.

        `origins` remembers the snapshots behind images while a list is read.
        """
        identifier, machine_id = zonal_id(disk["selfLink"]), _user_of(disk)
        if instance is None and machine_id is not None:
            instance = await self._instance(region, Zonal(*machine_id.split("/")[1::2]))
        attached = [] if instance is None else instance.get("disks", [])
        snapshot = last_part(disk.get("sourceSnapshot", "")) or None
        if snapshot is None and disk.get("sourceImage"):
            image, known = from_project(disk["sourceImage"]), {} if origins is None else origins
            if image not in known:
                known[image] = await self._images.source_snapshot(region, image)
            snapshot = known[image]
        state = _STATES.get(disk["status"], VolumeState.ERROR)
        return Volume(
            id=identifier,
            state=VolumeState.IN_USE if state is VolumeState.AVAILABLE and machine_id is not None else state,
            size_gib=int(disk["sizeGb"]),
            region=region,
            zone=last_part(disk["zone"]),
            tags=gcp_tags.from_description(disk.get("description", ""), disk.get("labels", {})),
            snapshot_id=snapshot,
            machine_id=machine_id,
            device_name=next(
                (each.get("deviceName") for each in attached if zonal_id(each.get("source", "")) == identifier), None
            ),
            encrypted=True,  # Google encrypts every disk at rest, with a key of its own where none is named
            created_at=in_utc_or_none(disk.get("creationTimestamp")),
            kind=last_part(disk.get("type", "")) or None,
        )


def _user_of(disk: Mapping[str, Any]) -> str | None:
    """The machine that a disk is attached to; of several that read it, the first that Google names."""
    users = disk.get("users", [])
    return zonal_id(users[0]) if users else None


def _zonal(source: str) -> Zonal:
    place = zonal(zonal_id(source), "disks")
    if place is None:
        raise Unsupported(
            "regional_disk", f"{zonal_id(source)} is not in one zone", provider=PROVIDER, operation="disks.get"
        )
    return place


def _device(name: str) -> str:
    """Letters, digits, `_` and `-`, at most 63 of them."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name.removeprefix("/dev/"))[:_DEVICE_CHARACTERS_MAX]


def _not_found(message: str, operation: str) -> NotFound:
    return NotFound("notFound", message, provider=PROVIDER, operation=operation)
