"""Does a live socket show its own organization's events at once, and nothing else, until its token ends?"""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import ClientConnection, connect

from deploy.local.nats import Nats
from shared.kit.ids import new_id
from shared.messages.audit import AuditRecorded
from shared.messages.context import Context
from shared.messages.metrics import ENCODER, MetricBatch, Sample
from shared.messages.operations import Operation, OperationAccepted, Progress, Target
from shared.messages.organizations import OrganizationUpdated
from shared.messages.subjects import metrics_subject
from shared.security.principals import Principal, PrincipalKind
from shared.security.roles import Role
from tests.fixtures.services import now
from tests.services.gateway.conftest import FAST, Gateway, Tenant

pytestmark = pytest.mark.anyio

PATH = "/api/cloud/monitoring/stream"


def stream(gateway: Gateway, key: str | None = None, query: str = "") -> connect:
    headers = {"X-API-Key": key} if key else {}
    return connect(gateway.url.replace("http", "ws") + PATH + query, additional_headers=headers)


async def receive(socket: ClientConnection) -> dict[str, Any]:
    return json.loads(await asyncio.wait_for(socket.recv(), 10))


async def subscribe(socket: ClientConnection, *patterns: str) -> dict[str, Any]:
    await socket.send(json.dumps({"subscribe": patterns}))
    return await receive(socket)


def accepted(tenant: Tenant) -> OperationAccepted:
    told = Operation(
        id=new_id(), kind="k", status="accepted", progress=Progress(), target=Target(type="resource", id=new_id()),
        created_at=now(),
    )  # fmt: skip
    return OperationAccepted(**Context.automatic(tenant.organization).about(told.id, 1, now()), operation=told)


async def closed(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(websockets.ConnectionClosed) as ended:
        async with asyncio.timeout(15):
            while True:
                await socket.recv()
    assert ended.value.rcvd is not None
    return ended.value.rcvd.code, ended.value.rcvd.reason


async def test_events_of_the_own_organization_come_and_no_others(gateway: Gateway, acme: Tenant) -> None:
    other = await gateway.other(acme)
    async with stream(gateway, acme.key) as socket:
        assert (await subscribe(socket, "operation.*"))["type"] == "subscribed"
        theirs, mine = accepted(other), accepted(acme)
        await gateway.services.publish(theirs, mine)
        frame = await receive(socket)
        assert set(frame) == {"type", "time", "data"}
        assert (frame["type"], frame["data"]["operation"]["id"]) == ("operation.accepted.v1", str(mine.aggregate_id))


async def test_only_what_was_asked_for_comes(gateway: Gateway, acme: Tenant) -> None:
    first, second = accepted(acme), accepted(acme)
    async with stream(gateway, acme.key) as socket:
        await subscribe(socket, f"operation:{second.aggregate_id}")
        await gateway.services.publish(first, second)
        assert (await receive(socket))["data"]["operation"]["id"] == str(second.aggregate_id)


async def test_points_of_a_watched_resource_come(gateway: Gateway, acme: Tenant) -> None:
    watched, unwatched = new_id(), new_id()
    async with stream(gateway, acme.key) as socket:
        await subscribe(socket, f"metrics:{watched}")
        samples = [Sample(resource_id=each, time=now(), cpu_utilization=97.0) for each in (unwatched, watched)]
        batch = MetricBatch(new_id(), now(), acme.organization, new_id(), "us-east-1", samples)
        subject = metrics_subject(acme.organization, batch.provider_id, batch.region)
        await gateway.services.bus.client.publish(subject, ENCODER.encode(batch))
        frame = await receive(socket)
        assert (frame["type"], frame["data"]["resource_id"]) == ("metrics", str(watched))
        assert frame["data"]["cpu_utilization"] == 97.0


async def test_no_points_of_another_organization_come_whoever_guesses_the_resource(
    gateway: Gateway, acme: Tenant
) -> None:
    other, theirs, mine = await gateway.other(acme), new_id(), new_id()
    async with stream(gateway, acme.key) as socket:
        await subscribe(socket, f"metrics:{theirs}", f"metrics:{mine}")
        for tenant, resource in ((other, theirs), (acme, mine)):
            samples = [Sample(resource_id=resource, time=now(), cpu_utilization=1.0)]
            batch = MetricBatch(new_id(), now(), tenant.organization, new_id(), "us-east-1", samples)
            subject = metrics_subject(tenant.organization, batch.provider_id, batch.region)
            await gateway.services.bus.client.publish(subject, ENCODER.encode(batch))
        assert (await receive(socket))["data"]["resource_id"] == str(mine)


async def test_a_role_cannot_subscribe_to_what_it_may_not_read(gateway: Gateway, acme: Tenant) -> None:
    finance = await gateway.key_of(acme, "finance")
    async with stream(gateway, finance["key"]) as socket:
        for patterns, code in ((["resource.*"], "permission_denied"), (["nonsense"], "invalid_input")):
            frame = await subscribe(socket, *patterns)
            assert (frame["type"], frame["data"]["code"]) == ("error", code)
        await socket.send('{"unsubscribe": []}')
        assert (await receive(socket))["data"]["code"] == "invalid_input"
        assert (await subscribe(socket, "budget.*"))["type"] == "subscribed"


async def test_a_ticket_opens_one_socket(gateway: Gateway, acme: Tenant) -> None:
    ticket = (await acme.client.post("/api/auth/ticket")).json()["ticket"]
    async with stream(gateway, query=f"?ticket={ticket}") as socket:
        assert (await subscribe(socket, "resource.*"))["type"] == "subscribed"
    for query in (f"?ticket={ticket}", "?ticket=cnt_forged", ""):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with stream(gateway, query=query):
                pass
        assert refused.value.response.status_code == 401


async def test_a_ticket_ends_with_the_key_it_was_traded_for(gateway: Gateway, acme: Tenant) -> None:
    made = await gateway.key_of(acme, "viewer")
    ticket = (await gateway.client(made["key"]).post("/api/auth/ticket")).json()["ticket"]
    await acme.client.delete(f"/api/api-keys/{made['id']}")
    await _refused(gateway, ticket)


async def test_a_ticket_ends_with_the_sign_in_it_was_traded_in(gateway: Gateway, acme: Tenant) -> None:
    tokens = await gateway.sign_in(acme.email)
    ticket = (await gateway.client(token=tokens["access_token"]).post("/api/auth/ticket")).json()["ticket"]
    await gateway.client().post("/api/auth/logout", json={"refresh_token": tokens["refresh_token"]})
    await _refused(gateway, ticket)


async def test_a_ticket_gives_what_its_holder_may_when_it_is_redeemed(gateway: Gateway, acme: Tenant) -> None:
    made = await gateway.key_of(acme, "viewer")
    ticket = (await gateway.client(made["key"]).post("/api/auth/ticket")).json()["ticket"]
    taken = {"removed": {"viewer": ["resources:read"]}}
    answer = await acme.client.put(f"/api/organizations/{acme.organization}/roles", json=taken)
    assert answer.status_code == 200, answer.text
    await gateway.services.event(OrganizationUpdated)
    async with stream(gateway, query=f"?ticket={ticket}") as socket:
        assert (await subscribe(socket, "alert.*"))["type"] == "subscribed"
        refused = await subscribe(socket, "resource.*")
        assert (refused["type"], refused["data"]["code"]) == ("error", "permission_denied")


async def _refused(gateway: Gateway, ticket: str) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with stream(gateway, query=f"?ticket={ticket}"):
            pass
    assert refused.value.response.status_code == 401


async def test_a_socket_ends_with_its_token(gateway: Gateway, acme: Tenant) -> None:
    soon = (now() + timedelta(seconds=2)).isoformat()
    made = await gateway.key_of(acme, "viewer", expires_at=soon)
    async with stream(gateway, made["key"]) as socket:
        assert await closed(socket) == (1008, "the token has expired")


async def test_a_socket_ends_when_its_key_is_revoked(gateway: Gateway, acme: Tenant) -> None:
    made = await gateway.key_of(acme, "viewer")
    async with stream(gateway, made["key"]) as socket:
        await subscribe(socket, "resource.*")
        await acme.client.delete(f"/api/api-keys/{made['id']}")
        assert (await closed(socket))[0] == 1008


async def test_after_a_reconnect_to_the_bus_sockets_start_afresh(
    gateway: Gateway, acme: Tenant, nats_server: Nats
) -> None:
    async with stream(gateway, acme.key) as socket:
        await subscribe(socket, "resource.*")
        nats_server.kill()
        nats_server.start()
        assert (await closed(socket))[0] == 1013


async def test_a_slow_reader_is_closed_rather_than_told_half(gateway: Gateway, acme: Tenant) -> None:
    from services.gateway.api.live import Socket
    from services.gateway.domain.subscriptions import Subscriptions

    holder = Principal(
        id=acme.owner,
        organization=acme.organization,
        organization_slug="acme",
        kind=PrincipalKind.USER,
        role=Role.OWNER,
        display_name="Olga",
    )
    socket = Socket(holder, 3)
    socket.wanted = Subscriptions()
    for number in range(3):
        socket.add_event(str(number).encode())
    watched = new_id()
    for number in range(3):
        socket.add_point(watched, f"point {number}".encode())
    assert await socket.next_frames() == [b"0", b"1", b"2", b"point 2"]
    for number in range(4):
        socket.add_event(str(number).encode())
    assert socket.closing is not None
    assert socket.closing[0] == 1013
    assert await socket.next_frames() == []


async def test_a_principal_has_a_bounded_number_of_sockets(services, acme: Tenant) -> None:
    strict = Gateway(services, await services.start("gateway", **FAST, sockets_per_principal=1))
    async with stream(strict, acme.key):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with stream(strict, acme.key):
                pass
        assert refused.value.response.status_code == 429


async def test_audit_entries_come_live_to_who_may_read_them(gateway: Gateway, acme: Tenant) -> None:
    async with stream(gateway, acme.key) as socket:
        await subscribe(socket, "audit.recorded")
        await gateway.key_of(acme, "viewer")
        frame = await receive(socket)
        assert (frame["type"], frame["data"]["action"]) == (AuditRecorded.message_type(), "api_key.create")
