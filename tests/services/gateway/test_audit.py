"""Is everything that is done in the log, in order, and does tampering show?"""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest

from services.gateway.deps import make_deps
from services.gateway.jobs.audit import make_partitions, sign_checkpoints
from shared.kit.ids import SYSTEM_ACTOR, new_id
from shared.messages.api_keys import CreateApiKey, RevokeApiKey
from shared.messages.audit import AuditRecorded
from shared.messages.base import Mutation, classes_of
from shared.messages.context import Context
from shared.messages.organizations import CreateOrganization, RestrictRoles
from shared.messages.users import ChangeUserRole, CreateUser, DeactivateUser
from tests.fixtures.services import now
from tests.services.gateway.conftest import PASSWORD, Gateway, Tenant

pytestmark = pytest.mark.anyio


def recorded(organization: UUID, number: int = 1, **details: Any) -> AuditRecorded:
    context = Context.automatic(organization)
    return AuditRecorded(
        **context.about(new_id(), number, now()), action="resource.create", target_type="resource", details=details
    )


async def entries(tenant: Tenant, count: int, **query: str) -> list[dict[str, Any]]:
    """At least `count` entries, oldest first."""
    async with asyncio.timeout(15):
        while True:
            items = (
                await tenant.client.get("/api/audit", params={"sort": "sequence", "limit": "200", **query})
            ).json()["items"]
            if len(items) >= count:
                return items
            await asyncio.sleep(0.05)


async def verification(tenant: Tenant) -> dict[str, Any]:
    return (await tenant.client.get("/api/audit/verify")).json()


def tamper(gateway: Gateway, statement: str, *values: Any) -> None:
    """As somebody with the rights of the database's owner, without row level security in the way."""
    with psycopg.connect(gateway.services.database_of("gateway").owner_url) as connection:
        connection.execute("ALTER TABLE audit_logs NO FORCE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE audit_heads NO FORCE ROW LEVEL SECURITY")
        for (name,) in connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'audit_logs_2%%' AND relkind = 'r'"
        ).fetchall():
            connection.execute(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
        assert connection.execute(statement, values).rowcount == 1


async def sign(gateway: Gateway) -> None:
    database = gateway.services.database("gateway")
    await sign_checkpoints(make_deps(gateway.running.process.settings, database, None, database.clock))  # type: ignore[arg-type]
    await database.close()


async def test_every_mutation_is_in_the_log_with_its_actor(gateway: Gateway, acme: Tenant) -> None:
    made = await gateway.key_of(acme, "viewer")
    await acme.client.delete(f"/api/api-keys/{made['id']}")
    items = await entries(acme, 5)
    assert [each["action"] for each in items] == [
        "organization.create", "user.create", "api_key.create", "api_key.create", "api_key.revoke",
    ]  # fmt: skip
    assert [each["sequence"] for each in items] == [1, 2, 3, 4, 5]
    me = (await acme.client.get("/api/auth/me")).json()
    assert items[-1]["actor"] == f"api_key:{me['id']}"
    assert made["key"] not in str(items)
    assert await verification(acme) == {
        "valid": True, "entries": 5, "first_invalid_id": None, "tail_missing": False, "checkpoints": 0, "first_sequence": 1,
    }  # fmt: skip


async def test_each_kind_of_mutation_of_the_gateway_leaves_its_entry(gateway: Gateway, acme: Tenant) -> None:
    """Derived from the declared messages: a new mutation fails here until it is done, and audited."""
    client = acme.client
    user = {"email": "emil@acme.test", "display_name": "Emil", "role": "viewer", "password": PASSWORD}
    owner = {"email": "otto@other.test", "display_name": "Otto", "password": PASSWORD}
    made = (await client.post("/api/users", json=user)).json()["id"]
    key = (await gateway.key_of(acme, "viewer"))["id"]
    done = {
        CreateUser: ("user.create", None),
        ChangeUserRole: ("user.change_role", await client.put(f"/api/users/{made}/role", json={"role": "ops"})),
        DeactivateUser: ("user.deactivate", await client.delete(f"/api/users/{made}")),
        CreateApiKey: ("api_key.create", None),
        RevokeApiKey: ("api_key.revoke", await client.delete(f"/api/api-keys/{key}")),
        RestrictRoles: (
            "organization.restrict_roles",
            await client.put(f"/api/organizations/{acme.organization}/roles", json={"removed": {}}),
        ),
        CreateOrganization: (
            "organization.create",
            await client.post(
                "/api/organizations", json={"organization_name": "Other", "slug": "other", "owner": owner}
            ),
        ),
    }
    declared = {cls for cls in classes_of("request") if cls.owner == "gateway" and issubclass(cls, Mutation)}
    assert set(done) == declared
    assert [answer.status_code for _, answer in done.values() if answer is not None] == [200, 200, 204, 200, 201]
    items = await entries(acme, 3 + len(done))
    me = (await client.get("/api/auth/me")).json()
    mine = sorted(each["action"] for each in items if each["actor"] == f"api_key:{me['id']}")
    assert mine == sorted(action for action, _ in done.values())


async def test_a_new_tenants_log_does_not_show_who_asked_for_it(gateway: Gateway, acme: Tenant) -> None:
    other = await gateway.other(acme)
    founded = await entries(other, 2)
    assert [each["actor"] for each in founded[:2]] == [SYSTEM_ACTOR, SYSTEM_ACTOR]
    assert (await acme.client.get("/api/auth/me")).json()["id"] not in str(founded)


async def test_an_event_that_comes_twice_is_one_entry(gateway: Gateway, acme: Tenant) -> None:
    event = recorded(acme.organization, marker="once")
    await gateway.services.publish(event)
    database = gateway.services.database("gateway")
    await entries(acme, 4)
    from shared.messages.headers import message_headers

    headers = {**message_headers(event, "test"), "Nats-Msg-Id": "another"}
    await gateway.services.bus.publish(event.subject(), event.to_bytes(), headers)
    await gateway.services.publish(recorded(acme.organization, marker="after"))
    items = await entries(acme, 5)
    markers = [each["details"].get("marker") for each in items]
    assert [marker for marker in markers if marker] == ["once", "after"]
    await database.close()


async def test_a_long_chain_is_walked_in_parts(gateway: Gateway, acme: Tenant, monkeypatch) -> None:
    monkeypatch.setattr("services.gateway.handlers.audit.PART", 2)
    monkeypatch.setattr("services.gateway.storage.audit.CHUNK", 1)
    await gateway.services.publish(*(recorded(acme.organization, number) for number in range(4)))
    items = await entries(acme, 7)
    whole = await verification(acme)
    assert (whole["valid"], whole["entries"], whole["first_sequence"]) == (True, 7, 1)
    copy, columns = new_id(), "organization_id, sequence, previous_hash, entry_hash, time, actor, action, target_type"
    rest = "target_id, target_name, details, correlation_id, recorded_at"
    tamper(
        gateway,
        f"INSERT INTO audit_logs (id, {columns}, {rest}) SELECT %s, {columns}, {rest} FROM audit_logs WHERE id = %s",
        copy, UUID(items[1]["id"]),
    )  # fmt: skip
    assert (await verification(acme))["first_invalid_id"] == str(copy)
    tamper(gateway, "DELETE FROM audit_logs WHERE id = %s", copy)
    tamper(gateway, "UPDATE audit_logs SET actor = 'user:somebody else' WHERE id = %s", UUID(items[5]["id"]))
    found = await verification(acme)
    assert (found["valid"], found["first_invalid_id"], found["entries"]) == (False, items[5]["id"], 5)


async def test_a_changed_entry_shows(gateway: Gateway, acme: Tenant) -> None:
    items = await entries(acme, 3)
    tamper(gateway, "UPDATE audit_logs SET actor = 'user:somebody else' WHERE id = %s", UUID(items[1]["id"]))
    found = await verification(acme)
    assert (found["valid"], found["first_invalid_id"]) == (False, items[1]["id"])


async def test_a_removed_entry_shows(gateway: Gateway, acme: Tenant) -> None:
    items = await entries(acme, 3)
    tamper(gateway, "DELETE FROM audit_logs WHERE id = %s", UUID(items[1]["id"]))
    assert (await verification(acme))["first_invalid_id"] == items[2]["id"]


async def test_a_cut_tail_shows_by_the_checkpoint_even_when_the_head_was_set_back(
    gateway: Gateway, acme: Tenant
) -> None:
    items = await entries(acme, 3)
    await sign(gateway)
    tamper(gateway, "DELETE FROM audit_logs WHERE id = %s", UUID(items[2]["id"]))
    tamper(
        gateway,
        "UPDATE audit_heads SET sequence = 2, entry_hash = %s WHERE organization_id = %s",
        items[1]["entry_hash"], acme.organization,
    )  # fmt: skip
    found = await verification(acme)
    assert (found["valid"], found["tail_missing"], found["checkpoints"]) == (False, True, 1)


async def test_verification_starts_at_the_checkpoint_before_what_is_kept(gateway: Gateway, acme: Tenant) -> None:
    items = await entries(acme, 3)
    await sign(gateway)
    await gateway.services.publish(recorded(acme.organization))
    await entries(acme, 4)
    for item in items:
        tamper(gateway, "DELETE FROM audit_logs WHERE id = %s", UUID(item["id"]))
    found = await verification(acme)
    assert (found["valid"], found["entries"], found["first_sequence"]) == (True, 1, 4)


async def test_the_running_service_can_neither_change_nor_remove_an_entry(gateway: Gateway, acme: Tenant) -> None:
    await entries(acme, 3)
    with psycopg.connect(gateway.services.database_of("gateway").app_url, autocommit=True) as connection:
        partitions = connection.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'audit_logs_2%%' AND relkind = 'r'"
        ).fetchall()
        assert len(partitions) == 4
        for role in ("gateway_app", "gateway_system"):
            connection.execute(f"SET ROLE {role}")
            for table in ("audit_logs", "audit_checkpoints", *(name for (name,) in partitions)):
                for statement in (
                    f"UPDATE {table} SET organization_id = organization_id",
                    f"DELETE FROM {table}",
                    f"TRUNCATE {table}",
                ):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        connection.execute(statement)


async def test_months_ahead_have_their_partitions(gateway: Gateway) -> None:
    with psycopg.connect(gateway.services.database_of("gateway").owner_url) as connection:
        connection.execute("SELECT 1")
        names = "SELECT relname FROM pg_class WHERE relname LIKE 'audit_logs_2%%' AND relkind = 'r' ORDER BY relname"
        last = connection.execute(names).fetchall()[-1][0]
        connection.execute(f"DROP TABLE {last}")
    database = gateway.services.database("gateway")
    await make_partitions(make_deps(gateway.running.process.settings, database, None, database.clock))  # type: ignore[arg-type]
    await database.close()
    with psycopg.connect(gateway.services.database_of("gateway").owner_url) as connection:
        row = connection.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", (last,)
        ).fetchone()
    assert row == (True, True)


async def test_filters_choose_entries(gateway: Gateway, acme: Tenant) -> None:
    await gateway.sign_in(acme.email, PASSWORD)
    items = await entries(acme, 1, action="user.sign_in")
    assert [each["action"] for each in items] == ["user.sign_in"]
    none = (await acme.client.get("/api/audit", params={"end": "2020-01-01T00:00:00Z"})).json()
    assert none == {"items": [], "next_cursor": None}
    unknown = await acme.client.get("/api/audit", params={"colour": "red"})
    assert unknown.status_code == 422
