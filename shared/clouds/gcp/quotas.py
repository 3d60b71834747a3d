"""How much may a project have in a region, and how much of it has it? Compute Engine counts as it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.clouds.assets import GLOBAL_REGION
from shared.clouds.gcp.client import GcpClient
from shared.clouds.quotas import Quota, Quotas

_SERVICE = "compute"
_UNITS: Mapping[str, str] = {"_GB": "GB", "_MB": "MB"}
"""Of the metrics whose names end so."""


class GcpQuotas(Quotas):
    """Networks and balancers are Compute Engine's too. Cloud Storage, Cloud SQL and Cloud DNS tell no limits of theirs
    where a project is read.
    """

    def __init__(self, client: GcpClient) -> None:
        self._client = client

    async def read(self, region: str, now: datetime) -> list[Quota]:  # noqa: ARG002 - counted as it is asked
        project = f"/projects/{self._client.project}"
        operation, path = ("regions.get", f"{project}/regions/{region}")
        if region == GLOBAL_REGION:
            operation, path = "projects.get", project
        answer = await self._client.rest("compute", operation, "GET", path, region, fields="quotas")
        found = [_quota(region, each) for each in answer.get("quotas", [])]
        return sorted(found, key=lambda each: (each.service, each.name, each.code))


def _quota(region: str, row: Mapping[str, Any]) -> Quota:
    """Google writes a limit that there is none of as a number less than 0."""
    code, limit, used = str(row["metric"]), row.get("limit"), row.get("usage")
    return Quota(
        code=code,
        name=code.replace("_", " ").capitalize(),
        service=_SERVICE,
        region=region,
        limit=None if limit is None or limit < 0 else float(limit),
        used=None if used is None else float(used),
        unit=_UNITS.get(code[-3:]),
    )
