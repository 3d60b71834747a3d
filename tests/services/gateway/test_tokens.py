"""How does a user come in, stay in, and how is everybody else kept out?"""

import asyncio
import base64
import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from services.gateway.api.authentication import Authentication
from services.gateway.api.rate_limits import RateLimits
from services.gateway.deps import make_deps
from services.gateway.domain.api_keys import ApiKey
from services.gateway.domain.tokens import ACCESS_LIFETIME, encode_access_token, new_claims
from services.gateway.storage.principals import find_api_key_by_prefix
from services.gateway.storage.tables import api_keys
from shared.db.work import Work
from shared.kit.errors import Unauthenticated
from shared.kit.ids import new_id
from shared.messages.api_keys import ApiKeyRevoked
from shared.messages.context import Context
from shared.messages.users import UserSignedOut
from shared.security.roles import Role
from tests.fixtures.services import now
from tests.services.gateway.conftest import FAST, PASSWORD, Gateway, Tenant

pytestmark = pytest.mark.anyio


async def test_an_owner_signs_in_and_is_who_they_are(gateway: Gateway, acme: Tenant) -> None:
    tokens = await gateway.sign_in(acme.email)
    me = (await gateway.client(token=tokens["access_token"]).get("/api/auth/me")).json()
    assert (me["id"], me["role"], me["kind"]) == (str(acme.owner), "owner", "user")
    assert tokens["expires_in"] == 900
    assert tokens["user"]["organization_id"] == str(acme.organization)


async def test_a_wrong_password_and_an_unknown_address_answer_alike(gateway: Gateway, acme: Tenant) -> None:
    client = gateway.client()
    wrong = await client.post("/api/auth/token", json={"email": acme.email, "password": "not the right one"})
    unknown = await client.post("/api/auth/token", json={"email": "nobody@acme.test", "password": PASSWORD})
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    told = [{**each.json(), "correlation_id": None} for each in (wrong, unknown)]
    assert told[0] == told[1]
    assert told[0]["code"] == "invalid_credentials"


async def test_a_refresh_token_works_once_and_its_return_ends_the_sign_in(gateway: Gateway, acme: Tenant) -> None:
    first = await gateway.sign_in(acme.email)
    client = gateway.client()
    second = await client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    again = await client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert (again.status_code, again.json()["code"]) == (401, "refresh_token_reused")
    successor = await client.post("/api/auth/refresh", json={"refresh_token": second.json()["refresh_token"]})
    assert (successor.status_code, successor.json()["code"]) == (401, "invalid_token")
    said = await gateway.services.event(UserSignedOut)
    assert said.reason == "refresh_token_reused"


async def test_two_who_refresh_at_once_do_not_both_get_tokens(gateway: Gateway, acme: Tenant) -> None:
    first = await gateway.sign_in(acme.email)
    body = {"refresh_token": first["refresh_token"]}
    answers = await asyncio.gather(*(gateway.client().post("/api/auth/refresh", json=body) for _ in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 401, 401, 401]


async def test_who_signs_out_is_out_with_the_access_token_too(gateway: Gateway, acme: Tenant) -> None:
    tokens = await gateway.sign_in(acme.email)
    client = gateway.client(token=tokens["access_token"])
    assert (await client.get("/api/auth/me")).status_code == 200
    out = await client.post("/api/auth/logout", json={"refresh_token": tokens["refresh_token"]})
    assert out.status_code == 204
    await gateway.services.event(UserSignedOut)
    await _until_refused(client)


async def test_a_revoked_key_dies_on_every_replica(gateway: Gateway, acme: Tenant) -> None:
    other_replica = await gateway.services.start("gateway", **FAST, authentication_cache_s=3600)
    made = await gateway.key_of(acme, "viewer")
    client, elsewhere = gateway.client(made["key"]), gateway.client(made["key"])
    elsewhere.base_url = other_replica.url
    for each in (client, elsewhere):
        assert (await each.get("/api/auth/me")).status_code == 200
    assert (await acme.client.delete(f"/api/api-keys/{made['id']}")).status_code == 204
    await gateway.services.event(ApiKeyRevoked)
    for each in (client, elsewhere):
        assert await _until_refused(each) == "invalid_token"


async def test_an_expired_key_says_so_and_lets_nobody_in(gateway: Gateway, acme: Tenant) -> None:
    made = await gateway.key_of(acme, "viewer", expires_at=(now() + timedelta(hours=1)).isoformat())
    database = gateway.services.database("gateway")
    async with database.work(Context.background()) as work:
        past = now() - timedelta(seconds=1)
        await work.execute(update(api_keys).where(api_keys.c.prefix == made["prefix"]).values(expires_at=past))
    await database.close()
    answer = await gateway.client(made["key"]).get("/api/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


async def test_an_expired_access_token_of_a_living_sign_in_lets_nobody_in(gateway: Gateway, acme: Tenant) -> None:
    tokens = await gateway.sign_in(acme.email)
    payload = tokens["access_token"].split(".")[1]
    sign_in = UUID(json.loads(base64.urlsafe_b64decode(payload + "=="))["jti"])
    deps = make_deps(gateway.running.process.settings, None, None, None)  # type: ignore[arg-type]
    claims = new_claims(
        token=sign_in, user=acme.owner, organization=acme.organization, role=Role.OWNER, display_name="Olga",
        now=now() - ACCESS_LIFETIME,
    )  # fmt: skip
    answer = await gateway.client(token=encode_access_token(claims, deps.mint.issuer)).get("/api/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


async def test_forged_tokens_let_nobody_in(gateway: Gateway, acme: Tenant) -> None:
    tokens = await gateway.sign_in(acme.email)
    header, payload, signature = tokens["access_token"].split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
    stolen = base64.urlsafe_b64encode(json.dumps({**claims, "role": "owner", "sub": str(new_id())}).encode())
    key = acme.key[:-1] + ("a" if acme.key[-1] != "a" else "b")
    forged = [
        f"{unsigned}.{payload}.",
        f"{header}.{stolen.rstrip(b'=').decode()}.{signature}",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        key,
        tokens["refresh_token"],
        "Bearer",
        "x" * 5000,
    ]
    for token in forged:
        answer = await gateway.client(token=token).get("/api/auth/me")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="canopy"'), token


async def test_a_genuine_signature_over_no_sign_in_lets_nobody_in(gateway: Gateway, acme: Tenant) -> None:
    """Who stole the signing key of a backup still lacks the sign-in's row."""
    settings = gateway.running.process.settings
    deps = make_deps(settings, None, None, None)  # type: ignore[arg-type]
    claims = new_claims(
        token=new_id(), user=acme.owner, organization=acme.organization, role=Role.OWNER, display_name="x", now=now()
    )
    answer = await gateway.client(token=encode_access_token(claims, deps.mint.issuer)).get("/api/auth/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_too_many_sign_ins_are_told_when_to_come_back(services, acme: Tenant) -> None:
    strict = await services.start("gateway", **{**FAST, "sign_ins_per_minute": 3})
    client = Gateway(services, strict).client()
    body = {"email": "nobody@acme.test", "password": PASSWORD}
    answers = [await client.post("/api/auth/token", json=body) for _ in range(4)]
    assert [each.status_code for each in answers] == [401, 401, 401, 429]
    assert answers[-1].json()["code"] == "rate_limited"
    assert int(answers[-1].headers["retry-after"]) >= 1


async def test_who_presents_wrong_keys_must_wait_and_a_genuine_key_beside_passes(services, acme: Tenant) -> None:
    """By the address behind a trusted proxy; an address of its own is not held back by what another presents."""
    limits = {**FAST, "refusals_per_minute": 3, "authentication_cache_s": 0, "trusted_proxies": ["127.0.0.1"]}
    strict = Gateway(services, await services.start("gateway", **limits))
    guesser = {"X-Forwarded-For": "192.0.2.7"}
    genuine = strict.client(acme.key)
    assert (await genuine.get("/api/auth/me", headers=guesser)).status_code == 200
    wrong = [f"{acme.key[:-4]}{ending}" for ending in ("aaaa", "bbbb", "cccc", "dddd")]
    answers = [await strict.client(each).get("/api/auth/me", headers=guesser) for each in wrong]
    assert [each.status_code for each in answers] == [401, 401, 401, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    refreshed = await strict.client().post("/api/auth/refresh", json={"refresh_token": "cnr_x"}, headers=guesser)
    assert refreshed.status_code == 429
    assert (await genuine.get("/api/auth/me", headers=guesser)).status_code == 200
    elsewhere = {"X-Forwarded-For": "192.0.2.8"}
    assert (await strict.client(wrong[-1]).get("/api/auth/me", headers=elsewhere)).status_code == 401


async def test_a_forwarded_address_counts_only_from_a_proxy_that_is_trusted(services, acme: Tenant) -> None:
    strict = Gateway(services, await services.start("gateway", **FAST, refusals_per_minute=1))
    client = strict.client(f"{acme.key[:-4]}aaaa")
    answers = [await client.get("/api/auth/me", headers={"X-Forwarded-For": f"192.0.2.{each}"}) for each in (1, 2)]
    assert [each.status_code for each in answers] == [401, 429]


async def test_a_principal_that_asks_too_often_is_told_when_to_come_back(services, gateway: Gateway) -> None:
    acme = await gateway.bootstrap()
    strict = await services.start("gateway", **FAST, reads_per_minute=2)
    client = Gateway(services, strict).client(acme.key)
    statuses = [(await client.get("/api/auth/me")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_an_authenticated_key_needs_no_database_for_a_while(gateway: Gateway, acme: Tenant) -> None:
    """The hot path: the second look is answered from memory, so that a closed database does not matter to it."""
    database = gateway.services.database("gateway")
    settings = gateway.running.process.settings
    deps = make_deps(settings, database, None, database.clock)  # type: ignore[arg-type]
    authentication = Authentication(deps, RateLimits(deps.settings))
    assert (await authentication.authenticate(acme.key, "address:192.0.2.1")).organization == acme.organization
    await database.close()
    database.engine = None  # type: ignore[assignment]
    assert (await authentication.authenticate(acme.key, "address:192.0.2.1")).organization == acme.organization


async def test_a_burst_with_one_key_is_one_look(gateway: Gateway, acme: Tenant, monkeypatch) -> None:
    looks: list[str] = []

    async def counted(work: Work, prefix: str) -> ApiKey | None:
        looks.append(prefix)
        return await find_api_key_by_prefix(work, prefix)

    monkeypatch.setattr("services.gateway.api.authentication.find_api_key_by_prefix", counted)
    database = gateway.services.database("gateway")
    deps = make_deps(gateway.running.process.settings, database, None, database.clock)  # type: ignore[arg-type]
    authentication = Authentication(deps, RateLimits(deps.settings))
    found = await asyncio.gather(*(authentication.authenticate(acme.key, "address:192.0.2.1") for _ in range(20)))
    assert {each.organization_slug for each in found} == {"acme"}
    assert len(looks) == 1
    authentication.forget(acme.organization)
    await authentication.authenticate(acme.key, "address:192.0.2.1")
    assert len(looks) == 2
    await database.close()


async def test_a_look_that_a_revocation_overtook_lets_nobody_in(gateway: Gateway, acme: Tenant, monkeypatch) -> None:
    """Else the socket that it opens would stay open: the event that closes sockets has passed already."""
    made = await gateway.key_of(acme, "viewer")
    read, may_answer = asyncio.Event(), asyncio.Event()

    async def slow(work: Work, prefix: str) -> ApiKey | None:
        found = await find_api_key_by_prefix(work, prefix)
        read.set()
        await may_answer.wait()
        return found

    monkeypatch.setattr("services.gateway.api.authentication.find_api_key_by_prefix", slow)
    database = gateway.services.database("gateway")
    deps = make_deps(gateway.running.process.settings, database, None, database.clock)  # type: ignore[arg-type]
    authentication = Authentication(deps, RateLimits(deps.settings))
    asking = asyncio.create_task(authentication.authenticate(made["key"], "address:192.0.2.1"))
    await read.wait()
    async with database.work(Context.background()) as work:
        await work.execute(update(api_keys).where(api_keys.c.prefix == made["prefix"]).values(revoked_at=work.now))
    authentication.forget(acme.organization)
    may_answer.set()
    with pytest.raises(Unauthenticated):
        await asking
    await database.close()


async def _until_refused(client) -> str:
    async with asyncio.timeout(10):
        while True:
            answer = await client.get("/api/auth/me")
            if answer.status_code == 401:
                return answer.json()["code"]
            await asyncio.sleep(0.02)
