"""Placement: which offers fit what is asked of a machine, in which order they are tried. Owned by the provisioner."""

from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.messages.base import Command, Facts, Request
from shared.messages.texts import Line

Architecture = Literal["x86_64", "arm64", "any"]
ProviderName = Literal["aws", "azure", "gcp", "digitalocean", "linode", "vultr"]
CapacityTypeName = Literal["on_demand", "spot"]
OFFERS_SHOWN = 50


class Constraints(Facts):
    """What a machine must have, and where and at which price. What is not given excludes nothing.

    But for `architecture`: without it only x86_64 fits, unless the type is named, for images and programs are mostly
    made for that. `providers` are names of clouds, `regions` their region codes. With a largest price, an offer whose
    price is not known does not fit; without one it comes after all others. With `spot_allowed` each type of a cloud
    that sells spot machines is offered twice, on demand and spot, each at its own price; without it no spot machine
    fits, unless the configuration names it (`capacity_type`). A provider may take a spot machine back at any time.
    """

    min_vcpu: int | None = Field(default=None, ge=1, le=10_000)
    min_memory_gib: float | None = Field(default=None, gt=0, le=1_000_000, allow_inf_nan=False)
    architecture: Architecture | None = None
    regions: list[Line] | None = Field(default=None, min_length=1, max_length=100)
    providers: list[ProviderName] | None = Field(default=None, min_length=1, max_length=6)
    max_price_usd_per_hour: float | None = Field(default=None, gt=0, le=1_000_000, allow_inf_nan=False)
    spot_allowed: bool = False


class Offer(Facts):
    """A machine type in a region of an account. `availability_zone` null: the provider's choice.

    `usd_per_hour` is the list price of `capacity_type`, null when none is known. A spot price changes by the hour: the
    list's is of some day.
    """

    provider_id: UUID
    provider_name: str
    region: str
    availability_zone: str | None = None
    resource_subtype: str
    instance_type: str
    vcpu: int
    memory_gib: float
    architecture: str
    usd_per_hour: float | None = None
    capacity_type: CapacityTypeName = "on_demand"


class Refusal(Facts):
    """An offer that could not be had, and the provider's own code and words."""

    offer: Offer
    code: str
    detail: str


class Offers(Facts):
    """The first offers that fit, in the order in which they would be tried, and how many fit in all.

    `excluded` says of each constraint how many offers it excluded.
    """

    offers: list[Offer]
    fitting: int
    considered: int
    excluded: dict[str, int]


class FindOffers(Request, entity="resource", name="find_offers", owner="provisioner", reply=Offers):
    """What `create` with the same fields would try; nothing is made. 422 when nothing fits."""

    timeout_s: ClassVar[float] = 10.0
    """The price lists of many regions may have to be read first."""

    provider_id: UUID | None = None
    region: Line | None = Field(default=None, min_length=1, max_length=64)
    resource_subtype: Line | None = Field(default=None, min_length=1, max_length=64)
    configuration: dict[Line, Any] = Field(default_factory=dict, max_length=100)
    constraints: Constraints = Constraints()


class PlaceResource(Command, entity="resource", name="place", owner="provisioner"):
    """Create the machine at the first of these offers that can be had. The aggregate is the resource.

    `configuration` is what was asked for without type and zone, which are the offer's; `fitting` counts all that fit.
    """

    offers: list[Offer]
    fitting: int
    configuration: dict[str, Any] = {}
