"""How are managed disks made from snapshots, and moved between virtual machines?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.azure import facts, names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.ground import AzureGround
from shared.clouds.capabilities import ListsVolumes, Volumes
from shared.clouds.errors import Conflict, FieldProblem, InvalidRequest, NotFound
from shared.clouds.models import TOKEN_TAG, Volume, VolumeSpec, VolumeState
from shared.clouds.restoring import RestoresVolumes

_STATES: Mapping[str, VolumeState] = {
    "Creating": VolumeState.CREATING,
    "Deleting": VolumeState.DELETING,
    "Failed": VolumeState.ERROR,
}


class AzureVolumes(Volumes, RestoresVolumes, ListsVolumes):
    """A disk's name is made of its token. Devices are Linux's names of a LUN (facts.py)."""

    def __init__(self, client: AzureClient, ground: AzureGround) -> None:
        self._client = client
        self._ground = ground

    async def create_from_snapshot(self, region: str, spec: VolumeSpec) -> Volume:
        """A PUT again would only set the tags; one that is there is answered as it is now."""
        operation = "disks.create_or_update"
        tags = azure_tags.marked(spec.tags, spec.token, operation=operation)
        known = await self.find_by_token(region, spec.token)
        if known is not None:
            if known.snapshot_id != names.canonical(spec.snapshot_id):
                raise Conflict(
                    "token_used", "The token was used for another snapshot", provider=PROVIDER, operation=operation
                )
            return known
        body = {
            "location": region,
            "tags": tags,
            "zones": facts.zones_for(region, spec.zone),
            "sku": {"name": "StandardSSD_LRS"},
            "properties": {"creationData": {"createOption": "Copy", "sourceResourceId": spec.snapshot_id}},
        }
        group = await self._ground.group(region)
        name = names.name_of(spec.token)
        answer = await self._client.call("compute", "disks.begin_create_or_update", group, name, body, region=region)
        return _volume(answer)

    async def find_by_token(self, region: str, token: str) -> Volume | None:
        place = names.Place(names.group_of(region), names.name_of(token))
        try:
            disk = await self._read(region, place)
        except NotFound:
            return None
        return _volume(disk) if (disk.get("tags") or {}).get(TOKEN_TAG) == token else None

    async def get(self, region: str, volume_id: str) -> Volume:
        return await self._with_device(region, await self._read(region, names.place_of(volume_id, names.DISK)))

    async def of_machine(self, region: str, machine_id: str) -> list[Volume]:
        try:
            vm = await self._machine(region, machine_id)
        except NotFound:
            return []
        found = []
        for each in facts.attached_of(vm["properties"]["storageProfile"]):
            try:
                disk = await self._read(region, names.place_of(each.volume_id, names.DISK))
            except NotFound:
                continue  # it went in between, or the machine is of another region
            found.append(_volume(disk, device_name=each.device_name, machine_id=machine_id))
        return found

    async def attach(self, region: str, volume_id: str, machine_id: str, device_name: str) -> None:
        """Azure refuses a disk that is attached, also to this machine; where it is decides."""
        operation = "virtual_machines.attach_detach_data_disks"
        lun = facts.lun_of(device_name)
        if lun is None:
            detail = "is one of /dev/sdc to /dev/sdz, or lun0 to lun63"
            raise InvalidRequest(
                "invalid_device", f"device_name {detail}", provider=PROVIDER, operation=operation,
                problems=(FieldProblem("device_name", detail),),
            )  # fmt: skip
        volume = await self.get(region, volume_id)
        if volume.machine_id is not None:
            if names.same(volume.machine_id, machine_id) and volume.device_name == facts.device_of(lun):
                return
            raise Conflict(
                "AttachDiskWhileAttached", f"{volume_id} is at {volume.device_name} of {volume.machine_id}",
                provider=PROVIDER, operation=operation,
            )  # fmt: skip
        await self._change(region, machine_id, {"dataDisksToAttach": [{"diskId": volume_id, "lun": lun}]})

    async def detach(self, region: str, volume_id: str) -> None:
        try:
            volume = await self.get(region, volume_id)
            if volume.machine_id is not None:
                await self._change(region, volume.machine_id, {"dataDisksToDetach": [{"diskId": volume_id}]})
        except NotFound:
            return

    async def delete(self, region: str, volume_id: str) -> None:
        try:
            place = names.place_of(volume_id, names.DISK)
            await self._client.call("compute", "disks.begin_delete", place.group, place.name, region=region)
        except NotFound:
            return

    async def pages(self, region: str, *, page_size: int = 500) -> AsyncIterator[list[Volume]]:
        """Azure lists disks by subscription only, in pages of its own size: those of the region are kept.

        At which device a disk is, only the machines say: they are listed first, which is also how a region that does
        not answer is noticed, as a list of the subscription leaves its things out without a word.
        """
        at_devices = {
            each.volume_id.lower(): each.device_name
            async for page in self._client.pages("compute", "virtual_machines.list_by_location", region, region=region)
            for vm in page
            for each in facts.attached_of(vm["properties"]["storageProfile"])
        }
        async for page in self._client.pages("compute", "disks.list"):
            found = [
                _volume(disk, device_name=at_devices.get(names.canonical(disk["id"]).lower()))
                for disk in page
                if disk["location"] == region
            ]
            for start in range(0, len(found), page_size):
                yield found[start : start + page_size]

    async def _read(self, region: str, place: names.Place) -> dict[str, Any]:
        disk: dict[str, Any] = await self._client.call("compute", "disks.get", place.group, place.name, region=region)
        if disk["location"] != region:
            raise NotFound(
                "ResourceNotFound", f"There is no disk {place.name} in {region}", provider=PROVIDER,
                operation="disks.get",
            )  # fmt: skip
        return disk

    async def _machine(self, region: str, machine_id: str) -> dict[str, Any]:
        place = names.place_of(machine_id, names.MACHINE)
        vm: dict[str, Any] = await self._client.call(
            "compute", "virtual_machines.get", place.group, place.name, region=region
        )
        return vm

    async def _with_device(self, region: str, disk: Mapping[str, Any]) -> Volume:
        """Only the machine knows at which LUN a disk is."""
        machine_id = disk.get("managedBy")
        if not machine_id:
            return _volume(disk)
        try:
            vm = await self._machine(region, machine_id)
        except NotFound:
            return _volume(disk)  # the machine went in between
        disk_id = names.canonical(disk["id"])
        listed = facts.attached_of(vm["properties"]["storageProfile"])
        device = next((each.device_name for each in listed if names.same(each.volume_id, disk_id)), None)
        return _volume(disk, device_name=device, machine_id=names.canonical(machine_id))

    async def _change(self, region: str, machine_id: str, body: Mapping[str, Any]) -> None:
        place = names.place_of(machine_id, names.MACHINE)
        await self._client.call(
            "compute", "virtual_machines.begin_attach_detach_data_disks", place.group, place.name, dict(body),
            region=region,
        )  # fmt: skip


def _volume(disk: Mapping[str, Any], *, device_name: str | None = None, machine_id: str | None = None) -> Volume:
    properties = disk["properties"]
    creation = properties.get("creationData") or {}
    source = str(creation.get("sourceResourceId") or "")
    owner = machine_id or disk.get("managedBy")
    state = _STATES.get(properties["provisioningState"], VolumeState.IN_USE if owner else VolumeState.AVAILABLE)
    return Volume(
        id=names.canonical(disk["id"]),
        state=state,
        size_gib=int(properties.get("diskSizeGB") or 0),
        region=disk["location"],
        zone=facts.zone_of(disk),
        tags=azure_tags.from_azure(disk.get("tags")),
        snapshot_id=names.canonical(source) if f"/{names.SNAPSHOT}/".lower() in source.lower() else None,
        machine_id=None if owner is None else names.canonical(owner),
        device_name=device_name,
        encrypted=None if "encryption" not in properties else True,
        created_at=datetime.fromisoformat(properties["timeCreated"]).astimezone(UTC),
    )
