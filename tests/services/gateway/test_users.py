"""Who may make, promote and dismiss whom?"""

import asyncio

import pytest

from shared.messages.users import UserDeactivated, UserRoleChanged
from shared.security.roles import Role
from tests.services.gateway.conftest import PASSWORD, Gateway, Tenant, key

pytestmark = pytest.mark.anyio


def person(role: str, email: str = "emil@acme.test") -> dict[str, str]:
    return {"email": email, "display_name": "Emil Engineer", "role": role, "password": PASSWORD}


async def made(tenant: Tenant, role: str, email: str = "emil@acme.test"):
    answer = await tenant.client.post("/api/users", json=person(role, email))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_only_owner_and_admin_make_users_and_keys(gateway: Gateway, acme: Tenant) -> None:
    for role in Role:
        client = gateway.client((await gateway.key_of(acme, role))["key"])
        allowed = role in {Role.OWNER, Role.ADMIN}
        user = await client.post("/api/users", json=person("viewer", f"made-by-{role}@acme.test"))
        api_key = await client.post("/api/api-keys", json={"name": "k", "role": "viewer"})
        expected = 201 if allowed else 403
        assert (user.status_code, api_key.status_code) == (expected, expected), role


async def test_only_an_owner_makes_an_owner(gateway: Gateway, acme: Tenant) -> None:
    admin = gateway.client((await gateway.key_of(acme, "admin"))["key"])
    emil = await made(acme, "engineer")
    refused = [
        await admin.post("/api/users", json=person("owner", "second@acme.test")),
        await admin.put(f"/api/users/{emil['id']}/role", json={"role": "owner"}),
        await admin.post("/api/api-keys", json={"name": "k", "role": "owner"}),
    ]
    assert [each.status_code for each in refused] == [403, 403, 403]
    promoted = await acme.client.put(f"/api/users/{emil['id']}/role", json={"role": "owner"})
    assert (promoted.status_code, promoted.json()["role"]) == (200, "owner")


async def test_an_admin_takes_no_role_from_an_owner(gateway: Gateway, acme: Tenant) -> None:
    admin = gateway.client((await gateway.key_of(acme, "admin"))["key"])
    await made(acme, "owner", "second@acme.test")
    demoted = await admin.put(f"/api/users/{acme.owner}/role", json={"role": "viewer"})
    dismissed = await admin.delete(f"/api/users/{acme.owner}")
    assert (demoted.status_code, dismissed.status_code) == (403, 403)


async def test_the_last_owner_stays(gateway: Gateway, acme: Tenant) -> None:
    demoted = await acme.client.put(f"/api/users/{acme.owner}/role", json={"role": "admin"})
    dismissed = await acme.client.delete(f"/api/users/{acme.owner}")
    assert [each.json()["code"] for each in (demoted, dismissed)] == ["last_owner", "last_owner"]
    assert (demoted.status_code, dismissed.status_code) == (409, 409)


async def test_two_owners_who_step_down_at_once_leave_one(gateway: Gateway, acme: Tenant) -> None:
    second = await made(acme, "owner", "second@acme.test")
    paths = [f"/api/users/{owner}/role" for owner in (acme.owner, second["id"])]
    answers = await asyncio.gather(*(acme.client.put(path, json={"role": "viewer"}) for path in paths))
    assert sorted(each.status_code for each in answers) == [200, 409]


async def test_a_new_role_counts_at_once_for_a_token_that_is_out(gateway: Gateway, acme: Tenant) -> None:
    emil = await made(acme, "admin")
    client = gateway.client(token=(await gateway.sign_in("emil@acme.test"))["access_token"])
    assert (await client.get("/api/users")).status_code == 200
    await acme.client.put(f"/api/users/{emil['id']}/role", json={"role": "viewer"})
    await gateway.services.event(UserRoleChanged)
    async with asyncio.timeout(10):
        while (await client.get("/api/users")).status_code != 403:
            await asyncio.sleep(0.02)


async def test_a_dismissed_user_is_out_everywhere(gateway: Gateway, acme: Tenant) -> None:
    emil = await made(acme, "engineer")
    tokens = await gateway.sign_in("emil@acme.test")
    client = gateway.client(token=tokens["access_token"])
    assert (await client.get("/api/auth/me")).status_code == 200
    assert (await acme.client.delete(f"/api/users/{emil['id']}")).json()["is_active"] is False
    await gateway.services.event(UserDeactivated)
    async with asyncio.timeout(10):
        while (await client.get("/api/auth/me")).status_code != 401:
            await asyncio.sleep(0.02)
    again = await client.post("/api/auth/token", json={"email": "emil@acme.test", "password": PASSWORD})
    refreshed = await client.post("/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (again.status_code, refreshed.status_code) == (401, 401)


async def test_one_address_is_one_user_in_the_deployment(gateway: Gateway, acme: Tenant) -> None:
    other = await gateway.other(acme)
    await made(acme, "viewer")
    twice = await other.client.post("/api/users", json=person("viewer", "EMIL@acme.test"))
    assert (twice.status_code, twice.json()["code"]) == (409, "email_taken")


async def test_weak_passwords_are_refused_with_a_pointer(gateway: Gateway, acme: Tenant) -> None:
    for password in ("short", "aaaaaaaaaaaaaaaa", "emil is my name!"):
        answer = await acme.client.post("/api/users", json={**person("viewer"), "password": password})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/password")
        assert password not in answer.text
    assert len((await acme.client.get("/api/users")).json()["items"]) == 1


async def test_what_was_made_is_found_at_its_location(gateway: Gateway, acme: Tenant) -> None:
    key = {"name": "bot", "role": "viewer"}
    for path, body in (("/api/users", person("viewer")), ("/api/api-keys", key)):
        answer = await acme.client.post(path, json=body)
        found = await acme.client.get(answer.headers["location"])
        assert found.json() == {name: value for name, value in answer.json().items() if name != "key"}
    own = await acme.client.get(f"/api/organizations/{acme.organization}")
    assert own.json() == (await acme.client.get("/api/organizations")).json()["items"][0]


async def test_a_name_is_one_line(gateway: Gateway, acme: Tenant) -> None:
    answer = await acme.client.post("/api/users", json={**person("viewer"), "display_name": "Emil\nforged log line"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/display_name")


async def test_a_stale_version_changes_nothing(gateway: Gateway, acme: Tenant) -> None:
    emil = await made(acme, "viewer")
    path = f"/api/users/{emil['id']}/role"
    first = await acme.client.put(path, json={"role": "engineer"}, headers={"If-Match": '"1"'})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    for stale in ('"1"', "rubbish"):
        answer = await acme.client.put(path, json={"role": "ops"}, headers={"If-Match": stale})
        assert (answer.status_code, answer.json()["code"]) == (412, "stale_version")


async def test_the_same_idempotency_key_gives_the_same_user(gateway: Gateway, acme: Tenant) -> None:
    header = key()
    first = await acme.client.post("/api/users", json=person("viewer"), headers=header)
    repeat = await acme.client.post("/api/users", json=person("viewer"), headers=header)
    other = await acme.client.post("/api/users", json=person("viewer", "x@acme.test"), headers=header)
    assert repeat.content == first.content
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_page_follows_the_other(gateway: Gateway, acme: Tenant) -> None:
    for number in range(4):
        await made(acme, "viewer", f"user{number}@acme.test")
    seen, cursor = [], None
    while True:
        page = (
            await acme.client.get(
                "/api/users", params={"limit": 2, "sort": "email", **({"cursor": cursor} if cursor else {})}
            )
        ).json()
        seen += [each["email"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert seen == sorted(seen)
    assert len(seen) == 5
