"""What may be asked for as a domain at DigitalOcean? Its records, written as in a zone file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from shared.clouds.libcloud.catalog import STRICT
from shared.clouds.models import CHANGE, IN_PLACE
from shared.clouds.zone_records import HOST, LABEL, spelled, told_apart

_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
_PATTERNS = {
    "CNAME": HOST,
    "NS": HOST,
    "MX": rf"\d{{1,5}} {HOST}",
    "SRV": rf"\d{{1,5}} \d{{1,5}} \d{{1,5}} {HOST}",
    "CAA": r"\d{1,3} (issue|issuewild|iodef) [^\x00-\x20\"\\]{1,255}",
    "TXT": r"[^\x00-\x1f\\]+",
}
"""Of what is no address; hosts in lower case. What DigitalOcean takes no backslash and no space in: dnscontrol's
DigitalOcean provider, auditrecords.go."""
RECORD_TYPES = ("A", "AAAA", *_PATTERNS)
_TXT_CHARACTERS_MAX = 500
"""DigitalOcean takes 512 with the quotes that it writes (dnscontrol's DigitalOcean provider, auditrecords.go)."""
MARK = "_canopy"
"""The name of the record that says whose a domain is."""


class DomainRecord(BaseModel):
    """All values of one name and type. Values are as in a zone file: `10 mail.example.com` for MX, the text itself,
    without quotes, for TXT.
    """

    model_config = STRICT

    name: str = Field(
        pattern=rf"^(@|\*|(\*\.)?({LABEL}\.)*{LABEL})$", max_length=200, description="within the domain; @: itself"
    )
    type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT"]
    values: list[Annotated[str, Field(min_length=1, max_length=_TXT_CHARACTERS_MAX)]] = Field(
        min_length=1, max_length=50
    )
    ttl_s: int = Field(default=1800, ge=30, le=2_147_483_647)

    @field_validator("values")
    @classmethod
    def _readable(cls, values: list[str], given: ValidationInfo) -> list[str]:
        """In one spelling and one order, so that the same values are the same list."""
        kind = given.data.get("type", "TXT")
        return sorted({spelled(kind, each, _PATTERNS.get(kind), as_they_are=frozenset({"TXT"})) for each in values})

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.type == "CNAME" and (len(self.values) > 1 or self.name == "@"):
            raise ValueError("a CNAME has one value and is not of the domain itself")
        if self.type == "NS" and self.name == "@":
            raise ValueError("the domain's own name servers are DigitalOcean's")
        if self.name == MARK:
            raise ValueError(f"{MARK} is our own mark")
        return self


class DomainConfiguration(BaseModel):
    """A domain whose name servers are DigitalOcean's (ns1 to ns3.digitalocean.com). All of it is public."""

    model_config = STRICT

    zone_name: str = Field(pattern=rf"^({LABEL}\.)+{LABEL}$", max_length=253, description="example.com")
    records: list[DomainRecord] = Field(default_factory=list, max_length=500, json_schema_extra=_CHANGES)

    @field_validator("records")
    @classmethod
    def _told_apart(cls, records: list[DomainRecord]) -> list[DomainRecord]:
        return told_apart(records)
