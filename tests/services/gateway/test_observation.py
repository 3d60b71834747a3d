"""Does the world see only the API, and do the metrics stay few however many tenants there are?"""

import re

import httpx
import pytest

from shared.kit.ids import new_id
from tests.services.gateway.conftest import Gateway, Tenant

pytestmark = pytest.mark.anyio

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


async def test_the_public_port_says_that_it_answers_and_nothing_of_what_is_behind(gateway: Gateway) -> None:
    world, deployment = gateway.client(), gateway.running.health_url
    assert (await world.get("/healthz")).status_code == 200
    async with httpx.AsyncClient(base_url=deployment) as probe:
        for path in ("/readyz", "/metrics"):
            assert (await world.get(path)).status_code == 404
            assert (await probe.get(path)).status_code == 200
        assert (await probe.get("/api/auth/me")).status_code == 404


async def test_no_label_of_a_metric_holds_an_id_or_grows_with_tenants(gateway: Gateway, acme: Tenant) -> None:
    for tenant in (acme, await gateway.other(acme)):
        assert (await tenant.client.get(f"/api/operations/{new_id()}")).status_code == 404
        assert (await tenant.client.get(f"/api/cloud/resources/{new_id()}")).status_code == 503  # no provisioner here
        assert (await tenant.client.get(f"/nowhere/{new_id()}")).status_code == 404
        assert (await tenant.client.request("PROPFIND", "/api/auth/me")).status_code == 405
    async with httpx.AsyncClient(base_url=gateway.running.health_url) as probe:
        text = (await probe.get("/metrics")).text
    assert 'route="/api/operations/{operation}"' in text
    assert 'method="OTHER"' in text
    assert _UUID.findall(text) == []
    assert not [name for name in ("acme", "other.test", "nowhere") if name in text.lower()]
