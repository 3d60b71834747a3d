"""Is one organization kept from another's things, and may it tighten its roles?"""

import asyncio

import pytest

from shared.kit.errors import Conflict
from shared.kit.ids import new_id
from shared.messages.organizations import OrganizationCreated, OrganizationUpdated
from tests.services.gateway.conftest import Gateway, Tenant

pytestmark = pytest.mark.anyio


async def test_a_deployment_is_bootstrapped_once(gateway: Gateway, acme: Tenant) -> None:
    with pytest.raises(Conflict) as refused:
        await gateway.bootstrap()
    assert refused.value.code == "already_bootstrapped"
    said = await gateway.services.event(OrganizationCreated)
    assert (said.organization_id, said.slug) == (acme.organization, "acme")


async def test_nobody_sees_or_changes_another_organizations_things(gateway: Gateway, acme: Tenant) -> None:
    other = await gateway.other(acme)
    theirs = await gateway.key_of(acme, "viewer")
    answers = [
        await other.client.delete(f"/api/api-keys/{theirs['id']}"),
        await other.client.put(f"/api/users/{acme.owner}/role", json={"role": "viewer"}),
        await other.client.delete(f"/api/users/{acme.owner}"),
        await other.client.get(f"/api/organizations/{acme.organization}/roles"),
        await other.client.get(f"/api/operations/{new_id()}"),
    ]
    assert [each.status_code for each in answers] == [404] * 5
    assert (await gateway.client(theirs["key"]).get("/api/auth/me")).status_code == 200
    for path in ("/api/users", "/api/api-keys", "/api/organizations", "/api/audit"):
        listed = await other.client.get(path)
        assert listed.status_code == 200
        assert str(acme.organization) not in listed.text
        assert f'"id":"{acme.owner}"' not in listed.text


async def test_only_an_owner_founds_an_organization_and_a_slug_is_one_tenants(gateway: Gateway, acme: Tenant) -> None:
    admin = gateway.client((await gateway.key_of(acme, "admin"))["key"])
    owner = {"email": "o@x.test", "display_name": "O", "password": "correct horse battery staple"}
    body = {"organization_name": "X", "slug": "acme", "owner": owner}
    assert (await admin.post("/api/organizations", json=body)).status_code == 403
    taken = await acme.client.post("/api/organizations", json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "slug_taken")


async def test_an_organization_tightens_a_role(gateway: Gateway, acme: Tenant) -> None:
    ops = gateway.client((await gateway.key_of(acme, "ops"))["key"])
    assert (await ops.get("/api/audit")).status_code == 200
    path = f"/api/organizations/{acme.organization}/roles"
    answer = await acme.client.put(path, json={"removed": {"ops": ["audit:read"]}})
    assert (answer.status_code, answer.json()["removed"]) == (200, {"ops": ["audit:read"]})
    await gateway.services.event(OrganizationUpdated)
    async with asyncio.timeout(10):
        while (await ops.get("/api/audit")).status_code != 403:
            await asyncio.sleep(0.02)
    assert (await acme.client.get(path)).json()["removed"] == {"ops": ["audit:read"]}


async def test_the_owners_role_and_unknown_names_cannot_be_restricted(gateway: Gateway, acme: Tenant) -> None:
    path = f"/api/organizations/{acme.organization}/roles"
    for removed in ({"owner": ["audit:read"]}, {"king": ["audit:read"]}, {"ops": ["audit:burn"]}):
        answer = await acme.client.put(path, json={"removed": removed})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith("/removed/")
    assert (await acme.client.get(path)).json()["removed"] == {}
