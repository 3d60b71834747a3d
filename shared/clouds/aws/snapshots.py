"""How are EBS snapshots made, copied to another region and deleted?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.clouds.aws import tags as aws_tags
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.aws.times import in_utc
from shared.clouds.capabilities import ListsSnapshots, Snapshots
from shared.clouds.errors import IncorrectState, NotFound
from shared.clouds.models import Snapshot, SnapshotSpec, SnapshotState

_STATES: Mapping[str, SnapshotState] = {
    "pending": SnapshotState.PENDING,
    "completed": SnapshotState.COMPLETED,
    "error": SnapshotState.ERROR,
    "recoverable": SnapshotState.COMPLETED,  # in the recycle bin: complete, and listed only there
    "recovering": SnapshotState.PENDING,
}


class AwsSnapshots(Snapshots, ListsSnapshots):
    """CreateSnapshot and CopySnapshot know no ClientToken: both look for the token's tag first and never repeat
    themselves. What remains is AWS's delay between making and listing (seconds): a caller that repeats after
    `outcome_unknown` waits that long.
    """

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def create(self, region: str, spec: SnapshotSpec) -> Snapshot:
        marked = aws_tags.specification(("snapshot",), spec.tags, spec.token, operation="CreateSnapshot")
        known = await self.find_by_token(region, spec.token)
        if known is not None:
            return known
        answer = await self._client.call(
            "ec2",
            region,
            "CreateSnapshot",
            VolumeId=spec.volume_id,
            Description=spec.description,
            TagSpecifications=marked,
        )
        return _snapshot(answer, region)

    async def copy(
        self, source_region: str, snapshot_id: str, target_region: str, *, token: str, tags: Mapping[str, str]
    ) -> Snapshot:
        """The copy's `started_at` is when copying began; its data is as old as the source's `started_at`."""
        marked = aws_tags.specification(("snapshot",), tags, token, operation="CopySnapshot")
        known = await self.find_by_token(target_region, token)
        if known is not None:
            return known
        source = await self.get(source_region, snapshot_id)
        if source.state is not SnapshotState.COMPLETED:
            raise IncorrectState(
                "IncorrectState",
                f"{snapshot_id} is {source.state}; only a completed snapshot is copied",
                provider=PROVIDER,
                operation="CopySnapshot",
            )
        answer = await self._client.call(
            "ec2",
            target_region,
            "CopySnapshot",
            SourceRegion=source_region,
            SourceSnapshotId=snapshot_id,
            Description=f"Copy of {snapshot_id} from {source_region}",
            TagSpecifications=marked,
        )
        return await self._made(target_region, answer["SnapshotId"], source, marked[0]["Tags"])

    async def find_by_token(self, region: str, token: str) -> Snapshot | None:
        async for page in self._client.pages(
            "ec2", region, "DescribeSnapshots", OwnerIds=["self"], Filters=aws_tags.token_filter(token)
        ):
            for each in page.get("Snapshots", []):
                return _snapshot(each, region)
        return None

    async def get(self, region: str, snapshot_id: str) -> Snapshot:
        page = await self._client.call("ec2", region, "DescribeSnapshots", SnapshotIds=[snapshot_id])
        if not page.get("Snapshots"):
            raise NotFound(
                "InvalidSnapshot.NotFound",
                f"There is no snapshot {snapshot_id}",
                provider=PROVIDER,
                operation="DescribeSnapshots",
            )
        return _snapshot(page["Snapshots"][0], region)

    async def delete(self, region: str, snapshot_id: str) -> None:
        try:
            await self._client.call("ec2", region, "DeleteSnapshot", SnapshotId=snapshot_id)
        except NotFound:
            return

    async def pages(self, region: str, *, page_size: int = 500) -> AsyncIterator[list[Snapshot]]:
        """Those that the account owns: without the owner EC2 lists every public snapshot, tens of thousands."""
        size = min(1000, max(5, page_size))
        async for page in self._client.pages("ec2", region, "DescribeSnapshots", OwnerIds=["self"], MaxResults=size):
            yield [_snapshot(each, region) for each in page.get("Snapshots", [])]

    async def _made(self, region: str, snapshot_id: str, source: Snapshot, listed: list[dict[str, str]]) -> Snapshot:
        """CopySnapshot answers only an id, which may not be readable yet; then this is what we know of it."""
        try:
            return await self.get(region, snapshot_id)
        except NotFound:
            return Snapshot(
                id=snapshot_id,
                state=SnapshotState.PENDING,
                region=region,
                volume_id=None,
                size_gib=source.size_gib,
                started_at=datetime.now(UTC),
                tags=aws_tags.from_aws(listed),
                encrypted=source.encrypted,
            )


def _snapshot(snapshot: Mapping[str, Any], region: str) -> Snapshot:
    progress = str(snapshot.get("Progress") or "").rstrip("%")
    return Snapshot(
        id=snapshot["SnapshotId"],
        state=_STATES[snapshot["State"]],
        region=region,
        volume_id=snapshot.get("VolumeId") or None,
        size_gib=snapshot["VolumeSize"],
        started_at=in_utc(snapshot["StartTime"]),
        tags=aws_tags.from_aws(snapshot.get("Tags")),
        progress_percent=int(progress) if progress.isdecimal() else None,
        encrypted=snapshot.get("Encrypted"),
        state_reason=snapshot.get("StateMessage") or None,
    )
