"""What does DigitalOcean want to be told: the configuration of each kind of resource."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from shared.clouds.libcloud.catalog import STRICT


class DropletConfiguration(BaseModel):
    """A droplet. Its disk's size is its type's; it has one zone, its region."""

    model_config = STRICT

    instance_type: str = Field(
        default="s-1vcpu-1gb", pattern=r"^[a-z0-9][a-z0-9._-]{1,63}$", description="a size's slug, s-2vcpu-4gb"
    )
    image: str | None = Field(
        default=None,
        pattern=r"^([a-z0-9][a-z0-9._-]{1,127}|[0-9]{1,12})$",
        description="a public image's slug, or the number of one of your own; default: the newest Ubuntu LTS",
    )
    subnet_id: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="a VPC; default: the region's"
    )
    monitoring: Literal["basic", "detailed"] = Field(
        default="basic", description="detailed: with DigitalOcean's agent, which alone measures memory and disk; free"
    )
