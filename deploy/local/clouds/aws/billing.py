"""Which machines does an account of the simulated AWS pay for, and who answers for money?"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from deploy.local.clouds.aws import cost_explorer, price_list
from deploy.local.clouds.aws.calls import Call
from deploy.local.clouds.aws.cloud import Cloud
from deploy.local.clouds.aws.errors import Answer
from deploy.local.clouds.aws.inventory import describe_machines, describe_volumes
from deploy.local.clouds.bills import Billed

SERVICES = frozenset({"ce", "pricing"})


def answer(call: Call, cloud: Cloud) -> Answer:
    """A call of Cost Explorer or of the Price List. Raises Refusal."""
    if call.service == "pricing":
        return price_list.answer(call)
    return cost_explorer.answer(call, billed(cloud, call.account_id), cloud.clock.now_s())


def billed(cloud: Cloud, account_id: str) -> list[Billed]:
    """The account's machines whose price is known: the seeded ones, and those that clients made."""
    found = [
        _billed(each.id, each.region, each.instance_type, sum(volume.size_gib for volume in each.volumes),
                each.launched_s, each.stopped_s, each.state, each.tags)
        for each in cloud.seeded()
        if each.account_id == account_id
    ]  # fmt: skip
    sizes = {row["id"]: int(row["size_gb"]) for row in cloud.inspect(describe_volumes)}
    for row in cloud.inspect(describe_machines):
        if row["account"] == account_id:
            launched_s = dt.datetime.fromisoformat(row["launch_time"]).timestamp()
            gib = sum(sizes.get(each, 0) for each in row["volumes"])
            # moto does not keep when a machine was stopped: it counts as never having run.
            stopped_s = None if row["state"] == "running" else launched_s
            found.append(_billed(row["id"], row["region"], row["instance_type"], gib, launched_s, stopped_s,
                                 row["state"], row["tags"]))  # fmt: skip
    return [each for each in found if each is not None]


def _billed(
    machine_id: str, region: str, kind: str, gib: int, launched_s: float, stopped_s: float | None, state: str,
    tags: dict[str, str],
) -> Billed | None:  # fmt: skip
    hour_usd = price_list.hour_usd(region, kind)
    if hour_usd is None:
        return None
    return Billed(
        id=machine_id, region=region, kind=kind, hour_usd=hour_usd, volumes_gib=gib, launched_s=launched_s,
        gib_month_usd=Decimal(price_list.GIB_MONTH_USD[region]), gib_out_usd=Decimal(price_list.GIB_OUT_USD[region]),
        stopped_s=stopped_s, gone_s=stopped_s if state == "terminated" else None, tags=tags,
    )  # fmt: skip
