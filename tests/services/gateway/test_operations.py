"""Is long work shown as its owner tells it, in whatever order it is told?"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.gateway.storage import operations
from shared.kit.ids import new_id
from shared.messages.context import Context
from shared.messages.operations import (
    Operation,
    OperationAccepted,
    OperationEvent,
    OperationProgressed,
    OperationSucceeded,
    Progress,
    Target,
)
from tests.fixtures.services import now
from tests.services.gateway.conftest import Gateway, Tenant
from tests.services.gateway.test_stream import receive, stream, subscribe

pytestmark = pytest.mark.anyio


def operation(operation_id: UUID, status: str, stage: str | None = None, completed: int = 0) -> Operation:
    return Operation(
        id=operation_id,
        kind="resource.provision",
        status=status,
        progress=Progress(stage=stage, completed=completed, total=4),
        target=Target(type="resource", id=new_id()),
        created_at=now(),
        finished_at=now() if status == "succeeded" else None,
    )


def event(cls: type[OperationEvent], organization: UUID, version: int, told: Operation) -> OperationEvent:
    return cls(**Context.automatic(organization).about(told.id, version, now()), operation=told)


async def shown(client: httpx.AsyncClient, operation_id: UUID, status: str) -> dict[str, Any]:
    async with asyncio.timeout(15):
        while True:
            answer = await client.get(f"/api/operations/{operation_id}")
            if answer.status_code == 200 and answer.json()["status"] == status:
                return answer.json()
            await asyncio.sleep(0.02)


async def test_an_operation_follows_its_events(gateway: Gateway, acme: Tenant) -> None:
    known = new_id()
    await gateway.services.publish(event(OperationAccepted, acme.organization, 1, operation(known, "accepted")))
    await shown(acme.client, known, "accepted")
    running = operation(known, "running", "create", 2)
    await gateway.services.publish(event(OperationProgressed, acme.organization, 2, running))
    assert (await shown(acme.client, known, "running"))["progress"] == {"stage": "create", "completed": 2, "total": 4}
    await gateway.services.publish(event(OperationSucceeded, acme.organization, 3, operation(known, "succeeded")))
    assert (await shown(acme.client, known, "succeeded"))["finished_at"] is not None


async def test_a_late_event_never_undoes_a_newer_one(gateway: Gateway, acme: Tenant) -> None:
    first, marker = new_id(), new_id()
    await gateway.services.publish(
        event(OperationSucceeded, acme.organization, 5, operation(first, "succeeded")),
        event(OperationProgressed, acme.organization, 4, operation(first, "running")),
        event(OperationAccepted, acme.organization, 1, operation(marker, "accepted")),
    )
    await shown(acme.client, marker, "accepted")
    assert (await shown(acme.client, first, "succeeded"))["status"] == "succeeded"


async def test_an_owners_reply_is_readable_at_once_and_never_newer_than_an_event(
    gateway: Gateway, acme: Tenant
) -> None:
    told = operation(new_id(), "accepted")
    database = gateway.services.database("gateway")
    async with database.work(Context.automatic(acme.organization)) as work:
        await operations.keep(work, told, 0)
    assert (await acme.client.get(f"/api/operations/{told.id}")).json()["status"] == "accepted"
    await gateway.services.publish(
        event(OperationProgressed, acme.organization, 2, told.model_copy(update={"status": "running"}))
    )
    await shown(acme.client, told.id, "running")
    async with database.work(Context.automatic(acme.organization)) as work:
        await operations.keep(work, told, 0)
    await database.close()
    assert (await acme.client.get(f"/api/operations/{told.id}")).json()["status"] == "running"


async def test_another_organizations_operation_is_not_there(gateway: Gateway, acme: Tenant) -> None:
    other = await gateway.other(acme)
    told = operation(new_id(), "accepted")
    await gateway.services.publish(event(OperationAccepted, acme.organization, 1, told))
    await shown(acme.client, told.id, "accepted")
    assert (await other.client.get(f"/api/operations/{told.id}")).status_code == 404
    assert (await other.client.get("/api/operations")).json()["items"] == []


async def test_who_may_not_read_the_target_sees_only_what_they_began(gateway: Gateway, acme: Tenant) -> None:
    """FINANCE reads no resources: an engineer's provisioning is not there, neither to read nor live."""
    finance = gateway.client((await gateway.key_of(acme, "finance"))["key"])
    me = (await finance.get("/api/auth/me")).json()
    theirs, mine = operation(new_id(), "accepted"), operation(new_id(), "accepted")
    started = Context(acme.organization, f"api_key:{me['id']}", new_id())
    async with stream(gateway, finance.headers["x-api-key"]) as socket:
        await subscribe(socket, "operation.*", f"operation:{theirs.id}")
        await gateway.services.publish(
            event(OperationAccepted, acme.organization, 1, theirs),
            OperationAccepted(**started.about(mine.id, 1, now()), operation=mine),
        )
        await shown(finance, mine.id, "accepted")
        await shown(acme.client, theirs.id, "accepted")
        assert (await receive(socket))["data"]["aggregate_id"] == str(mine.id)
    assert (await finance.get(f"/api/operations/{theirs.id}")).status_code == 404
    listed = (await finance.get("/api/operations")).json()["items"]
    assert [each["id"] for each in listed] == [str(mine.id)]


async def test_an_event_cannot_take_over_another_organizations_operation(gateway: Gateway, acme: Tenant) -> None:
    other, told, marker = await gateway.other(acme), operation(new_id(), "accepted"), operation(new_id(), "accepted")
    await gateway.services.publish(
        event(OperationAccepted, acme.organization, 1, told),
        event(OperationProgressed, other.organization, 9, told.model_copy(update={"status": "running"})),
        event(OperationAccepted, acme.organization, 1, marker),
    )
    await shown(acme.client, marker.id, "accepted")
    assert (await acme.client.get(f"/api/operations/{told.id}")).json()["status"] == "accepted"


async def test_filters_and_pages(gateway: Gateway, acme: Tenant) -> None:
    database = gateway.services.database("gateway")
    async with database.work(Context.automatic(acme.organization)) as work:
        for number in range(5):
            made = operation(new_id(), "succeeded" if number % 2 else "running")
            await operations.keep(work, made.model_copy(update={"created_at": now() - timedelta(hours=number)}), 1)
    await database.close()
    first = (await acme.client.get("/api/operations", params={"limit": 3})).json()
    rest = (await acme.client.get("/api/operations", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    times = [each["created_at"] for each in (*first["items"], *rest["items"])]
    assert times == sorted(times, reverse=True)
    assert (len(times), rest["next_cursor"]) == (5, None)
    ended = (await acme.client.get("/api/operations", params={"status": "succeeded"})).json()["items"]
    assert {each["status"] for each in ended} == {"succeeded"}
    assert len(ended) == 2
    for bad in ({"status": "finished"}, {"limit": 0}, {"limit": 201}, {"cursor": "rubbish"}, {"sort": "colour"}):
        assert (await acme.client.get("/api/operations", params=bad)).status_code == 422, bad
