"""What may be asked for as an application load balancer at Google Cloud?"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.clouds.gcp.asset_models import MachineId
from shared.clouds.gcp.cdn_models import Domain
from shared.clouds.models import CHANGE, IN_PLACE

_STRICT = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True, frozen=True)
_CHANGES: dict[str, Any] = {CHANGE: IN_PLACE}


class GcpServingCheck(BaseModel):
    """How a machine shows that it can be given work: it answers 200 to a GET."""

    model_config = _STRICT

    port: int | None = Field(default=None, ge=1, le=65535, description="default: the port that is served on")
    path: str = Field(default="/", pattern=r"^/[^\s\x00]{0,1023}$")
    interval_s: int = Field(default=5, ge=1, le=300)


class ApplicationLoadBalancerConfiguration(BaseModel):
    """A global external application load balancer: one public address for HTTP(S) before machines of any region,
    each request to the nearest of them that are healthy.

    With domains clients are sent to HTTPS (TLS 1.2 or newer), by a certificate that Google issues and renews once each
    domain leads to its address; that this is done is seen in the facts. Another list of domains is another load
    balancer, as with a CDN. Without a domain nobody issues a certificate, and it answers over plain HTTP on port 80.

    From it to the machines HTTP is spoken, which Google encrypts on the way inside its network ("Encryption to the
    backends"). Nothing reaches them until a firewall rule of their network lets it and the check in, both from
    35.191.0.0/16 and 130.211.0.0/22. Limits: "Quotas and limits" (cloud.google.com/load-balancing/docs/quotas): 100
    domains of a certificate, 500 endpoints in a call.
    """

    model_config = _STRICT

    domains: list[Domain] = Field(default_factory=list, max_length=100, description="that lead to it; default: none")
    machines: list[MachineId] = Field(
        default_factory=list, max_length=500, description="ids of machines of any zone", json_schema_extra=_CHANGES
    )
    target_port: int = Field(
        default=80, ge=1, le=65535, description="on which the machines serve", json_schema_extra=_CHANGES
    )
    health_check: GcpServingCheck = Field(default_factory=GcpServingCheck, json_schema_extra=_CHANGES)
    session_affinity: Literal["NONE", "CLIENT_IP", "GENERATED_COOKIE"] = Field(
        default="NONE", description="what sends a client to the same machine again", json_schema_extra=_CHANGES
    )

    @field_validator("domains", "machines")
    @classmethod
    def _in_order(cls, names: list[str]) -> list[str]:
        return sorted(set(names))
