"""How does an estate come into a simulated cloud? Through the provider's own creates, at the times of its machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from deploy.local.clouds.estate import Planned, SeedOrder, planned
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.gardener import Gardener
from deploy.local.clouds.world.lives import switched
from deploy.local.clouds.world.provider import Provider
from deploy.local.clouds.world.things import MACHINE, Thing
from deploy.local.clouds.world.world import World


def plant(world: World, providers: Mapping[str, Provider], accounts: list[Account], order: SeedOrder) -> dict[str, int]:
    """Plants an estate; how many machines each provider got. Raises ValueError for an account that there is not.

    Each provider's part is one line of the ledger, `seed`, that names its machines. Planting again adds what a larger
    estate has more: what there is under a planned name stays as it is.
    """
    counts = {}
    for name, provider in providers.items():
        count = order.count_at(name)
        if count:
            account = _account(accounts, name, order.account)
            made = _plant_one(world, provider, account, planned(order.seed, name, count))
            ids = [each.id for each in made]
            if ids:
                world.note_planted(account, ids)
            running = [each.id for each in made if each.state != provider.stopped_state]
            world.cases.plant(order.seed, running, world.clock.now_s())
            counts[name] = len(made)
    world.save()
    return counts


def _plant_one(world: World, provider: Provider, account: Account, estate: Iterable[Planned]) -> list[Thing]:
    gardener, now_s = Gardener(world.things, account), world.clock.now_s()
    known = {provider.name_of(each) for each in world.things.of(provider.name, account.account_id, MACHINE)}
    made = []
    for each in estate:
        if each.name not in known:
            made.append(_settled(provider.plant(gardener, each), each, provider, now_s))
            world.things.put(made[-1])
    return made


def _settled(machine: Thing, each: Planned, provider: Provider, now_s: float) -> Thing:
    machine.settle(now_s)
    if each.is_stopped:
        machine.turn(provider.stopped_state)
        switched(machine, each.created_s + 3600, on=False)
    return machine


def _account(accounts: list[Account], provider: str, identifier: str) -> Account:
    for each in accounts:
        if each.provider == provider and each.may_be_used and identifier in {"", each.account_id}:
            return each
    raise ValueError(f"{provider} has no account {identifier}")
