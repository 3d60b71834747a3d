"""What does Azure publish about how often its APIs may be called? Resource Manager has a bucket for each kind of call.

Source: "Understand how Azure Resource Manager throttles requests" (learn.microsoft.com): for each subscription and
service principal 250 reads at once and 25 a second, 200 writes and 200 deletes at once and 10 a second. It counts in
the region that it is reached in, which is one for all our calls, so a budget is the subscription's. Compute counts once
more, by itself, and publishes no numbers that hold for all subscriptions; therefore each service has budgets of its
own, which learn. Metrics are another API, asked in the region itself ("Azure Monitor service limits": 360,000 an hour).
"""

from __future__ import annotations

from shared.clouds.budget.rate import Api

_READING = ("get", "list", "instance_view")
_DELETING = ("delete", "begin_delete")


def api_of(name: str) -> Api:
    """What is counted together with the call `compute virtual_machines.begin_delete`."""
    service, _, operation = name.partition(" ")
    method = operation.rpartition(".")[2]
    if service == "metrics":
        return Api("metrics", 100.0, 100.0, regional=True)
    if method.startswith(_READING):
        return Api(f"{service} reads", 25.0, 250.0)
    return Api(f"{service} {'deletes' if method.startswith(_DELETING) else 'writes'}", 10.0, 200.0)
