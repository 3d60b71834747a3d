"""What may be asked for at Vultr besides instances? The configuration of each kind, with safe defaults."""

from __future__ import annotations

import ipaddress

from pydantic import BaseModel, Field, field_validator

from shared.clouds.libcloud.catalog import STRICT

_PRIVATE = tuple(ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""RFC 1918, as "Create a VPC" (www.vultr.com/api) wants it."""


class VpcConfiguration(BaseModel):
    """A VPC: private addresses of one region, which nobody outside reaches without a NAT gateway."""

    model_config = STRICT

    ip_range: str | None = Field(
        default=None,
        pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$",
        description="private addresses, 10.1.0.0/24; default: Vultr's choice",
    )

    @field_validator("ip_range")
    @classmethod
    def _is_private(cls, text: str | None) -> str | None:
        if text is not None and not any(ipaddress.IPv4Network(text).subnet_of(each) for each in _PRIVATE):
            raise ValueError("is not within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16")
        return text
