"""Which VM sizes does a region have, in which zones? Asked of the resource SKUs API once an hour a region."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.errors import FieldProblem, InvalidRequest
from shared.clouds.models import CapacityType

_PATH = "/providers/Microsoft.Compute/skus"
_API_VERSION = "2021-07-01"
_KEPT_S = 3600.0
# learn.microsoft.com/azure/virtual-machines/vm-naming-conventions: family, cores, then features; p is an ARM processor.
_NAME = re.compile(r"[A-Za-z]+_[A-Z]+\d+(?:-\d+)?(?P<features>[a-z]*)(?:_.*)?")


@dataclass(frozen=True, slots=True)
class Size:
    """`zones` are those in which this subscription may have it; `is_open` is False when it may not have it at all.

    `has_spot` is False when Azure sells it on demand only, as all of the B series.
    """

    name: str
    zones: tuple[str, ...]
    is_open: bool
    has_spot: bool


class AzureSizes:
    def __init__(self, client: AzureClient, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic_s = monotonic_s
        self._kept: dict[str, tuple[float, Mapping[str, Size]]] = {}

    async def need(
        self, region: str, instance_type: str, *, operation: str, capacity_type: CapacityType | None = None
    ) -> Size:
        """`InvalidRequest` with field `instance_type` for a size that the region does not have, or not as a spot
        machine, or not for us: Azure opens sizes to a subscription on demand, and would call that a lack of capacity,
        which time alone mends.
        """
        size = (await self._of(region)).get(instance_type.lower())
        not_as_spot = size is not None and capacity_type is CapacityType.SPOT and not size.has_spot
        if size is None or not size.is_open or not_as_spot:
            detail = f"is no VM size of {region}" if size is None else (
                "cannot be had as a spot machine" if not_as_spot else f"is not open to this subscription in {region}"
            )  # fmt: skip
            raise InvalidRequest(
                "unknown_size", f"{instance_type} {detail}", provider=PROVIDER, operation=operation,
                problems=(FieldProblem("instance_type", detail),),
            )  # fmt: skip
        return size

    async def _of(self, region: str) -> Mapping[str, Size]:
        kept = self._kept.get(region)
        now_s = self._monotonic_s()
        if kept is not None and now_s - kept[0] < _KEPT_S:
            return kept[1]
        sizes = {
            each["name"].lower(): _size(each, region)
            async for page in self._client.documents(
                "compute",
                "resource_skus.list",
                f"/subscriptions/{self._client.subscription_id}{_PATH}",
                region=region,
                **{"api-version": _API_VERSION, "$filter": f"location eq '{region}'"},
            )
            for each in page
            if each["resourceType"] == "virtualMachines"
        }
        self._kept[region] = (now_s, sizes)
        return sizes


def architecture_of(instance_type: str) -> str:
    """`arm64` or `x86_64`, by the size's name."""
    found = _NAME.fullmatch(instance_type)
    return "arm64" if found is not None and "p" in found["features"] else "x86_64"


def _size(sku: Mapping[str, Any], region: str) -> Size:
    """A restriction closes the whole location, or some of its zones."""
    zones = {
        zone
        for place in sku.get("locationInfo") or []
        if place.get("location", "").lower() == region
        for zone in place.get("zones") or []
    }
    restrictions = sku.get("restrictions") or []
    closed = {
        zone
        for each in restrictions
        if each.get("type") == "Zone"
        for zone in (each.get("restrictionInfo") or {}).get("zones") or []
    }
    is_open = not any(each.get("type") == "Location" for each in restrictions)
    capabilities = {each.get("name"): each.get("value") for each in sku.get("capabilities") or []}
    has_spot = capabilities.get("LowPriorityCapable") == "True"
    return Size(sku["name"], tuple(sorted(zones - closed)), is_open, has_spot)
