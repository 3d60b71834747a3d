"""Where in a network may a database stand? RDS wants to be told by a subnet group, of which a network gets one.

It costs nothing and serves all databases of the network, so it stays when one of them goes, and goes with the network.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.clouds.aws.client import AwsClient
from shared.clouds.errors import Conflict, NotFound, PermissionDenied


def subnet_group_of(network_id: str) -> str:
    return f"canopy-{network_id}"


async def make_subnet_group(client: AwsClient, region: str, network_id: str, subnets: Sequence[str]) -> str:
    """The group's name. Idempotent."""
    name = subnet_group_of(network_id)
    try:
        await client.call(
            "rds", region, "CreateDBSubnetGroup", DBSubnetGroupName=name,
            DBSubnetGroupDescription=f"Subnets of {network_id} for databases", SubnetIds=list(subnets),
        )  # fmt: skip
    except Conflict:
        return name
    return name


async def remove_subnet_group(client: AwsClient, region: str, network_id: str) -> None:
    """Idempotent. Whoever may not ask RDS made no database here; what is left of a group hinders no network."""
    try:
        await client.call("rds", region, "DeleteDBSubnetGroup", DBSubnetGroupName=subnet_group_of(network_id))
    except (NotFound, PermissionDenied):
        return
