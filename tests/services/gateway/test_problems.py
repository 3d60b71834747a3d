"""Is every bad input a clear problem that stores nothing, and never a 500?"""

import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest

from tests.services.gateway.conftest import Gateway, Tenant

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}
USER = {"email": "e@acme.test", "display_name": "E", "role": "viewer", "password": "correct horse battery staple"}


def is_problem(answer: httpx.Response, status: int, code: str) -> None:
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code), answer.text
    assert set(body) == {"type", "title", "status", "detail", "code", "errors", "correlation_id"}
    assert body["correlation_id"] == answer.headers["x-correlation-id"]
    assert "Traceback" not in answer.text


async def test_what_is_not_there(gateway: Gateway, acme: Tenant) -> None:
    is_problem(await acme.client.get("/api/nothing"), 404, "not_found")
    is_problem(await acme.client.get(f"/api/operations/{uuid4()}"), 404, "not_found")
    is_problem(await acme.client.delete("/api/operations"), 405, "method_not_allowed")
    is_problem(await gateway.client().get("/api/users"), 401, "unauthenticated")


BAD_BODIES = [
    (b"{", 400, "malformed_json"),
    (b'{"email": NaN}', 400, "malformed_json"),
    (b"\xff\xfe{}", 400, "malformed_json"),
    (b'{"email": "\xc3\x28"}', 400, "malformed_json"),
    (json.dumps(USER).encode("utf-16"), 400, "malformed_json"),
    (b"[" * 100_000, 400, "malformed_json"),
    (b"[" * 100 + b"]" * 100, 422, "too_deep"),
    (rb'{"email": "a\u0000b"}', 422, "invalid_text"),
    (rb'{"a\u0000b": 1}', 422, "invalid_text"),
    (rb'{"email": "\ud800"}', 422, "invalid_text"),
    (b"[]", 422, "invalid_input"),
    (b"null", 422, "invalid_input"),
    (b"1" * 400, 422, "invalid_input"),
    (json.dumps({**USER, "surprise": 1}).encode(), 422, "invalid_input"),
    (json.dumps({**USER, "role": "king"}).encode(), 422, "invalid_input"),
    (json.dumps({**USER, "display_name": ""}).encode(), 422, "invalid_input"),
    (json.dumps({**USER, "display_name": "x" * 201}).encode(), 422, "invalid_input"),
    (json.dumps({**USER, "display_name": 7}).encode(), 422, "invalid_input"),
    (json.dumps({**USER, "email": "no address"}).encode(), 422, "invalid_input"),
    (json.dumps({**USER, "password": None}).encode(), 422, "invalid_input"),
]


@pytest.mark.usefixtures("gateway")
async def test_bad_bodies(acme: Tenant) -> None:
    for body, status, code in BAD_BODIES:
        is_problem(await acme.client.post("/api/users", content=body, headers=JSON), status, code)
    assert len((await acme.client.get("/api/users")).json()["items"]) == 1


async def test_pointers_name_each_field(gateway: Gateway, acme: Tenant) -> None:
    answer = await acme.client.post("/api/users", json={"email": "x", "role": "king", "password": "p" * 12})
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/email", "/role", "/display_name"}
    assert "p" * 12 not in answer.text


async def test_bad_addresses(gateway: Gateway, acme: Tenant) -> None:
    is_problem(await acme.client.get("/api/users?q=a%00b"), 422, "invalid_text")
    is_problem(await acme.client.get("/api/users?q=%ff"), 422, "invalid_text")
    is_problem(await acme.client.get("/api/operations/%00"), 422, "invalid_text")
    is_problem(await acme.client.get("/api/operations/7"), 422, "invalid_input")
    is_problem(await acme.client.get("/api/users?limit=many"), 422, "invalid_input")


async def test_bad_headers(gateway: Gateway, acme: Tenant) -> None:
    for header in ("x" * 256, "ein schlüssel".encode(), ""):
        answer = await acme.client.post("/api/users", json=USER, headers={"Idempotency-Key": header})
        is_problem(answer, 422, "invalid_input")
    xml = await acme.client.post("/api/users", content=b"<user/>", headers={"Content-Type": "application/xml"})
    is_problem(xml, 415, "unsupported_media_type")
    is_problem(await acme.client.post("/api/users", content=b"{}"), 415, "unsupported_media_type")


async def test_a_large_body_is_refused_with_and_without_a_declared_length(gateway: Gateway, acme: Tenant) -> None:
    large = b'{"email": "' + b"x" * (10 * 1024 * 1024) + b'"}'
    is_problem(await acme.client.post("/api/users", content=large, headers=JSON), 413, "body_too_large")

    async def streamed() -> AsyncIterator[bytes]:
        for _ in range(24):
            yield b" " * 65_536

    answer = await acme.client.post("/api/users", content=streamed(), headers=JSON)
    is_problem(answer, 413, "body_too_large")


async def test_a_correlation_id_is_the_clients_when_it_is_a_uuid(gateway: Gateway, acme: Tenant) -> None:
    mine = str(uuid4())
    kept = await acme.client.get("/api/auth/me", headers={"X-Correlation-Id": mine})
    assert kept.headers["x-correlation-id"] == mine
    other = await acme.client.get("/api/auth/me", headers={"X-Correlation-Id": "<script>"})
    assert UUID(other.headers["x-correlation-id"])


async def test_every_answer_is_protected_and_no_other_origin_may_read_it(gateway: Gateway, acme: Tenant) -> None:
    for path in ("/api/auth/me", "/api/nothing", "/healthz", "/api/schema"):
        answer = await acme.client.get(path, headers={"Origin": "https://elsewhere.test"})
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers


async def test_an_owner_that_is_away_is_a_503_with_a_time(gateway: Gateway, acme: Tenant) -> None:
    answer = await acme.client.get("/api/cloud/costs/overview")
    is_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def test_what_nobody_expected_is_a_500_without_details(gateway: Gateway, acme: Tenant, monkeypatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("the password is 1234")

    monkeypatch.setattr("services.gateway.api.authentication.Authentication.principal_of", broken)
    answer = await acme.client.get("/api/auth/me")
    is_problem(answer, 500, "internal_error")
    assert "1234" not in answer.text
