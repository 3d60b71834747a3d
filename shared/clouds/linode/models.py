"""What does Linode want to be told: the configuration of each kind of resource."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.clouds.libcloud.catalog import STRICT


class InstanceConfiguration(BaseModel):
    """A Linode. Its disk's size is its type's; it has one zone, its region."""

    model_config = STRICT

    instance_type: str = Field(
        default="g6-nanode-1", pattern=r"^[a-z0-9][a-z0-9.-]{1,63}$", description="a type's id, g6-standard-2"
    )
    image: str | None = Field(
        default=None,
        pattern=r"^(linode/[a-z0-9._-]{1,64}|private/[0-9]{1,12})$",
        description="linode/debian12, or private/… for one of your own; default: the newest Ubuntu LTS",
    )
    subnet_id: str | None = Field(
        default=None, pattern=r"^[0-9]{1,12}$", description="the number of a VPC's subnet; it keeps its public address"
    )
