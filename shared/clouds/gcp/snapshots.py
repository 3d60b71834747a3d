"""How are snapshots made, brought into another region and deleted?

Google's snapshots are global and stored in one location, a region or a continent; a location cannot be changed, nor a
snapshot copied. So a copy is made of the same data in three steps: a disk of the snapshot in the target region, a
snapshot of that disk stored there, and the disk's removal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.clouds.capabilities import ListsSnapshots, Snapshots
from shared.clouds.errors import CloudError, Conflict, IncorrectState, NotFound, StillWorking
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.gcp.addresses import Zonal, in_utc, last_part, zonal, zonal_id
from shared.clouds.gcp.client import GcpClient
from shared.clouds.gcp.errors import PROVIDER
from shared.clouds.gcp.operations import Operations
from shared.clouds.gcp.regions import GcpPlaces, zone_of
from shared.clouds.models import Snapshot, SnapshotSpec, SnapshotState

_STATES: Mapping[str, SnapshotState] = {
    "CREATING": SnapshotState.PENDING,
    "UPLOADING": SnapshotState.PENDING,
    "READY": SnapshotState.COMPLETED,
    "DELETING": SnapshotState.ERROR,
    "FAILED": SnapshotState.ERROR,
}
_CONTINENTS: Mapping[str, tuple[str, ...]] = {"asia": ("asia-",), "eu": ("europe-",), "us": ("us-",)}
"""The multi-regional locations, and how the names of their regions begin."""

_COPY_DISK_SUFFIX = "-copy"
_PAGE_MAX = 500


class GcpSnapshots(Snapshots, ListsSnapshots):
    """A snapshot's name is made of its region and token, which makes its creation repeatable, and finds it."""

    def __init__(self, client: GcpClient, places: GcpPlaces) -> None:
        self._client = client
        self._places = places
        self._operations = Operations(client)
        self._tidied: set[str] = set()

    async def create(self, region: str, spec: SnapshotSpec) -> Snapshot:
        tags = gcp_tags.marked(spec.tags, spec.token, operation="snapshots.insert")
        source = f"projects/{self._client.project}/{spec.volume_id}"
        return await self._inserted(region, spec.token, source, tags, spec.description)

    async def copy(
        self, source_region: str, snapshot_id: str, target_region: str, *, token: str, tags: Mapping[str, str]
    ) -> Snapshot:
        """The copy's `started_at` is when copying began; its data is as old as the source's `started_at`.

        `StillWorking` while the disk between the two is being made: ask again with the same token.
        """
        marked = gcp_tags.marked(tags, token, operation="snapshots.insert")
        known = await self.find_by_token(target_region, token)
        if known is not None:
            return known
        source = await self.get(source_region, snapshot_id)
        if source.state is not SnapshotState.COMPLETED:
            raise IncorrectState(
                "resourceNotReady",
                f"{snapshot_id} is {source.state}; only a completed snapshot is copied",
                provider=PROVIDER,
                operation="snapshots.insert",
            )
        zone = zone_of(token, await self._places.zones(target_region))
        disk = Zonal(zone, gcp_tags.name_of(token, target_region) + _COPY_DISK_SUFFIX)
        await self._make_disk(target_region, disk, snapshot_id, marked)
        address = f"projects/{self._client.project}/zones/{disk.zone}/disks/{disk.name}"
        words = f"Copy of {snapshot_id} from {source_region}"
        copied = await self._inserted(target_region, token, address, marked, words)
        await self._remove_disk(target_region, disk)
        return copied

    async def find_by_token(self, region: str, token: str) -> Snapshot | None:
        gcp_tags.check_token(token, operation="find_by_token")
        try:
            return await self.get(region, gcp_tags.name_of(token, region))
        except NotFound:
            return None

    async def get(self, region: str, snapshot_id: str) -> Snapshot:
        """`NotFound` also for one that is stored elsewhere. The first look at a completed copy removes the disk that
        it was made of, when that was not possible before; credentials that may only read leave it.
        """
        found = await self._read(region, snapshot_id)
        if not _is_stored_in(found, region):
            raise NotFound(
                "notFound",
                f"{snapshot_id} is stored in {', '.join(found.get('storageLocations', []))}, not in {region}",
                provider=PROVIDER,
                operation="snapshots.get",
            )
        if found["status"] == "READY":
            await self._tidy(region, found)
        return _snapshot(found, region)

    async def delete(self, region: str, snapshot_id: str) -> None:
        """And the disk that a copy was made of, should it still be there."""
        try:
            await self._tidy(region, await self._read(region, snapshot_id))
            operation = await self._client.call("snapshots", "delete_unary", region, snapshot=snapshot_id)
        except NotFound:
            return
        await self._operations.settled(operation, region, name="snapshots.delete")

    async def pages(self, region: str, *, page_size: int = 500) -> AsyncIterator[list[Snapshot]]:
        """Snapshots are global: those stored in the region or its continent are kept, and the region is asked first.

        One that is stored in a continent is listed in each of its regions, as it can be read in each.
        """
        await self._places.zones_now(region)
        size = min(_PAGE_MAX, max(1, page_size))
        async for page in self._client.listed("snapshots.list", region, "global", "snapshots", maxResults=size):
            yield [_snapshot(each, region) for each in page if _is_stored_in(each, region)]

    async def _read(self, region: str, name: str) -> dict[str, Any]:
        return await self._client.read("snapshots.get", region, "global", "snapshots", name)

    async def _inserted(
        self, region: str, token: str, disk: str, tags: Mapping[str, str], description: str
    ) -> Snapshot:
        name = gcp_tags.name_of(token, region)
        body = {
            "name": name,
            "description": gcp_tags.to_description(tags, description, operation="snapshots.insert"),
            "labels": gcp_tags.to_labels(tags),
            "source_disk": disk,
            "storage_locations": [region],
        }
        try:
            operation = await self._client.call("snapshots", "insert_unary", region, snapshot_resource=body)
        except Conflict as error:
            if error.code != "alreadyExists":
                raise
            return await self.get(region, name)
        try:
            return await self.get(region, name)
        except NotFound:  # failed already, or accepted and not readable yet: then this is what we know of it
            await self._operations.settled(operation, region, name="snapshots.insert")
            return Snapshot(
                id=name,
                state=SnapshotState.PENDING,
                region=region,
                volume_id=zonal_id(disk),
                size_gib=0,
                started_at=in_utc(operation["insertTime"]),
                tags=dict(tags),
            )

    async def _make_disk(self, region: str, disk: Zonal, snapshot_id: str, tags: Mapping[str, str]) -> None:
        """The disk of a copy. It has the tags but not the token's label: it is no volume that anybody asked for."""
        labels = {key: value for key, value in gcp_tags.to_labels(tags).items() if key != gcp_tags.TOKEN_LABEL}
        body = {
            "name": disk.name,
            "description": f"Between {snapshot_id} and its copy in {region}",
            "labels": labels,
            "source_snapshot": f"projects/{self._client.project}/global/snapshots/{snapshot_id}",
        }
        try:
            operation = await self._client.call("disks", "insert_unary", region, zone=disk.zone, disk_resource=body)
            ready = await self._operations.settled(operation, region, name="disks.insert")
        except Conflict as error:
            if error.code != "alreadyExists":
                raise
            found = await self._client.read("disks.get", region, "zones", disk.zone, "disks", disk.name)
            ready = found["status"] == "READY"
        if not ready:
            raise StillWorking(
                "resourceNotReady", f"The copy of {snapshot_id} is being prepared", provider=PROVIDER,
                operation="snapshots.insert",
            )  # fmt: skip

    async def _remove_disk(self, region: str, disk: Zonal) -> None:
        """Best effort: Google refuses while a snapshot of it begins; a later look at the copy tries again."""
        try:
            await self._client.call("disks", "delete_unary", region, zone=disk.zone, disk=disk.name)
        except CloudError:
            return

    async def _tidy(self, region: str, snapshot: Mapping[str, Any]) -> None:
        disk, name = zonal(zonal_id(snapshot.get("sourceDisk", "")), "disks"), snapshot["name"]
        if disk is None or disk.name != name + _COPY_DISK_SUFFIX or name in self._tidied:
            return
        await self._remove_disk(region, disk)
        self._tidied.add(name)


def _is_stored_in(snapshot: Mapping[str, Any], region: str) -> bool:
    return any(
        location == region or region.startswith(_CONTINENTS.get(location, ("\0",)))
        for location in snapshot.get("storageLocations", [])
    )


def _snapshot(snapshot: Mapping[str, Any], region: str) -> Snapshot:
    """Google tells no progress: it is 100 when the snapshot is complete, and unknown before."""
    state, source = _STATES.get(snapshot["status"], SnapshotState.ERROR), snapshot.get("sourceDisk")
    return Snapshot(
        id=last_part(snapshot["selfLink"]),
        state=state,
        region=region,
        volume_id=zonal_id(source) if source else None,
        size_gib=int(snapshot.get("diskSizeGb", 0)),
        started_at=in_utc(snapshot["creationTimestamp"]),
        tags=gcp_tags.from_description(snapshot.get("description", ""), snapshot.get("labels", {})),
        progress_percent=100 if state is SnapshotState.COMPLETED else None,
        encrypted=True,
        state_reason=f"The snapshot is {snapshot['status']}" if state is SnapshotState.ERROR else None,
    )
