"""What may be asked for as a CDN at Google Cloud?"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from shared.clouds.models import CHANGE, IN_PLACE

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)
_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"({_LABEL}\.)+{_LABEL}"
Domain = Annotated[str, Field(pattern=rf"^{_HOST}$", max_length=253)]


class CloudCdnConfiguration(BaseModel):
    """Cloud CDN: a global external Application Load Balancer that keeps copies of what its origin answers.

    The origin is a server in the Internet (`origin`), asked over TLS by its own name: an internet endpoint group. Or it
    is a bucket, and then one that is open to all already: Cloud CDN reads a bucket as everybody does (the only other
    way is an HMAC key, a secret that would be in this configuration). The buckets that are made here are never public,
    and a CDN does not open one on the way: who names a bucket has opened it at Google before, on purpose. One that
    Google keeps closed (public access prevention) is refused with the field, before anything is made.

    With domains clients are sent to HTTPS (TLS 1.2 or newer), by a certificate that Google issues and renews once each
    domain leads to its address; that this is done is seen in the facts. Another list of domains is another CDN: in the
    place of the certificate there would be none until Google has issued the next. Without a domain nobody issues a
    certificate, and it answers over plain HTTP.

    Limits: "Internet NEGs" (one endpoint), "Use Google-managed SSL certificates" (100 domains), "Caching overview"
    (TTLs to a year) of cloud.google.com.
    """

    model_config = _STRICT

    bucket: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9][a-z0-9_.-]{1,220}[a-z0-9]$",
        description="a bucket of Cloud Storage that everybody may read already",
    )
    origin: str | None = Field(
        default=None,
        max_length=253,
        validate_default=True,
        description="a host name, or an IPv4 address such as a load balancer has; either this or a bucket",
    )
    origin_protocol: Literal["https", "http"] = Field(
        default="https", validate_default=True, description="how the origin is asked: on port 443 or 80"
    )
    domains: list[Domain] = Field(default_factory=list, max_length=100, description="that lead to it; default: none")
    cache: Literal["static", "origin_headers", "all"] = Field(
        default="static",
        description="what is kept: what is static by its type, only what the origin says may be, or all of it",
        json_schema_extra=_CHANGES,
    )
    default_ttl_s: int | None = Field(
        default=None, ge=0, le=31_622_400, description="how long, where the origin does not say; default: an hour",
        json_schema_extra=_CHANGES,
    )  # fmt: skip
    compression: bool = Field(default=True, description="what compresses well", json_schema_extra=_CHANGES)

    @field_validator("origin")
    @classmethod
    def _one_server(cls, origin: str | None, given: ValidationInfo) -> str | None:
        if (origin is None) == (given.data.get("bucket") is None):
            raise ValueError("either this or a bucket is given")
        if origin is not None and not (_is_address(origin) or re.fullmatch(_HOST, origin)):
            raise ValueError("is neither a host name in lower case nor an IPv4 address")
        return origin

    @field_validator("origin_protocol")
    @classmethod
    def _by_name_only(cls, protocol: str, given: ValidationInfo) -> str:
        if protocol == "https" and _is_address(given.data.get("origin") or ""):
            raise ValueError("an address has no name that a certificate could be checked against: http is possible")
        return protocol

    @field_validator("domains")
    @classmethod
    def _in_order(cls, domains: list[str]) -> list[str]:
        return sorted(set(domains))

    @field_validator("default_ttl_s")
    @classmethod
    def _not_beside_headers(cls, ttl_s: int | None, given: ValidationInfo) -> int | None:
        if ttl_s is not None and given.data.get("cache") == "origin_headers":
            raise ValueError("is the origin's to say")
        return ttl_s


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
