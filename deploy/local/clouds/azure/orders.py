"""Is the body of a virtual machine's PUT in order, and what does it ask for?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from deploy.local.clouds.azure import paths
from deploy.local.clouds.azure.areas import AREAS, PLATFORM_IMAGES, ROOT_GIB, SIZES, Size
from deploy.local.clouds.azure.disks import make_root
from deploy.local.clouds.azure.subscription import SPOT_QUOTA, cores_in_use, spot_cores_in_use
from deploy.local.clouds.azure.tags import checked
from deploy.local.clouds.world.controls import IMAGE, VOLUME
from deploy.local.clouds.world.provider import Call, Refusal
from deploy.local.clouds.world.things import Thing


@dataclass(frozen=True)
class Root:
    """The operating system's disk: a new one from `image`, or the one that is there (`disk_id`)."""

    name: str
    delete_option: str
    image: dict[str, Any] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    disk_id: str | None = None

    def disk(self, call: Call, machine_id: str, ready_s: float) -> Thing:
        """The disk, which is the machine's from now on."""
        if self.disk_id is None:
            return make_root(call, self.name, machine_id, self.facts, ready_s)
        known = call.need(VOLUME, self.disk_id)
        known.facts["managedBy"] = machine_id
        return call.save(known)


@dataclass(frozen=True)
class Order:
    size: Size
    zones: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    root: Root = field(default_factory=lambda: Root("", "Detach"))
    profile: dict[str, Any] | None = None
    interfaces: list[dict[str, Any]] = field(default_factory=list)
    priority: dict[str, Any] = field(default_factory=dict)
    """How a spot machine is paid for and taken back; empty for one on demand."""


def read_order(call: Call, region: str, *, only_size: str | None = None, is_spot: bool = False) -> Order:
    """What is asked for; raises Refusal for what Azure would refuse. With `only_size` that size alone is checked, for
    a machine that `is_spot`.
    """
    if only_size is not None:
        return Order(_size(call, only_size, is_spot=is_spot))
    body = call.document()
    if paths.need_location(body) != region:
        raise Refusal("invalid", "The location differs from the resource group's.", field="location")
    properties = body.get("properties") or {}
    priority = _priority(properties)
    size = _size(call, str((properties.get("hardwareProfile") or {}).get("vmSize")), is_spot=bool(priority))
    zones = [str(zone) for zone in body.get("zones") or []]
    if set(zones) - set(AREAS[region].zone_names):
        message = f"The zone(s) '{','.join(zones)}' for resource '{call.path['name']}' is not supported."
        raise Refusal("invalid", message, code="InvalidAvailabilityZone", field="zones")
    if not size.is_open(AREAS[region], zones):
        raise Refusal("no_capacity", f"The requested size for '{call.path['name']}' is currently not available "
                      f"in location '{region}' zones '{','.join(zones)}' for subscription.")  # fmt: skip
    root = _root(call, region, zones, size, properties.get("storageProfile") or {})
    interfaces = (properties.get("networkProfile") or {}).get("networkInterfaceConfigurations") or []
    if len(interfaces) != 1 or not properties["networkProfile"].get("networkApiVersion"):
        raise Refusal("invalid", "Required parameter 'networkProfile' is missing (null).", field="networkProfile")
    profile = _profile(properties.get("osProfile"), needed=root.image is not None)
    return Order(size, zones, checked(body.get("tags")), root, profile, interfaces, priority)


def _priority(properties: dict[str, Any]) -> dict[str, Any]:
    """models.VirtualMachineProperties: what is said of a spot machine is refused of one on demand."""
    priority, policy = properties.get("priority", "Regular"), properties.get("evictionPolicy")
    max_price = (properties.get("billingProfile") or {}).get("maxPrice")
    if priority not in {"Regular", "Spot", "Low"}:
        raise Refusal("invalid", f"The value '{priority}' of parameter 'priority' is invalid.", field="priority")
    if priority == "Regular":
        if policy is not None or max_price is not None:
            message = "Eviction policy and max price can be set only on Azure Spot Virtual Machines."
            raise Refusal("invalid", message, field="evictionPolicy")
        return {}
    if policy not in {None, "Deallocate", "Delete"}:
        raise Refusal("invalid", f"The value '{policy}' of parameter 'evictionPolicy' is invalid.",
                      field="evictionPolicy")  # fmt: skip
    if max_price is not None and max_price != -1 and max_price <= 0:
        raise Refusal("invalid", f"The value '{max_price}' of parameter 'maxPrice' is invalid.", field="maxPrice")
    return {
        "priority": priority, "evictionPolicy": policy or "Deallocate",
        "billingProfile": {"maxPrice": -1 if max_price is None else max_price},
    }  # fmt: skip


def _size(call: Call, name: str, *, is_spot: bool) -> Size:
    size = SIZES.get(name)
    if size is None:
        message = f"The value {name} provided for the VM size is not valid. The valid sizes in the current region are: "
        raise Refusal("invalid", message + ",".join(list(SIZES)[:5]), field="vmSize")
    if is_spot and not size.has_spot:
        raise Refusal("invalid", f"The VM size '{name}' cannot be used with Azure Spot.", field="vmSize")
    if is_spot:
        if spot_cores_in_use(call) + size.cores > SPOT_QUOTA:
            raise Refusal("quota", "Operation could not be completed as it results in exceeding approved "
                          f"LowPriorityCores quota. Current Limit: {SPOT_QUOTA}.")  # fmt: skip
        return size
    if cores_in_use(call, size.family) + size.cores > size.quota:
        raise Refusal("quota", f"Operation could not be completed as it results in exceeding approved {size.family} "
                      f"Cores quota. Current Limit: {size.quota}.")  # fmt: skip
    return size


def _profile(profile: dict[str, Any] | None, *, needed: bool) -> dict[str, Any] | None:
    """A machine from an image has an administrator who comes in by a key or a password; never both are shown."""
    if not needed:
        if profile is not None:
            raise Refusal("invalid", "Parameter 'osProfile' is not allowed.", field="osProfile")
        return None
    linux = (profile or {}).get("linuxConfiguration") or {}
    keys = (linux.get("ssh") or {}).get("publicKeys") or []
    if profile is None or not profile.get("computerName") or not (profile.get("adminPassword") or keys):
        raise Refusal("invalid", "Required parameter 'osProfile' is missing (null).", field="osProfile")
    return {name: value for name, value in profile.items() if name != "adminPassword"}


def _root(call: Call, region: str, zones: list[str], size: Size, storage: dict[str, Any]) -> Root:
    disk = storage.get("osDisk") or {}
    option = disk.get("deleteOption", "Detach")
    if disk.get("createOption") == "Attach":
        return _attached(call, str((disk.get("managedDisk") or {}).get("id")), zones, option)
    image = storage.get("imageReference")
    if disk.get("createOption") != "FromImage" or not image:
        raise Refusal("invalid", "Required parameter 'imageReference' is missing (null).", field="imageReference")
    exact, gib = _own_image(call, region, image) if "id" in image else _platform_image(image, size)
    wanted = disk.get("diskSizeGB") or gib
    if wanted < gib:
        raise Refusal("invalid", f"The disk size {wanted} is smaller than the image's.", field="diskSizeGB")
    facts = {
        "zones": zones,
        "properties": {
            "diskSizeGB": wanted,
            "osType": "Linux",
            "hyperVGeneration": "V2",
            "supportedCapabilities": {"architecture": size.architecture},
            "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
            "creationData": {"createOption": "FromImage", "imageReference": {"id": _image_id(call, region, exact)}},
        },
    }
    return Root(disk.get("name") or f"{call.path['name']}_OsDisk", option, exact, facts)


def _attached(call: Call, identifier: str, zones: list[str], option: str) -> Root:
    disk = call.get(VOLUME, identifier)
    if disk is None:
        raise Refusal("not_found", f"The Resource '{identifier}' was not found.")
    if disk.state != "ready":
        raise Refusal("wrong_state", f"Disk {identifier} is not in the Succeeded state.")
    if disk.facts.get("managedBy"):
        raise Refusal("conflict", f"Disk {identifier} is attached to VM {disk.facts['managedBy']}.",
                      code="AttachDiskWhileBeingDetached")  # fmt: skip
    if sorted(disk.facts.get("zones") or []) != sorted(zones):
        raise Refusal("invalid", "The zones of disk and virtual machine differ.", code="BadRequest", field="zones")
    return Root(paths.name_of(identifier), option, disk_id=identifier)


def _own_image(call: Call, region: str, image: dict[str, Any]) -> tuple[dict[str, Any], int]:
    known = call.get(IMAGE, str(image["id"]))
    if known is None or known.region != region:
        raise Refusal("not_found", f"The Image '{image['id']}' cannot be found in '{region}' region.",
                      code="ImageNotFound", field="imageReference")  # fmt: skip
    root = known.facts["properties"]["storageProfile"]["osDisk"]
    if root["osState"] != "Generalized":
        raise Refusal("invalid", "A specialized managed image has no OS profile to be given.", field="imageReference")
    return {"id": known.id}, root["diskSizeGB"]


def _platform_image(image: dict[str, Any], size: Size) -> tuple[dict[str, Any], int]:
    publisher, offer, sku = (str(image.get(part, "")).lower() for part in ("publisher", "offer", "sku"))
    versions = PLATFORM_IMAGES.get((publisher, offer, sku))
    version = image.get("version", "latest")
    if versions is None or version not in {"latest", *versions}:
        raise Refusal("not_found", f"The platform image '{publisher}:{offer}:{sku}:{version}' is not available.",
                      code="PlatformImageNotFound", field="imageReference")  # fmt: skip
    arm = sku.endswith("arm64")
    if arm != (size.architecture == "Arm64"):
        raise Refusal("invalid", f"Cannot create a VM of size '{size.name}': its architecture is {size.architecture}.",
                      code="BadRequest", field="vmSize")  # fmt: skip
    exact = versions[-1] if version == "latest" else version
    return {**image, "exactVersion": exact}, ROOT_GIB


def _image_id(call: Call, region: str, image: dict[str, Any]) -> str:
    if "id" in image:
        return str(image["id"])
    return (
        f"/Subscriptions/{call.account.account_id}/Providers/Microsoft.Compute/Locations/{region}/Publishers/"
        f"{image['publisher']}/ArtifactTypes/VMImage/Offers/{image['offer']}/Skus/{image['sku']}"
        f"/Versions/{image['exactVersion']}"
    )
