"""What may be asked for as a DNS zone at Google Cloud? Its records, written as in a zone file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from shared.clouds.gcp.asset_models import NetworkId
from shared.clouds.models import CHANGE, IN_PLACE
from shared.clouds.zone_records import HOST, LABEL, spelled, told_apart

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)
_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}
_PATTERNS = {
    "CNAME": HOST,
    "NS": HOST,
    "PTR": HOST,
    "MX": rf"\d{{1,5}} {HOST}",
    "SRV": rf"\d{{1,5}} \d{{1,5}} \d{{1,5}} {HOST}",
    "CAA": r"\d{1,3} (issue|issuewild|iodef) [^\x00-\x1f\"\\]{1,1024}",
    "TXT": r"[^\x00-\x1f]+",
}
"""Of what is no address; hosts in lower case."""
RECORD_TYPES = ("A", "AAAA", *_PATTERNS)


class CloudDnsRecord(BaseModel):
    """All values of one name and type. Values are as in a zone file: `10 mail.example.com` for MX, the text itself,
    without quotes, for TXT.
    """

    model_config = _STRICT

    name: str = Field(
        pattern=rf"^(@|\*|(\*\.)?({LABEL}\.)*{LABEL})$", max_length=200, description="within the zone; @: itself"
    )
    type: Literal["A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SRV", "TXT"]
    values: list[Annotated[str, Field(min_length=1, max_length=4000)]] = Field(min_length=1, max_length=100)
    ttl_s: int = Field(default=3600, ge=0, le=2_147_483_647)

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
        if self.type == "NS" and self.name == "@":
            raise ValueError("the zone's own name servers are Google's")
        return self


class CloudDnsZoneConfiguration(BaseModel):
    """A managed zone of Cloud DNS: public and signed (DNSSEC), or seen from the named networks only.

    Limits: "Quotas and limits" (cloud.google.com/dns/quotas): 10,000 record sets a zone (ours are fewer: what one
    change takes), 100 records in each.
    """

    model_config = _STRICT

    zone_name: str = Field(pattern=rf"^({LABEL}\.)+{LABEL}$", max_length=253, description="example.com")
    network_ids: list[NetworkId] = Field(
        default_factory=list, max_length=100, description="when any is given, only they see the zone"
    )
    records: list[CloudDnsRecord] = Field(default_factory=list, max_length=1000, json_schema_extra=_CHANGES)

    @field_validator("network_ids")
    @classmethod
    def _in_order(cls, networks: list[str]) -> list[str]:
        return sorted(set(networks))

    @field_validator("records")
    @classmethod
    def _told_apart(cls, records: list[CloudDnsRecord]) -> list[CloudDnsRecord]:
        return told_apart(records)
