"""What may be asked for as a DNS zone at Azure? Its records, written as in a zone file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from shared.clouds.models import CHANGE, IN_PLACE
from shared.clouds.zone_records import HOST, LABEL, spelled, told_apart

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)
_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
_TEXT_CHARACTERS_MAX = 4096
_PATTERNS = {
    "CNAME": HOST,
    "NS": HOST,
    "PTR": HOST,
    "MX": rf"\d{{1,5}} {HOST}",
    "SRV": rf"\d{{1,5}} \d{{1,5}} \d{{1,5}} {HOST}",
    "CAA": r"\d{1,3} (issue|issuewild|iodef) [^\x00-\x1f]{1,1024}",
}
"""Of the kinds that are neither addresses nor text; hosts in lower case."""
_ADDRESS = (
    r"^/subscriptions/[A-Za-z0-9_.-]+/resourceGroups/[A-Za-z0-9_.()-]+/providers/Microsoft\.Network/publicIPAddresses"
    r"/[A-Za-z0-9_.-]+$"
)


class AzureDnsRecord(BaseModel):
    """All values of one name and type. Values are as in a zone file: `10 mail.example.com` for MX, the text itself for
    TXT. A record that follows a public address (`target_id`) has no values of its own.
    """

    model_config = _STRICT

    name: str = Field(
        pattern=rf"^(@|\*|(\*\.)?({LABEL}\.)*{LABEL})$", max_length=200, description="within the zone; @: itself"
    )
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT", "CAA"]
    values: list[Annotated[str, Field(min_length=1, max_length=_TEXT_CHARACTERS_MAX)]] = Field(
        default_factory=list, max_length=20
    )
    ttl_s: int = Field(default=3600, ge=1, le=2_147_483_647)
    target_id: str | None = Field(
        default=None, pattern=_ADDRESS, max_length=400, description="a public address (A, AAAA), as a balancer has one"
    )

    @field_validator("values")
    @classmethod
    def _readable(cls, values: list[str], info: ValidationInfo) -> list[str]:
        """In one spelling and one order, so that the same values are the same list."""
        kind = info.data.get("type", "TXT")
        return sorted({spelled(kind, each, _PATTERNS.get(kind)) for each in values})

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.target_id is None) == (not self.values):
            raise ValueError("a record has values or a target_id")
        if self.target_id is not None and self.type not in {"A", "AAAA"}:
            raise ValueError("only A and AAAA follow an address")
        if self.type == "CNAME" and (len(self.values) > 1 or self.name == "@"):
            raise ValueError("a CNAME has one value and is not of the zone itself")
        if self.type == "NS" and self.name == "@":
            raise ValueError("the zone's own name servers are Azure's")
        return self


class AzureDnsZoneConfiguration(BaseModel):
    """A public DNS zone. Its SOA and its own name servers are Azure's.

    Limits: "Azure DNS limits" (learn.microsoft.com): 10,000 record sets a zone (ours are fewer), 20 records in each.
    """

    model_config = _STRICT

    zone_name: str = Field(pattern=rf"^({LABEL}\.)+{LABEL}$", max_length=253, description="example.com")
    records: list[AzureDnsRecord] = Field(default_factory=list, max_length=1000, json_schema_extra=_CHANGES)

    @field_validator("records")
    @classmethod
    def _told_apart(cls, records: list[AzureDnsRecord]) -> list[AzureDnsRecord]:
        return told_apart(records)
