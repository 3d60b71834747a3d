"""Does every route ask for its permission, and does each role come in exactly where the table of roles says?"""

from collections.abc import Iterator
from uuid import UUID

import pytest
from fastapi.routing import APIRoute

from services.gateway.api import ROUTERS
from services.gateway.api.caller import permission_of
from shared.security.permissions import Permission
from shared.security.roles import ROLE_PERMISSIONS, Role
from tests.services.gateway.conftest import Gateway, Tenant

pytestmark = pytest.mark.anyio

PUBLIC = {
    "POST /api/auth/token", "POST /api/auth/refresh", "POST /api/auth/logout",
    "GET /api/schema", "GET /api/schema/openapi.json", "GET /api/schema/asyncapi.json",
}  # fmt: skip
ANYBODY = {"GET /api/auth/me", "POST /api/auth/ticket"}
"""For every principal: who am I, and a ticket for a socket whose subscriptions ask for permissions themselves."""
UNKNOWN = UUID("01990000-0000-7000-8000-0000000000ff")


def routes() -> Iterator[tuple[str, APIRoute]]:
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute):
                for method in route.methods:
                    yield f"{method} {route.path}", route


GUARDED = {name: permission for name, route in routes() if (permission := permission_of(route)) is not None}


def test_every_route_asks_for_a_permission_or_is_listed_as_one_for_everybody() -> None:
    assert {name for name, _ in routes()} - GUARDED.keys() == PUBLIC | ANYBODY
    assert len(GUARDED) > 40


def test_every_permission_of_the_first_story_guards_something() -> None:
    """Those without a route belong to later stories or to an input (`force`); this list only shrinks."""
    without = {
        Permission.ORGANIZATION_WRITE, Permission.RESOURCES_FORCE, Permission.TEMPLATES_READ, Permission.TEMPLATES_WRITE,
        Permission.DEPLOYMENTS_READ, Permission.DEPLOYMENTS_WRITE, Permission.DEPLOYMENTS_APPROVE,
        Permission.COSTS_WRITE, Permission.OPTIMIZATION_APPLY, Permission.RECOVERY_EXECUTE, Permission.COMPLIANCE_READ,
        Permission.COMPLIANCE_SCAN, Permission.COMPLIANCE_REMEDIATE, Permission.AUTOMATION_READ,
        Permission.AUTOMATION_WRITE,
    }  # fmt: skip
    assert set(Permission) - set(GUARDED.values()) == without


@pytest.mark.parametrize("role", Role)
async def test_a_role_comes_in_exactly_where_it_holds_the_permission(
    gateway: Gateway, acme: Tenant, role: Role
) -> None:
    """With unknown ids and no other service: whoever comes in is told what is wrong there, never `permission_denied`."""
    client = gateway.client((await gateway.key_of(acme, role))["key"])
    for name, permission in GUARDED.items():
        method, _, template = name.partition(" ")
        path = "/".join(str(UNKNOWN) if part.startswith("{") else part for part in template.split("/"))
        answer = await client.request(method, path)
        refused = answer.status_code == 403 and answer.json()["code"] == "permission_denied"
        assert refused is (permission not in ROLE_PERMISSIONS[role]), (name, answer.status_code, answer.text)
        assert answer.status_code != 500, (name, answer.text)
