"""How are snapshots of managed disks made, copied to another region and deleted?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.azure import names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.ground import AzureGround
from shared.clouds.capabilities import ListsSnapshots, Snapshots
from shared.clouds.errors import Conflict, IncorrectState, NotFound
from shared.clouds.models import TOKEN_TAG, Snapshot, SnapshotSpec, SnapshotState


class AzureSnapshots(Snapshots, ListsSnapshots):
    """Incremental, as only such are copied between regions. A snapshot's name is made of its token: what is there under
    it is answered as it is.
    """

    def __init__(self, client: AzureClient, ground: AzureGround) -> None:
        self._client = client
        self._ground = ground

    async def create(self, region: str, spec: SnapshotSpec) -> Snapshot:
        """Azure keeps no description of a snapshot."""
        tags = azure_tags.marked(spec.tags, spec.token, operation="snapshots.create_or_update")
        known = await self.find_by_token(region, spec.token)
        if known is not None:
            return known
        creation = {"createOption": "Copy", "sourceResourceId": spec.volume_id}
        return await self._put(region, spec.token, tags, creation)

    async def copy(
        self, source_region: str, snapshot_id: str, target_region: str, *, token: str, tags: Mapping[str, str]
    ) -> Snapshot:
        """The copy's `started_at` is when copying began; its data is as old as the source's `started_at`."""
        operation = "snapshots.create_or_update"
        marked = azure_tags.marked(tags, token, operation=operation)
        known = await self.find_by_token(target_region, token)
        if known is not None:
            return known
        source = await self.get(source_region, snapshot_id)
        if source.state is not SnapshotState.COMPLETED:
            raise IncorrectState(
                "SnapshotNotReady", f"{snapshot_id} is {source.state}; only a completed snapshot is copied",
                provider=PROVIDER, operation=operation,
            )  # fmt: skip
        option = "Copy" if source_region == target_region else "CopyStart"
        creation = {"createOption": option, "sourceResourceId": snapshot_id}
        return await self._put(target_region, token, marked, creation)

    async def find_by_token(self, region: str, token: str) -> Snapshot | None:
        try:
            found = await self._read(region, names.Place(names.group_of(region), names.name_of(token)))
        except NotFound:
            return None
        return found if found.tags.get(TOKEN_TAG) == token else None

    async def get(self, region: str, snapshot_id: str) -> Snapshot:
        return await self._read(region, names.place_of(snapshot_id, names.SNAPSHOT))

    async def delete(self, region: str, snapshot_id: str) -> None:
        """Azure would let go of a snapshot that an image of ours is about (images.py), and the image would be lost with
        it: such a one is refused. Disks that were made of it stay whole.
        """
        try:
            place = names.place_of(snapshot_id, names.SNAPSHOT)
            await self._need_no_image(region, place, snapshot_id)
            await self._client.call("compute", "snapshots.begin_delete", place.group, place.name, region=region)
        except NotFound:
            return

    async def pages(self, region: str, *, page_size: int = 500) -> AsyncIterator[list[Snapshot]]:
        """Azure lists snapshots by subscription only, in pages of its own size: those of the region are kept.

        The region itself is asked first: a list of the subscription leaves out what a lost region has, without a word.
        """
        async for _ in self._client.pages("compute", "usage.list", region, region=region):
            break
        async for page in self._client.pages("compute", "snapshots.list"):
            found = [
                _snapshot(each)
                for each in page
                if each["location"] == region and each["properties"]["provisioningState"] != "Deleting"
            ]
            for start in range(0, len(found), page_size):
                yield found[start : start + page_size]

    async def _put(self, region: str, token: str, tags: Mapping[str, str], creation: Mapping[str, str]) -> Snapshot:
        body = {
            "location": region,
            "tags": dict(tags),
            "sku": {"name": "Standard_LRS"},
            "properties": {"creationData": dict(creation), "incremental": True},
        }
        group = await self._ground.group(region)
        answer = await self._client.call(
            "compute", "snapshots.begin_create_or_update", group, names.name_of(token), body, region=region
        )
        return _snapshot(answer)

    async def _need_no_image(self, region: str, place: names.Place, snapshot_id: str) -> None:
        if place.group != names.group_of(region):
            return
        async for page in self._client.pages("compute", "images.list_by_resource_group", place.group, region=region):
            for each in page:
                root = each["properties"]["storageProfile"]["osDisk"]
                if names.same((root.get("snapshot") or {}).get("id") or "", snapshot_id):
                    raise Conflict(
                        "SnapshotInUse", f"The image {each['name']} is made of {snapshot_id}", provider=PROVIDER,
                        operation="snapshots.delete",
                    )  # fmt: skip

    async def _read(self, region: str, place: names.Place) -> Snapshot:
        """One that is being deleted is none any more: nothing can be made of it."""
        answer = await self._client.call("compute", "snapshots.get", place.group, place.name, region=region)
        if answer["location"] != region or answer["properties"]["provisioningState"] == "Deleting":
            raise NotFound(
                "ResourceNotFound", f"There is no snapshot {place.name} in {region}", provider=PROVIDER,
                operation="snapshots.get",
            )  # fmt: skip
        return _snapshot(answer)


def _snapshot(answer: Mapping[str, Any]) -> Snapshot:
    """A copy between regions is `Succeeded` as soon as it began; how far it is, `completionPercent` says."""
    properties = answer["properties"]
    source = str(properties["creationData"].get("sourceResourceId") or "")
    percent = properties.get("completionPercent")
    state = _state(properties["provisioningState"], percent)
    return Snapshot(
        id=names.canonical(answer["id"]),
        state=state,
        region=answer["location"],
        volume_id=names.canonical(source) if f"/{names.DISK}/".lower() in source.lower() else None,
        size_gib=int(properties.get("diskSizeGB") or 0),
        started_at=datetime.fromisoformat(properties["timeCreated"]).astimezone(UTC),
        tags=azure_tags.from_azure(answer.get("tags")),
        progress_percent=100 if state is SnapshotState.COMPLETED else None if percent is None else int(percent),
        encrypted=None if "encryption" not in properties else True,
        state_reason=(properties.get("copyCompletionError") or {}).get("errorMessage"),
    )


def _state(provisioning: str, percent: float | None) -> SnapshotState:
    if provisioning in {"Failed", "Canceled"}:
        return SnapshotState.ERROR
    if provisioning == "Succeeded" and (percent is None or percent >= 100):
        return SnapshotState.COMPLETED
    return SnapshotState.PENDING
