"""How does a test get a running gateway, its first organization, and clients of each role?"""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.kit.ids import new_id
from shared.messages.context import Context
from shared.messages.organizations import BootstrapDeployment, BootstrappedDeployment
from tests.fixtures.services import Running, Services, now
from tests.fixtures.tls import TLS

PASSWORD = "correct horse battery staple"
KEY_RING = json.dumps({"primary": "test-1", "keys": {"test-1": base64.b64encode(bytes(range(32))).decode()}})
FAST = {"gateway_key_ring": KEY_RING, "password_memory_kib": 64, "password_passes": 1, "sign_ins_per_minute": 1000}


def key() -> dict[str, str]:
    """A header that makes a mutation repeatable."""
    return {"Idempotency-Key": str(new_id())}


@dataclass
class Tenant:
    """One organization: its ids and a client with its owner's key."""

    organization: UUID
    owner: UUID
    key: str
    client: httpx.AsyncClient
    email: str


class Gateway:
    """A running gateway and its first tenant."""

    def __init__(self, services: Services, running: Running) -> None:
        self.services = services
        self.running = running
        self.url = running.url
        self._clients: list[httpx.AsyncClient] = []

    def client(self, key: str | None = None, token: str | None = None) -> httpx.AsyncClient:
        headers = {"X-API-Key": key} if key else {"Authorization": f"Bearer {token}"} if token else {}
        made = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20, verify=TLS)
        self._clients.append(made)
        return made

    async def bootstrap(self) -> Tenant:
        request = BootstrapDeployment(
            **Context.background().envelope(now()),
            organization_name="Acme",
            slug="acme",
            owner_email="owner@acme.test",
            owner_name="Olga Owner",
            owner_password=PASSWORD,
        )
        found: BootstrappedDeployment = await self.services.ask(request)
        return Tenant(found.organization_id, found.owner_id, found.key, self.client(found.key), "owner@acme.test")

    async def other(self, tenant: Tenant, slug: str = "other") -> Tenant:
        """A second organization, with its owner signed in."""
        email = f"owner@{slug}.test"
        body = {
            "organization_name": slug.title(),
            "slug": slug,
            "owner": {"email": email, "display_name": "Otto Other", "password": PASSWORD},
        }
        made = await tenant.client.post("/api/organizations", json=body)
        assert made.status_code == 201, made.text
        signed_in = await self.sign_in(email)
        client = self.client(token=signed_in["access_token"])
        return Tenant(UUID(made.json()["id"]), UUID(signed_in["user"]["id"]), signed_in["access_token"], client, email)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Any:
        answer = await self.client().post("/api/auth/token", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def key_of(self, tenant: Tenant, role: str, **body: Any) -> Any:
        made = await tenant.client.post("/api/api-keys", json={"name": f"a {role}", "role": role, **body})
        assert made.status_code == 201, made.text
        return made.json()

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@pytest.fixture
async def gateway(services: Services) -> AsyncIterator[Gateway]:
    made = Gateway(services, await services.start("gateway", **FAST))
    yield made
    await made.close()


@pytest.fixture
async def acme(gateway: Gateway) -> Tenant:
    return await gateway.bootstrap()
