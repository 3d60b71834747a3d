"""One reading of 10,000 EC2 instances in a process of its own, so that its processor time and memory are its own.

`python -m deploy.benchmarks.ec2_listing boto3|ours|stored --url … --organization … --provider …`; the keys come in
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from deploy.benchmarks.usage import peak_mb
from deploy.local.clouds.aws.seeded import REGIONS

PAGE = 1000
KIND = ("compute", "ec2_instance")


def bare(url: str) -> int:
    """boto3's own paginated describe, whose answer is thrown away."""
    import boto3  # noqa: PLC0415 - each way pays for what it imports, and for nothing else

    count = 0
    for region in REGIONS:
        client = boto3.client("ec2", region_name=region, endpoint_url=url)
        pages = client.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": PAGE})
        count += sum(len(each["Instances"]) for page in pages for each in page["Reservations"])
    return count


def mapped(url: str) -> int:
    """Our adapter's machines, thrown away."""

    async def read() -> int:
        from shared.clouds.aws.cloud import AwsCloud  # noqa: PLC0415 - see above
        from shared.clouds.settings import CloudSettings  # noqa: PLC0415

        cloud = AwsCloud(_keys(), CloudSettings.model_validate({"aws_endpoint_url": url}))
        try:
            return sum([len(page) for each in REGIONS async for page in cloud.machines.pages(each, page_size=PAGE)])
        finally:
            await cloud.close()

    return asyncio.run(read())


def stored(url: str, organization: UUID, provider_id: UUID) -> int:
    """The same through the provisioner's own read of a scope, into its database, with events and history."""

    async def read() -> int:
        from deploy.provisioner_replica import replica_of  # noqa: PLC0415 - see above
        from services.provisioner.domain.scopes import Scope  # noqa: PLC0415
        from services.provisioner.handlers.scans import kinds_of, read_scope  # noqa: PLC0415
        from services.provisioner.storage import providers, scopes  # noqa: PLC0415
        from shared.clouds.aws.cloud import AwsCloud  # noqa: PLC0415
        from shared.clouds.registry import catalog_of  # noqa: PLC0415
        from shared.kit.ids import new_id  # noqa: PLC0415
        from shared.messages.context import Context  # noqa: PLC0415

        deps, context = replica_of(os.environ | {"CANOPY_AWS_ENDPOINT_URL": url}), Context.automatic(organization)
        cloud = AwsCloud(_keys(), deps.cloud_settings)
        pages = kinds_of(cloud, catalog_of("aws"))[KIND].pages
        try:
            async with deps.database.work(context) as work:
                provider = await providers.get(work, provider_id)
                await scopes.put(work, provider_id, [Scope(region, *KIND) for region in REGIONS])
            for region in REGIONS:
                if not await read_scope(deps, context, provider, Scope(region, *KIND), pages, new_id()):
                    raise RuntimeError(f"{region} was not read to its end")
            async with deps.database.work(context) as work:
                return sum(row["things"] for row in await scopes.of_provider(work, provider_id))
        finally:
            await cloud.close()
            await deps.database.close()

    return asyncio.run(read())


def _keys() -> Any:
    from shared.clouds.models import Credentials  # noqa: PLC0415

    return Credentials(
        {
            "access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
            "secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        }
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=["boto3", "ours", "stored"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--organization", type=UUID)
    parser.add_argument("--provider", type=UUID)
    given = parser.parse_args()
    ways: dict[str, Callable[[], int]] = {
        "boto3": lambda: bare(given.url),
        "ours": lambda: mapped(given.url),
        "stored": lambda: stored(given.url, given.organization, given.provider),
    }
    started_s = time.monotonic()
    count = ways[given.way]()
    print(
        json.dumps(
            {
                "count": count,
                "cpu_s": time.process_time(),
                "peak_mb": peak_mb(os.getpid()),
                "took_s": time.monotonic() - started_s,
            }
        )
    )


if __name__ == "__main__":
    main()
