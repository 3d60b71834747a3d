"""What may be asked for at Linode besides machines? The configuration of each kind, with safe defaults.

Linode has no content delivery in its API: Akamai's own is another product, with another account.
"""

from __future__ import annotations

import ipaddress
from itertools import combinations
from typing import Annotated, Any

from pydantic import BaseModel, Field, field_validator

from shared.clouds.libcloud.catalog import STRICT
from shared.clouds.models import CHANGE, IN_PLACE

_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
Number = Annotated[str, Field(pattern=r"^[0-9]{1,12}$")]
"""How Linode names nearly everything."""

_PRIVATE = tuple(ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_LINODES_OWN = ipaddress.IPv4Network("192.168.128.0/17")
_LARGEST, _SMALLEST = 8, 29


class VpcSubnet(BaseModel):
    """A part of a VPC."""

    model_config = STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$", max_length=64, description="unique in the VPC")
    ip_range: str = Field(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$", description="private: 10.0.1.0/24")

    @field_validator("ip_range")
    @classmethod
    def _a_private_range(cls, text: str) -> str:
        """In one spelling."""
        network = ipaddress.IPv4Network(text)
        if not _LARGEST <= network.prefixlen <= _SMALLEST:
            raise ValueError(f"is not of /{_LARGEST} to /{_SMALLEST}")
        if not any(network.subnet_of(each) for each in _PRIVATE) or network.overlaps(_LINODES_OWN):
            raise ValueError(f"is no private range, or in Linode's own, {_LINODES_OWN}")
        return str(network)


class VpcConfiguration(BaseModel):
    """A VPC: private addresses of a region that nobody outside reaches. A Linode is put into a subnet when it is made.

    Limits: "VPC" (techdocs.akamai.com/cloud-computing/docs/vpc): private IPv4 ranges (RFC 1918) without
    192.168.128.0/17; 10 VPCs a region and 10 subnets in each, more when the support is asked for them.
    """

    model_config = STRICT

    subnets: list[VpcSubnet] = Field(
        default_factory=list,
        max_length=100,
        description="one that is left out of a change is removed, which Linode refuses while anything stands in it; "
        "with another range it is made anew",
        json_schema_extra=_CHANGES,
    )

    @field_validator("subnets")
    @classmethod
    def _told_apart(cls, subnets: list[VpcSubnet]) -> list[VpcSubnet]:
        """By name, so that the same subnets are the same list."""
        if len({each.name for each in subnets}) < len(subnets):
            raise ValueError("two have the same name")
        ranges = [ipaddress.IPv4Network(each.ip_range) for each in subnets]
        if any(one.overlaps(other) for one, other in combinations(ranges, 2)):
            raise ValueError("ranges overlap")
        return sorted(subnets, key=lambda each: each.name)
