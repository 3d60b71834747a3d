"""What does EC2 demand of an order for spot instances, and what can they not? Moto takes whatever it is told.

API_RunInstances (InstanceMarketOptions) and "Stop a Spot Instance" of the EC2 User Guide.
"""

from collections.abc import Mapping
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance

_KIND = "spot_request_type"
_OPTIONS = "InstanceMarketOptions.SpotOptions."
SPOT, ONE_TIME, PERSISTENT, TERMINATE = "spot", "one-time", "persistent", "terminate"


def request_type(asked: Mapping[str, Any]) -> str | None:
    """How often the capacity is asked for, None for instances on demand. Raises EC2ClientError."""
    market = asked.get("InstanceMarketOptions.MarketType")
    options = {name.removeprefix(_OPTIONS): value for name, value in asked.items() if name.startswith(_OPTIONS)}
    if market is None and not options:
        return None
    if market != SPOT:
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{market}' for MarketType.")
    kind = str(options.get("SpotInstanceType", ONE_TIME))
    if kind not in {ONE_TIME, PERSISTENT}:
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{kind}' for SpotInstanceType.")
    if kind == ONE_TIME and options.get("InstanceInterruptionBehavior", TERMINATE) != TERMINATE:
        text = "The interruption behavior of a one-time Spot Instance request must be terminate."
        raise EC2ClientError("InvalidParameterCombination", text)
    return kind


def mark(machine: Instance, kind: str | None) -> None:
    """Remember of an instance how often its capacity was asked for; moto has no place for it."""
    setattr(machine, _KIND, kind)


def refuse_stop(machines: list[Instance]) -> None:
    """Raises EC2ClientError when one of them was asked for once only: it has no way back."""
    for machine in machines:
        if getattr(machine, _KIND, None) == ONE_TIME:
            text = (
                f"You can't stop the Spot Instance '{machine.id}' because it is associated with a one-time Spot "
                "Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests."
            )
            raise EC2ClientError("UnsupportedOperation", text)
