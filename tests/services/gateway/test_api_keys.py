"""What do API keys show, and when do they end?"""

import asyncio

import pytest

from tests.services.gateway.conftest import FAST, Gateway, Tenant, key

pytestmark = pytest.mark.anyio


async def test_a_key_is_shown_once(gateway: Gateway, acme: Tenant) -> None:
    header = key()
    body = {"name": "bot", "role": "engineer"}
    made = await acme.client.post("/api/api-keys", json=body, headers=header)
    assert made.status_code == 201
    secret = made.json()["key"]
    repeat = await acme.client.post("/api/api-keys", json=body, headers=header)
    assert (repeat.status_code, repeat.json()["code"]) == (409, "already_created")
    assert secret not in repeat.text
    assert secret not in (await acme.client.get("/api/api-keys")).text
    assert secret not in "".join(event.model_dump_json() for event in gateway.services.events)


async def test_a_revoked_key_leaves_the_list_and_can_be_revoked_again(gateway: Gateway, acme: Tenant) -> None:
    made = await gateway.key_of(acme, "viewer")
    for _ in range(2):
        assert (await acme.client.delete(f"/api/api-keys/{made['id']}")).status_code == 204
    listed = (await acme.client.get("/api/api-keys")).json()["items"]
    assert made["id"] not in {each["id"] for each in listed}
    everything = (await acme.client.get("/api/api-keys", params={"include_revoked": "true"})).json()["items"]
    assert made["id"] in {each["id"] for each in everything}


async def test_a_key_is_not_born_dead(gateway: Gateway, acme: Tenant) -> None:
    body = {"name": "bot", "role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}
    answer = await acme.client.post("/api/api-keys", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/expires_at")


async def test_bearer_takes_a_key_too(gateway: Gateway, acme: Tenant) -> None:
    assert (await gateway.client(token=acme.key).get("/api/auth/me")).json()["kind"] == "api_key"


async def test_the_last_use_of_a_key_is_told(gateway: Gateway, acme: Tenant, monkeypatch) -> None:
    monkeypatch.setattr("services.gateway.api.authentication.USES_STORED_EVERY_S", 0.05)
    other = Gateway(gateway.services, await gateway.services.start("gateway", **FAST))
    client = other.client(acme.key)
    async with asyncio.timeout(10):
        while (await client.get("/api/api-keys")).json()["items"][0]["last_used_at"] is None:
            await asyncio.sleep(0.05)
