"""What may be asked for as a domain at DigitalOcean? Its records, written as in a zone file."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from shared.clouds.libcloud.catalog import STRICT
from shared.clouds.models import CHANGE, IN_PLACE

_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = rf"({_LABEL}\.)*{_LABEL}\.?"
_PATTERNS = {
    "CNAME": _HOST,
    "NS": _HOST,
    "MX": rf"\d{{1,5}} {_HOST}",
    "SRV": rf"\d{{1,5}} \d{{1,5}} \d{{1,5}} {_HOST}",
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
        pattern=rf"^(@|\*|(\*\.)?({_LABEL}\.)*{_LABEL})$", max_length=200, description="within the domain; @: itself"
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
        return sorted({_spelled(given.data.get("type", "TXT"), each) for each in values})

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

    zone_name: str = Field(pattern=rf"^({_LABEL}\.)+{_LABEL}$", max_length=253, description="example.com")
    records: list[DomainRecord] = Field(default_factory=list, max_length=500, json_schema_extra=_CHANGES)

    @field_validator("records")
    @classmethod
    def _told_apart(cls, records: list[DomainRecord]) -> list[DomainRecord]:
        if len({(each.name, each.type) for each in records}) < len(records):
            raise ValueError("two have the same name and type")
        aliases = {each.name for each in records if each.type == "CNAME"}
        if any(each.name in aliases and each.type != "CNAME" for each in records):
            raise ValueError("beside a CNAME there is nothing of that name")
        return sorted(records, key=lambda each: (each.name, each.type))


def _spelled(kind: str, value: str) -> str:
    """Raises ValueError for what is no value of that kind."""
    if kind == "A":
        return str(ipaddress.IPv4Address(value))
    if kind == "AAAA":
        return ipaddress.IPv6Address(value).compressed
    if not re.fullmatch(_PATTERNS[kind], value):
        raise ValueError(f"a value is not as {kind} has it")
    return value if kind == "TXT" else value.removesuffix(".")
