"""What does Vultr want to be told: the configuration of each kind of resource."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.clouds.libcloud.catalog import STRICT


class InstanceConfiguration(BaseModel):
    """An instance. Its disk's size is its plan's; it has one zone, its region."""

    model_config = STRICT

    instance_type: str = Field(
        default="vc2-1c-1gb", pattern=r"^[a-z][a-z0-9.-]{1,63}$", description="a plan's id, vc2-2c-4gb"
    )
    image: str | None = Field(
        default=None,
        pattern=r"^([0-9]{1,9}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
        description="a system's number in /v2/os, or a snapshot's id; default: the newest Ubuntu LTS",
    )
    subnet_id: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="a VPC's id: it has an address in that too",
    )
    security_groups: list[str] = Field(
        default_factory=list, max_length=1, description="a firewall group, which rules what may come in"
    )
