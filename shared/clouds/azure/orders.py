"""What does the PUT of a virtual machine say, and what must be made before it?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.clouds.azure import facts, names
from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.client import AzureClient
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.azure.ground import AzureGround
from shared.clouds.azure.images import AzureImages, Boot
from shared.clouds.azure.receipts import AzureReceipts, Receipt
from shared.clouds.azure.sizes import AzureSizes, Size, architecture_of
from shared.clouds.errors import CloudError, FieldProblem, InvalidRequest, NotFound
from shared.clouds.models import CapacityType, MachineSpec

_OPERATION = "virtual_machines.create_or_update"
_NETWORK_API_VERSION = "2022-11-01"
_ADMINISTRATOR = "canopy"
_DISK_KIND = "StandardSSD_LRS"
_SPOT: Mapping[str, Any] = {"priority": "Spot", "evictionPolicy": "Deallocate", "billingProfile": {"maxPrice": -1}}
"""-1: never taken back because of its price, which is at most the price on demand (models.BillingProfile)."""


@dataclass(frozen=True, slots=True)
class Order:
    """The body, the receipt, and the name of the disk that was made for it, if one was."""

    body: dict[str, Any]
    receipt: Receipt
    disk_name: str | None = None


class AzureOrders:
    def __init__(
        self,
        client: AzureClient,
        ground: AzureGround,
        sizes: AzureSizes,
        receipts: AzureReceipts,
        images: AzureImages,
    ) -> None:
        self._client = client
        self._ground = ground
        self._sizes = sizes
        self._receipts = receipts
        self._images = images

    async def prepare(self, region: str, spec: MachineSpec, receipt: Receipt | None) -> Order:
        """Check the spec, write the receipt, make what the machine needs. All of it may be repeated."""
        group_id = _one_group(spec)
        size = await self._sizes.need(
            region, spec.instance_type, operation=_OPERATION, capacity_type=spec.capacity_type
        )
        boot = await self._images.boot(region, spec.image, architecture=architecture_of(size.name))
        zone = spec.zone or _zone_for(spec.token, size)
        subnet_id = spec.subnet_id or await self._ground.subnet(region)
        await self._ground.group(region)
        receipt = receipt or await self._receipts.write(region, spec, image=boot.image, zone=zone)
        name = names.name_of(spec.token)
        tags = azure_tags.marked(spec.tags, spec.token, operation=_OPERATION)
        if boot.snapshot_id is not None:
            tags[azure_tags.MADE_FROM_TAG] = boot.image
        disk_id = await self._disk(region, spec, boot, zone, f"{name}-os")
        body = {
            "location": region,
            "tags": tags,
            "zones": facts.zones_for(region, zone),
            "properties": {
                "hardwareProfile": {"vmSize": size.name},
                "storageProfile": _storage(boot, disk_id, f"{name}-os", spec.root_volume_gib),
                "networkProfile": _network(name, subnet_id, group_id),
                **({} if disk_id else {"osProfile": _profile(name, receipt.public_key)}),
                **(_SPOT if spec.capacity_type is CapacityType.SPOT else {}),
            },
        }
        return Order(body, receipt, None if disk_id is None else f"{name}-os")

    async def undo(self, region: str, order: Order) -> None:
        """Remove the disk of a machine that was refused; what cannot be removed now is used by the next try."""
        if order.disk_name is not None:
            try:
                await self._client.call(
                    "compute", "disks.begin_delete", names.group_of(region), order.disk_name, region=region
                )
            except CloudError:
                return

    async def _disk(self, region: str, spec: MachineSpec, boot: Boot, zone: str | None, disk_name: str) -> str | None:
        """The system's disk, made of a snapshot; None when Azure makes it of an image."""
        if boot.snapshot_id is None:
            return None
        try:
            return await self._images.disk_from(
                region, boot.snapshot_id, disk_name, zone=zone, size_gib=spec.root_volume_gib,
                tags=azure_tags.to_azure(spec.tags, operation=_OPERATION),
            )  # fmt: skip
        except NotFound as error:
            problem = FieldProblem("image", "is of a snapshot that is gone")
            raise InvalidRequest(
                error.code, error.message, provider=PROVIDER, operation=_OPERATION, problems=(problem,)
            ) from None


def _one_group(spec: MachineSpec) -> str | None:
    if len(spec.security_groups) > 1:
        detail = "has more than one; Azure guards a network interface by one group"
        raise InvalidRequest(
            "too_many_groups", f"security_groups {detail}", provider=PROVIDER, operation=_OPERATION,
            problems=(FieldProblem("security_groups", detail),),
        )  # fmt: skip
    return spec.security_groups[0] if spec.security_groups else None


def _zone_for(token: str, size: Size) -> str | None:
    """Azure chooses no zone, and a machine without one cannot be given the disks of one. The same for a token."""
    if not size.zones:
        return None
    return size.zones[hashlib.sha256(token.encode()).digest()[0] % len(size.zones)]


def _storage(boot: Boot, disk_id: str | None, disk_name: str, size_gib: int | None) -> dict[str, Any]:
    if disk_id is not None:
        attached = {"osType": "Linux", "createOption": "Attach", "managedDisk": {"id": disk_id}}
        return {"osDisk": {**attached, "caching": "ReadWrite", "deleteOption": "Delete"}}
    return {
        "imageReference": boot.reference,
        "osDisk": {
            "osType": "Linux",
            "name": disk_name,
            "createOption": "FromImage",
            "caching": "ReadWrite",
            "deleteOption": "Delete",
            "managedDisk": {"storageAccountType": _DISK_KIND},
            **({"diskSizeGB": size_gib} if size_gib is not None else {}),
        },
    }


def _network(name: str, subnet_id: str, group_id: str | None) -> dict[str, Any]:
    """An interface with a public address, both deleted with the machine. A Standard address without a group that
    allows it lets nothing in (learn.microsoft.com/azure/virtual-network/ip-services/public-ip-addresses, "SKU").
    """
    address = {
        "name": f"{name}-ip",
        "sku": {"name": "Standard"},
        "properties": {"deleteOption": "Delete", "publicIPAllocationMethod": "Static"},
    }
    configuration = {
        "name": "primary",
        "properties": {"primary": True, "subnet": {"id": subnet_id}, "publicIPAddressConfiguration": address},
    }
    interface = {
        "primary": True,
        "deleteOption": "Delete",
        "ipConfigurations": [configuration],
        **({"networkSecurityGroup": {"id": group_id}} if group_id else {}),
    }
    return {
        "networkApiVersion": _NETWORK_API_VERSION,
        "networkInterfaceConfigurations": [{"name": f"{name}-nic", "properties": interface}],
    }


def _profile(name: str, public_key: str) -> dict[str, Any]:
    path = f"/home/{_ADMINISTRATOR}/.ssh/authorized_keys"
    keys = {"publicKeys": [{"path": path, "keyData": public_key}]}
    return {
        "computerName": name,
        "adminUsername": _ADMINISTRATOR,
        "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": keys},
    }
