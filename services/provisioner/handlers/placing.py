"""How is a machine made at the first of several offers that can be had? The saga behind a placement.

Each attempt has a token of its own; what it may have made, also when its answer was lost, is looked up and removed
before the next begins.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any
from uuid import UUID

from services.provisioner.deps import Deps
from services.provisioner.domain.placement import refusal_of
from services.provisioner.domain.resources import size_category
from services.provisioner.handlers.machines import (
    Order,
    ThingFailed,
    facts_of,
    provisioning_failed,
    recording,
    remove_thing,
    serving,
)
from services.provisioner.storage import providers, resources
from shared.bus.router import Routes
from shared.clouds.errors import CloudError
from shared.clouds.registry import catalog_of
from shared.db import sagas
from shared.db.saga import Saga
from shared.db.work import Work
from shared.kit.errors import CanopyError, NotFound
from shared.messages.placement import Offer, PlaceResource, Refusal
from shared.messages.resources import ResourceStarted, ResourceUpdated

routes = Routes()

COMPUTE, TYPE, ZONE, CAPACITY = "compute", "instance_type", "availability_zone", "capacity_type"
STEPS = 5
"""From the taking of the offer that can be had to the end."""


class NoOfferLeft(CanopyError):
    """Every offer was tried and none could be had; the detail lists them."""

    status, code, title = 503, "no_offer_left", "No offer could be had"


@routes.saga(
    PlaceResource, kind="resource.provision", target_type="resource", total=STEPS, on_failure=provisioning_failed
)
async def place_resource(saga: Saga, command: PlaceResource, deps: Deps) -> dict[str, Any]:
    """For each offer: take it → create machine → note it → wait until running (→ clear it); then record running.

    An offer is refused at its create, or while it is waited for: some clouds accept a machine before they look for its
    capacity. Raises NoOfferLeft, and ThingFailed for what no further offer helps against.
    """
    machine_id, placement, facts = await _first_to_be_had(saga, command, deps)
    await saga.apply("record running", recording(command.aggregate_id, ResourceStarted, facts.pop("status"), facts))
    return {"resource_id": machine_id, "placement": placement}


async def _first_to_be_had(
    saga: Saga, command: PlaceResource, deps: Deps
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Try the offers in their order; the machine's id, what to say of its placement, and how it serves."""
    tried: list[Refusal] = []
    without_quota: set[tuple[UUID, str, str, str]] = set()
    cleared: set[str] = set()
    suffix = ""
    for number, offer in enumerate(command.offers, 1):
        key = (offer.provider_id, offer.region, offer.instance_type, offer.capacity_type)
        if key in without_quota:
            continue
        order = await _take_offer(saga, command, deps, number, tried)
        if order is None:
            tried.append(Refusal(offer=offer, code="provider_inactive", detail="the provider or region is gone"))
            continue
        made = await saga.step(f"create machine {number}", _creating(order), undo=_undoing(order, cleared))
        refusal = made.get("refusal")
        if refusal is None:
            placement = placement_of(offer, command.fitting, tried)
            facts = await _started(saga, command, order, made["machine_id"], placement, suffix)
            refusal, suffix = facts.get("refusal"), f" after offer {number}"
            if refusal is None:
                return made["machine_id"], placement, facts
        await saga.step(f"clear offer {number}", _clearing(order, made.get("machine_id")))
        cleared.add(order.facts["token"])
        tried.append(Refusal(offer=offer, **refusal["said"]))
        if refusal["is_quota"]:
            without_quota.add(key)

    async def record(work: Work) -> None:
        placement = placement_of(command.offers[-1], command.fitting, tried) | {"offer": None, "reason": None}
        await resources.change(work, command.aggregate_id, placement=placement)

    await saga.apply("record refusals", record)
    untried = command.fitting - sum(each.availability_zone is None for each in command.offers)
    told = [f"{_words(each.offer)}: {each.detail} ({each.code})" for each in tried]
    raise NoOfferLeft("; ".join([*told, *([f"{untried} more offers fit and were not tried"] if untried else [])]))


async def _started(
    saga: Saga, command: PlaceResource, order: Order, machine_id: str, placement: dict[str, Any], suffix: str
) -> dict[str, Any]:
    """Two steps: how it serves, or under `refusal` why it never will.

    `suffix`: the steps of the first machine that was accepted have the names that journals have always had.
    """

    async def note(work: Work) -> None:
        resource = await resources.change(
            work, command.aggregate_id, resource_id=machine_id, placed_at=work.now, placement=placement
        )
        work.emit(ResourceUpdated(**work.about(resource.id, resource.version), resource=resource))

    async def running() -> dict[str, Any] | None:
        """A refusal is an outcome here too."""
        try:
            return await serving(order, machine_id)
        except ThingFailed as error:
            refusal = refusal_of(error.__cause__)
            if refusal is None:
                raise
            return {"refusal": refusal}

    settings = order.deps.settings
    await saga.apply(f"note machine{suffix}", note)
    facts: dict[str, Any] = await saga.until(
        f"wait until running{suffix}", running, every_s=settings.machine_poll_s, timeout_s=settings.machine_wait_s
    )
    return facts


async def _take_offer(
    saga: Saga, command: PlaceResource, deps: Deps, number: int, tried: Sequence[Refusal]
) -> Order | None:
    """A step: the row says where the machine is tried to be had now. None when the account is not there any more."""
    offer, token = command.offers[number - 1], str(saga.token(f"create machine {number}"))

    async def take(work: Work) -> dict[str, Any] | None:
        await sagas.change(work, saga.id, saga.fence, total=saga.done_steps + STEPS)
        try:
            provider = await providers.hold(work, offer.provider_id)
        except NotFound:
            return None
        if not provider.is_active or offer.region not in provider.regions:
            return None
        if number > 1:
            await _move(work, command, offer, tried)
        return await facts_of(work, command.aggregate_id, token)

    facts = await saga.apply(f"take offer {number}", take)
    organization = saga.context.organization
    if organization is None:
        raise LookupError("a resource belongs to an organization")
    return None if facts is None else Order(deps, organization, facts)


async def _move(work: Work, command: PlaceResource, offer: Offer, tried: Sequence[Refusal]) -> None:
    configuration = catalog_of(offer.provider_name).configuration(
        COMPUTE, offer.resource_subtype, asked_at(offer, command.configuration)
    )
    resource = await resources.change(
        work, command.aggregate_id, provider_id=offer.provider_id, provider_name=offer.provider_name,
        region=offer.region, resource_subtype=offer.resource_subtype, configuration=configuration,
        size_category=size_category(configuration), placement=placement_of(offer, command.fitting, tried),
        resource_id=None, placed_at=None,
    )  # fmt: skip
    work.emit(ResourceUpdated(**work.about(resource.id, resource.version), resource=resource))


def _creating(order: Order) -> Callable[[UUID], Awaitable[dict[str, Any]]]:
    async def create(_: UUID) -> dict[str, Any]:
        """A refusal is an outcome, not a failure: it is journaled, and the next offer is taken."""
        try:
            known = await (await order.things()).find(order.facts["token"])
            return {"machine_id": known or await order.create()}
        except CloudError as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            return {"refusal": refusal}

    return create


def _clearing(order: Order, machine_id: str | None = None) -> Callable[[UUID], Awaitable[str | None]]:
    async def clear(_: UUID) -> str | None:
        """A call before the refusal may have made a machine whose answer was lost."""
        things = await order.things()
        known = machine_id or await things.find(order.facts["token"])
        if known is not None:
            await things.remove(known)
        return known

    return clear


def _undoing(order: Order, cleared: AbstractSet[str]) -> Callable[[dict[str, Any] | None], Awaitable[None]]:
    async def remove(made: dict[str, Any] | None) -> None:
        """Of a cleared offer nothing is left; one that was refused and not cleared yet is cleared now."""
        token = order.facts["token"]
        if token in cleared:
            return
        if made is not None and made.get("refusal") is not None:
            await _clearing(order)(UUID(token))
        else:
            await remove_thing(order, None if made is None else made["machine_id"])

    return remove


def asked_at(offer: Offer, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration as it is asked for at an offer: with its type, its zone where it has one, and as spot."""
    zone = {} if offer.availability_zone is None else {ZONE: offer.availability_zone}
    spot = {CAPACITY: offer.capacity_type} if offer.capacity_type == "spot" else {}
    return {**configuration, TYPE: offer.instance_type, **zone, **spot}


def placement_of(offer: Offer, fitting: int, tried: Sequence[Refusal]) -> dict[str, Any]:
    kind = "the cheapest" if offer.usd_per_hour is not None else "one without a known price"
    after = f", after {len(tried)} that could not be had" if tried else ""
    return {
        "offer": offer.model_dump(mode="json"),
        "reason": f"{kind} of {fitting} offers that fit{after}",
        "fitting": fitting,
        "tried": [each.model_dump(mode="json") for each in tried],
    }


def _words(offer: Offer) -> str:
    spot = " spot" if offer.capacity_type == "spot" else ""
    return f"{offer.provider_name} {offer.availability_zone or offer.region} {offer.instance_type}{spot}"
