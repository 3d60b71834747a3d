"""What does AWS publish about how often its APIs may be called? Each EC2 action has a token bucket of its own.

Source: "Request throttling for the Amazon EC2 API" (docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html):
size of the bucket and calls refilled a second, for each account and region; the categories first, then the actions
that have numbers of their own. Of other services only CloudWatch's is known ("CloudWatch service quotas").
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.clouds.budget.rate import Api

_EC2_READING = (100, 20)
_EC2_CHANGING = (50, 5)
_EC2: Mapping[str, tuple[float, float]] = {
    "CopyImage": (100, 1),
    "CreateSnapshot": (100, 5),
    "CreateTags": (100, 10),
    "CreateVolume": (100, 5),
    "DeleteSnapshot": (100, 5),
    "DeleteTags": (100, 10),
    "DeleteVolume": (100, 5),
    "DeregisterImage": (100, 5),
    "RunInstances": (5, 2),
    "StartInstances": (5, 2),
    "TerminateInstances": (100, 5),
}
_OTHERS: Mapping[str, tuple[float, float]] = {"cloudwatch GetMetricData": (50, 50)}
_UNPUBLISHED = (20, 10)


def api_of(name: str) -> Api:
    """What is counted together with the call `ec2 RunInstances`."""
    service, _, operation = name.partition(" ")
    if service == "ec2":
        reading = operation.startswith(("Describe", "Get", "List"))
        burst, rate_per_s = _EC2.get(operation, _EC2_READING if reading else _EC2_CHANGING)
    else:
        burst, rate_per_s = _OTHERS.get(name, _UNPUBLISHED)
    return Api(name, rate_per_s, burst, regional=True)
