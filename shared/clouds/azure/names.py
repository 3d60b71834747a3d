"""What are our things at Azure called, and what does a resource id say?

Ids differ in the case of their resource group from one list to another (Resource Manager compares them without it), so
ours have it in lower case.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from shared.clouds.azure import tags as azure_tags
from shared.clouds.azure.errors import PROVIDER
from shared.clouds.errors import NotFound

MACHINE = "Microsoft.Compute/virtualMachines"
DISK = "Microsoft.Compute/disks"
SNAPSHOT = "Microsoft.Compute/snapshots"
IMAGE = "Microsoft.Compute/images"
SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
INTERFACE = "Microsoft.Network/networkInterfaces"
NETWORK = "Microsoft.Network/virtualNetworks"
LOAD_BALANCER = "Microsoft.Network/loadBalancers"
DNS_ZONE = "Microsoft.Network/dnszones"
STORAGE_ACCOUNT = "Microsoft.Storage/storageAccounts"
FRONT_DOOR = "Microsoft.Cdn/profiles"
SQL_SERVER = "Microsoft.Sql/servers"
SQL_DATABASE = "Microsoft.Sql/servers/databases"
_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)/providers/(?P<kind>[^/]+/[^/]+)"
    r"/(?P<name>[^/]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thing is: its resource group (lower case) and its name there; a part of a thing has a name within it."""

    group: str
    name: str
    child: str = ""


def group_of(region: str) -> str:
    """The resource group that everything of ours in a region is in."""
    return f"canopy-{region}"


def name_of(token: str) -> str:
    """A name that only this token has: the same create addresses the same thing."""
    azure_tags.check_token(token, operation="name")
    return f"canopy-{hashlib.sha256(token.encode()).hexdigest()[:32]}"


def account_name_of(token: str) -> str:
    """The same for a storage account, whose name is 3 to 24 lower-case letters and digits, unique in all of Azure."""
    azure_tags.check_token(token, operation="name")
    return f"canopy{hashlib.sha256(token.encode()).hexdigest()[:18]}"


def place_of(identifier: str, kind: str) -> Place:
    """`NotFound` for what is no id of that kind: no such thing can exist."""
    found = _ID.fullmatch(identifier)
    if found is None or found["kind"].lower() != kind.lower():
        raise NotFound(
            "ResourceNotFound", f"{identifier[:200]} is not an id of {kind}", provider=PROVIDER, operation="read id"
        )
    return Place(found["group"].lower(), found["name"])


def child_of(identifier: str, kind: str) -> Place:
    """The same for a part of a thing (`Microsoft.Sql/servers/databases`)."""
    outer, _, part = kind.rpartition("/")
    found = re.fullmatch(rf"(.+)/{part}/([^/]+)", identifier, re.IGNORECASE)
    if found is None:
        return place_of(identifier, kind)  # which refuses it
    place = place_of(found[1], outer)
    return Place(place.group, place.name, found[2])


def canonical(identifier: str) -> str:
    """The id with its resource group in lower case."""
    return re.sub(
        r"/resourceGroups/([^/]+)", lambda found: f"/resourceGroups/{found[1].lower()}", identifier, count=1,
        flags=re.IGNORECASE,
    )  # fmt: skip


def network_of(subnet_id: str) -> str:
    """The id of the virtual network that a subnet is a part of."""
    return re.split("/subnets/", canonical(subnet_id), maxsplit=1, flags=re.IGNORECASE)[0]


def same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
