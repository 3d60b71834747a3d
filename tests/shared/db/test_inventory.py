"""The copy of another service's inventory: newer wins, late changes nothing, a snapshot fills what events never told."""

import asyncio
from typing import Any

import pytest
from nats.aio.msg import Msg
from sqlalchemy import select

from shared.db.inventory import apply_resource, find_resource, known_resource
from shared.messages.base import Page
from shared.messages.context import Context
from shared.messages.providers import ListProviderInventory, Provider
from shared.messages.resources import ListInventory, Resource
from tests.fixtures.services import Services, context, now
from tests.services.costs.inventory import Machine

pytestmark = pytest.mark.anyio


async def test_a_newer_version_replaces_and_an_older_or_equal_one_does_not(services: Services) -> None:
    database = services.database("costs")
    machine = Machine(context(), now())
    async with database.work(machine.context) as work:
        assert await apply_resource(work, machine.resource(2, now(), "terminated"))
        assert not await apply_resource(work, machine.resource(1, now(), "running"))
        assert not await apply_resource(work, machine.resource(2, now(), "running"))
        found = await find_resource(work, machine.id)
        assert found is not None
        assert (found["version"], found["resource_status"]) == (2, "terminated")
    await database.close()


async def test_a_resource_of_another_organization_is_not_found(services: Services) -> None:
    database = services.database("costs")
    machine = Machine(context(), now())
    async with database.work(machine.context) as work:
        await apply_resource(work, machine.resource(1, now(), "running"))
    async with database.work(context()) as work:
        assert await find_resource(work, machine.id) is None
    await database.close()


async def test_the_owner_is_asked_for_every_page_at_the_first_start(services: Services) -> None:
    machines = [Machine(context(), now()) for _ in range(3)]
    pages = [
        Page[Resource](items=[machines[0].resource(1, now(), "running")], next_cursor="more"),
        Page[Resource](items=[machine.resource(1, now(), "running") for machine in machines[1:]]),
    ]

    async def answer_resources(message: Msg) -> None:
        request = ListInventory.from_bytes(message.data)
        await message.respond(pages[0 if request.cursor is None else 1].model_dump_json().encode())

    async def answer_providers(message: Msg) -> None:
        await message.respond(Page[Provider](items=[]).model_dump_json().encode())

    await services.bus.client.subscribe(ListInventory.pattern(), cb=answer_resources)
    await services.bus.client.subscribe(ListProviderInventory.pattern(), cb=answer_providers)
    await services.start("costs", metering_interval_s=0.1, metering_lease_s=2)
    async with asyncio.timeout(20):
        while await _known(services) != {machine.id for machine in machines}:
            await asyncio.sleep(0.05)


async def _known(services: Services) -> set[Any]:
    database = services.database("costs")
    async with database.work(Context.background()) as work:
        found = {row.id for row in await work.execute(select(known_resource.c.id))}
    await database.close()
    return found
