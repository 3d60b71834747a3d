"""What may be asked for as a CDN at Azure?"""

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
_ACCOUNT = (
    r"^/subscriptions/[A-Za-z0-9_.-]+/resourceGroups/[A-Za-z0-9_.()-]+/providers/Microsoft\.Storage/storageAccounts"
    r"/[a-z0-9]{3,24}$"
)


class AzureFrontDoorConfiguration(BaseModel):
    """Azure Front Door Standard before a storage account or a server. Clients are sent to HTTPS (TLS 1.2 or newer).

    The blobs of a storage account need not be public, and those of the accounts that are made here never are: Front
    Door has an identity of its own, which gets the role Storage Blob Data Reader on the account, and nobody else gets
    any. To give it that role our own credentials need the right to assign roles (docs/how-to/add-an-account.md). Front
    Door is none of the services that an account lets through its walls: one that only its subnets reach is refused.

    A domain is served once its owner has proved to Azure that it is theirs: by a TXT record of `_dnsauth.<domain>` with
    the token that the facts show, and a CNAME that leads to the address. Limits: "Azure Front Door Standard and Premium
    service limits" (learn.microsoft.com): 100 domains.
    """

    model_config = _STRICT

    storage_account_id: str | None = Field(
        default=None, pattern=_ACCOUNT, max_length=400, description="a storage account of the subscription"
    )
    origin: str | None = Field(
        default=None,
        max_length=253,
        validate_default=True,
        description="a host name, or an IPv4 address such as a load balancer has; either this or a storage account",
    )
    origin_protocol: Literal["https", "http"] = Field(
        default="https", validate_default=True, description="how the origin is asked: on port 443 or 80"
    )
    origin_path: str = Field(
        default="", pattern=r"^(/[\x21-\x7e]*[^/])?$", max_length=255,
        description="a folder of the origin, such as a container of an account", json_schema_extra=_CHANGES,
    )  # fmt: skip
    domains: list[Annotated[str, Field(pattern=rf"^{_HOST}$", max_length=253)]] = Field(
        default_factory=list, max_length=100, description="that it answers to besides Azure's own name for it",
        json_schema_extra=_CHANGES,
    )  # fmt: skip
    cache: Literal["ignore_query", "by_query", "disabled"] = Field(
        default="ignore_query",
        description="whether addresses that differ by their query only are one copy, several, or nothing is kept",
        json_schema_extra=_CHANGES,
    )

    @field_validator("origin")
    @classmethod
    def _one_server(cls, origin: str | None, given: ValidationInfo) -> str | None:
        if (origin is None) == (given.data.get("storage_account_id") is None):
            raise ValueError("either this or a storage account is given")
        if origin is not None and not (_is_address(origin) or re.fullmatch(_HOST, origin)):
            raise ValueError("is neither a host name in lower case nor an IPv4 address")
        return origin

    @field_validator("origin_protocol")
    @classmethod
    def _checked(cls, protocol: str, given: ValidationInfo) -> str:
        if protocol == "https" and _is_address(given.data.get("origin") or ""):
            raise ValueError("an address has no name that a certificate could be checked against: http is possible")
        if protocol == "http" and given.data.get("storage_account_id") is not None:
            raise ValueError("a storage account is asked over TLS only")
        return protocol

    @field_validator("domains")
    @classmethod
    def _in_order(cls, domains: list[str]) -> list[str]:
        return sorted(set(domains))


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
