"""What may be asked for at DigitalOcean besides droplets? The configuration of each kind, with safe defaults."""

from __future__ import annotations

import ipaddress
from typing import Any

from pydantic import BaseModel, Field, field_validator

from shared.clouds.libcloud.catalog import STRICT
from shared.clouds.models import CHANGE, IN_PLACE

_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}

_LARGEST, _SMALLEST = 16, 28
"""Prefix lengths of the largest and the smallest VPC (docs.digitalocean.com/products/networking/vpc/details/limits)."""
_PRIVATE = tuple(ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


class VpcConfiguration(BaseModel):
    """A VPC: private addresses of one region, which nobody outside of it reaches."""

    model_config = STRICT

    name: str | None = Field(
        default=None,
        pattern=r"^[a-zA-Z0-9.-]{1,255}$",
        description="unique in the account; default: one of our own",
        json_schema_extra=_CHANGES,
    )
    ip_range: str | None = Field(
        default=None,
        pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$",
        description="10.10.0.0/20: private, /16 to /28, overlapping no other VPC; default: DigitalOcean's choice",
    )

    @field_validator("ip_range")
    @classmethod
    def _private(cls, text: str | None) -> str | None:
        if text is None:
            return None
        network = ipaddress.IPv4Network(text)
        if not _LARGEST <= network.prefixlen <= _SMALLEST or not any(network.subnet_of(each) for each in _PRIVATE):
            raise ValueError(f"is a private range (RFC 1918) of /{_LARGEST} to /{_SMALLEST}")
        return text
