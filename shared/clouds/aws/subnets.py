"""In which subnets of a network does a thing stand that needs one in each of several zones?"""

from __future__ import annotations

from typing import Any

from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.errors import PROVIDER
from shared.clouds.errors import FieldProblem, InvalidRequest


async def subnets_in(client: AwsClient, region: str, network_id: str | None) -> list[dict[str, Any]]:
    """One subnet per zone, the first by its id; of the region's default network when none is named.

    `InvalidRequest` naming `network_id` when there is none.
    """
    inside = (
        {"Name": "default-for-az", "Values": ["true"]}
        if network_id is None
        else {"Name": "vpc-id", "Values": [network_id]}
    )
    found = [
        each
        async for page in client.pages("ec2", region, "DescribeSubnets", Filters=[inside])
        for each in page["Subnets"]
    ]
    if not found:
        detail = "has no subnets" if network_id is not None else "is to be named: the region has no default network"
        raise InvalidRequest(
            "no_subnets", f"network_id {detail}", provider=PROVIDER, operation="DescribeSubnets",
            problems=(FieldProblem("network_id", detail),),
        )  # fmt: skip
    by_zone = {
        each["AvailabilityZone"]: each for each in sorted(found, key=lambda each: each["SubnetId"], reverse=True)
    }
    return [by_zone[zone] for zone in sorted(by_zone)]
