"""What may be asked for as a DNS domain at Vultr? Its records, written as in a zone file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from shared.clouds.libcloud.catalog import STRICT
from shared.clouds.models import CHANGE, IN_PLACE
from shared.clouds.zone_records import HOST, LABEL, spelled, told_apart

_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
MARK_NAME = "_canopy"
"""The name whose text says the token of a domain's create."""

_PATTERNS = {
    "CNAME": HOST,
    "NS": HOST,
    "MX": rf"\d{{1,5}} {HOST}",
    "SRV": rf"\d{{1,5}} \d{{1,5}} \d{{1,5}} {HOST}",
    "CAA": r"\d{1,3} (issue|issuewild|iodef) [^\s\x00-\x1f\"\\]{1,255}",
    "TXT": r"[^\x00-\x1f\"\\]+",
}
"""Of what is no address; hosts in lower case. Vultr takes no quotes in a text and no spaces in a CAA value (dnscontrol,
providers/vultr/auditrecords.go).
"""
RECORD_TYPES = ("A", "AAAA", *_PATTERNS)


class VultrDnsRecord(BaseModel):
    """All values of one name and type. Values are as in a zone file: `10 mail.example.com` for MX, the text itself,
    without quotes, for TXT.
    """

    model_config = STRICT

    name: str = Field(
        pattern=rf"^(@|\*|(\*\.)?({LABEL}\.)*{LABEL})$", max_length=200, description="within the domain; @: itself"
    )
    type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT"]
    values: list[Annotated[str, Field(min_length=1, max_length=1000)]] = Field(min_length=1, max_length=50)
    ttl_s: int = Field(default=300, ge=1, le=2_147_483_647)

    @field_validator("values")
    @classmethod
    def _readable(cls, values: list[str], given: ValidationInfo) -> list[str]:
        """In one spelling and one order, so that the same values are the same list."""
        kind = given.data.get("type", "TXT")
        return sorted({spelled(kind, each, _PATTERNS.get(kind)) for each in values})

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.type == "CNAME" and (len(self.values) > 1 or self.name == "@"):
            raise ValueError("a CNAME has one value and is not of the domain itself")
        if self.type == "NS" and self.name == "@":
            raise ValueError("the domain's own name servers are Vultr's")
        if self.name == MARK_NAME:
            raise ValueError(f"{MARK_NAME} says whose the domain is")
        return self


class DnsDomainConfiguration(BaseModel):
    """A domain at Vultr's name servers. It keeps no tags there: all that a domain holds is public.

    How many records there may be is ours to say: each value is a call.
    """

    model_config = STRICT

    zone_name: str = Field(pattern=rf"^({LABEL}\.)+{LABEL}$", max_length=253, description="example.com")
    dnssec: bool = Field(
        default=False, description="sign it; its registrar has to be told the key", json_schema_extra=_CHANGES
    )
    records: list[VultrDnsRecord] = Field(default_factory=list, max_length=500, json_schema_extra=_CHANGES)

    @field_validator("records")
    @classmethod
    def _told_apart(cls, records: list[VultrDnsRecord]) -> list[VultrDnsRecord]:
        return told_apart(records)
