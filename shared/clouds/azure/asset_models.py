"""What may be asked for at Azure besides machines? The configuration of each kind, with defaults that are safe."""

from __future__ import annotations

import ipaddress
from itertools import combinations
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from shared.clouds.models import CHANGE, IN_PLACE

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)
_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}

_NAME = r"[A-Za-z0-9_.-]+"
_NETWORKS = rf"/subscriptions/{_NAME}/resourceGroups/[A-Za-z0-9_.()-]+/providers/Microsoft\.Network/virtualNetworks"
SubnetId = Annotated[str, Field(pattern=rf"^{_NETWORKS}/{_NAME}/subnets/{_NAME}$", max_length=400)]

_RANGE = r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$"
Range = Annotated[str, Field(pattern=_RANGE, max_length=18)]


class AzureStorageAccountConfiguration(BaseModel):
    """A storage account for blobs (StorageV2). Encrypted, over TLS 1.2 only, and never readable without a sign-in.

    Limits: "Scalability targets for standard storage accounts" and "Soft delete for blobs" (learn.microsoft.com).
    """

    model_config = _STRICT

    account_name: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9]{3,24}$",
        description="a host name, unique in all of Azure; default: one of our own",
    )
    replication: Literal["LRS", "ZRS", "GRS", "GZRS"] = Field(
        default="LRS", description="copies in one building, in three zones, or either with copies in the paired region"
    )
    access_tier: Literal["Hot", "Cool", "Cold"] = Field(default="Hot", json_schema_extra=_CHANGES)
    versioning: bool = Field(default=False, description="keep what is written over", json_schema_extra=_CHANGES)
    soft_delete_days: int = Field(
        default=7, ge=0, le=365, description="how long deleted blobs and containers can be had back; 0: not at all",
        json_schema_extra=_CHANGES,
    )  # fmt: skip
    shared_key_access: bool = Field(
        default=False,
        description="whether the account's two keys open all of it; without, only identities of Entra do",
        json_schema_extra=_CHANGES,
    )
    subnet_ids: list[SubnetId] = Field(
        default_factory=list,
        max_length=400,
        description="when any is given, only they reach it, and Azure's own trusted services",
        json_schema_extra=_CHANGES,
    )

    @field_validator("subnet_ids")
    @classmethod
    def _in_order(cls, ids: list[str]) -> list[str]:
        return sorted(set(ids))


class AzureSubnet(BaseModel):
    """A part of a virtual network. Storage and SQL are reached from it without leaving Azure's own network."""

    model_config = _STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$")
    address_prefix: Range


class AzureVirtualNetworkConfiguration(BaseModel):
    """A virtual network: private addresses that nobody outside reaches.

    Limits: "Azure Virtual Network frequently asked questions" and "Networking limits" (learn.microsoft.com): subnets
    of /29 at the smallest, 3,000 of them (ours are fewer), 20 DNS servers.
    """

    model_config = _STRICT

    address_prefixes: list[Range] = Field(
        default_factory=lambda: ["10.62.0.0/16"], min_length=1, max_length=100, json_schema_extra=_CHANGES
    )
    subnets: list[AzureSubnet] = Field(
        default_factory=lambda: [AzureSubnet(name="default", address_prefix="10.62.0.0/17")],
        max_length=200,
        description="one that is left out is removed, which Azure refuses while anything stands in it",
        json_schema_extra=_CHANGES,
        validate_default=True,
    )
    dns_servers: list[Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]{2,39}$")]] = Field(
        default_factory=list, max_length=20, description="default: Azure's own", json_schema_extra=_CHANGES
    )

    @field_validator("address_prefixes")
    @classmethod
    def _networks(cls, prefixes: list[str]) -> list[str]:
        """In Azure's order, which is that of the client."""
        networks = [_network(each, longest=29) for each in prefixes]
        if any(one.overlaps(other) for one, other in combinations(networks, 2)):
            raise ValueError("ranges overlap")
        return prefixes

    @field_validator("subnets")
    @classmethod
    def _parts(cls, subnets: list[AzureSubnet], info: ValidationInfo) -> list[AzureSubnet]:
        """By name, so that the same subnets are the same list."""
        outer = [_network(each, longest=29) for each in info.data.get("address_prefixes", [])]
        inner = [_network(each.address_prefix, longest=29) for each in subnets]
        if len({each.name.lower() for each in subnets}) < len(subnets):
            raise ValueError("two have the same name")
        if any(one.overlaps(other) for one, other in combinations(inner, 2)):
            raise ValueError("ranges overlap")
        if not all(any(part.subnet_of(whole) for whole in outer) for part in inner):
            raise ValueError("a range is outside of address_prefixes")
        return sorted(subnets, key=lambda each: each.name)


def _network(text: str, *, longest: int) -> ipaddress.IPv4Network:
    """Raises ValueError, also for a range that Azure does not make (/8 to /29)."""
    network = ipaddress.IPv4Network(text)
    if not 8 <= network.prefixlen <= longest:
        raise ValueError(f"{text} is not of /8 to /{longest}")
    return network


class AzureSqlAdministrator(BaseModel):
    """Who administers a SQL server: an identity of Entra."""

    model_config = _STRICT

    login: str = Field(min_length=1, max_length=128, description="its name")
    object_id: str = Field(pattern=r"^[0-9a-fA-F-]{36}$", description="its object id; an application's client id")
    principal_type: Literal["User", "Group", "Application"] = "Group"


class AzureSqlDatabaseConfiguration(BaseModel):
    """A database of Azure SQL on a server of its own. There is no password, neither here nor at Azure: only identities
    of Entra sign in, our own application where no administrator is named. So nothing has to be kept, shown or rotated.

    Encrypted at rest, over TLS 1.2 only, and reached by nobody until a subnet is named.
    Limits: "Resource limits for single databases" (learn.microsoft.com): 4,096 GiB where the size allows it.
    """

    model_config = _STRICT

    database_name: str = Field(default="main", pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,127}$")
    engine: Literal["sqlserver"] = "sqlserver"
    version: Literal["12.0"] = "12.0"
    instance_type: str = Field(
        default="S0",
        pattern=r"^[A-Z][A-Za-z0-9_]{1,63}$",
        description="a service objective (Basic, S0, GP_Gen5_2, GP_S_Gen5_1…)",
        json_schema_extra=_CHANGES,
    )
    storage_gib: int | None = Field(
        default=None, ge=1, le=4096, description="default: what its size has", json_schema_extra=_CHANGES
    )
    backup_redundancy: Literal["Local", "Zone", "Geo", "GeoZone"] = Field(default="Geo", json_schema_extra=_CHANGES)
    zone_redundant: bool = Field(
        default=False, description="copies in several zones; not at every size", json_schema_extra=_CHANGES
    )
    subnet_id: SubnetId | None = Field(
        default=None, description="the one subnet that reaches it; without, nobody does", json_schema_extra=_CHANGES
    )
    administrator: AzureSqlAdministrator | None = Field(default=None, description="default: our own application")
    source_database_id: str | None = Field(
        default=None,
        pattern=rf"^/subscriptions/{_NAME}/resourceGroups/[A-Za-z0-9_.()-]+/providers/Microsoft\.Sql/servers/{_NAME}"
        r"/databases/[A-Za-z0-9_-]+$",
        max_length=400,
        description="makes it a readable copy of that database, whose name it must have",
    )
