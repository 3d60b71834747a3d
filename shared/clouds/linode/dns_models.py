"""What may be asked for as a DNS zone at Linode? Its records, written as in a zone file."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator

from shared.clouds.libcloud.catalog import STRICT
from shared.clouds.models import CHANGE, IN_PLACE
from shared.clouds.zone_records import HOST, LABEL, spelled, told_apart

_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
_SERVICE = r"_([a-z0-9-]{1,62})\._([a-z]{2,16})"
_PATTERNS = {
    "CNAME": HOST,
    "NS": HOST,
    "MX": rf"\d{{1,5}} {HOST}",
    "SRV": rf"\d{{1,5}} \d{{1,5}} \d{{1,5}} {HOST}",
    "CAA": r"0 (issue|issuewild|iodef) [^\x00-\x1f\"\\]{1,1024}",
    "TXT": r"[^\x00-\x1f]+",
}
"""Of what is no address; hosts in lower case. Linode keeps no flags of a CAA record: they are 0."""
RECORD_TYPES = ("A", "AAAA", *_PATTERNS)

Seconds = Literal[
    0, 30, 120, 300, 3600, 7200, 14400, 28800, 57600, 86400, 172800, 345600, 604800, 1209600, 2419200
]  # fmt: skip
"""What Linode does not round to another ("Create a domain record" of its API reference); 0: its default."""


class LinodeDnsRecord(BaseModel):
    """All values of one name and type. Values are as in a zone file: `10 mail.example.com` for MX, the text itself,
    without quotes, for TXT.
    """

    model_config = STRICT

    name: str = Field(
        pattern=rf"^(@|\*|(\*\.)?({LABEL}\.)*{LABEL})$", max_length=200, description="within the zone; @: itself"
    )
    type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SRV", "TXT"]
    values: list[Annotated[str, Field(min_length=1, max_length=4000)]] = Field(min_length=1, max_length=100)
    ttl_s: Seconds = 3600

    @field_validator("values")
    @classmethod
    def _readable(cls, values: list[str], given: ValidationInfo) -> list[str]:
        """In one spelling and one order, so that the same values are the same list."""
        kind = given.data.get("type", "TXT")
        return sorted({spelled(kind, each, _PATTERNS.get(kind)) for each in values})

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        if self.type == "CNAME" and (len(self.values) > 1 or self.name == "@"):
            raise ValueError("a CNAME has one value and is not of the zone itself")
        if self.type == "NS" and (self.name == "@" or "*" in self.name):
            raise ValueError("NS is of a name within the zone: the zone's own name servers are Linode's")
        if self.type == "SRV" and service_of(self.name) is None:
            raise ValueError("SRV is of a service and a protocol of the zone: _sip._tcp")
        return self


class DomainConfiguration(BaseModel):
    """A domain of Linode's DNS, for which Linode is the primary. It holds a domain once, whoever's it is.

    Limits: "DNS Manager" (techdocs.akamai.com/cloud-computing/docs/dns-manager): 12,000 records; ours are fewer.
    """

    model_config = STRICT

    zone_name: str = Field(pattern=rf"^({LABEL}\.)+{LABEL}$", max_length=253, description="example.com")
    soa_email: str | None = Field(
        default=None,
        pattern=r"^[^@\s\x00]{1,64}@[a-z0-9.-]{1,253}$",
        validate_default=True,
        description="who answers for it; default: hostmaster@ the zone",
        json_schema_extra=_CHANGES,
    )
    records: list[LinodeDnsRecord] = Field(default_factory=list, max_length=1000, json_schema_extra=_CHANGES)

    @field_validator("soa_email")
    @classmethod
    def _somebody(cls, email: str | None, given: ValidationInfo) -> str | None:
        return email or f"hostmaster@{given.data.get('zone_name', '')}"

    @field_validator("records")
    @classmethod
    def _told_apart(cls, records: list[LinodeDnsRecord]) -> list[LinodeDnsRecord]:
        return told_apart(records)


def service_of(name: str) -> tuple[str, str] | None:
    """Service and protocol of `_sip._tcp`; None for another name."""
    found = re.fullmatch(_SERVICE, name)
    return None if found is None else (found[1], found[2])
