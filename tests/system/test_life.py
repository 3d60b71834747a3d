"""Does a deployment come back as it was? (tests/deploy/local/test_up.py: signals, a killed supervisor, a second one.)"""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local import process_table
from deploy.local.supervisor import left_behind
from tests.fixtures.live import Live
from tests.fixtures.stack import Deployment, Tenant
from tests.system.contract import Contract
from tests.system.worlds import eventually

pytestmark = pytest.mark.system

MOVES = ("/api/cloud/costs", "/api/cloud/health", "/api/cloud/monitoring/health", "/api/cloud/monitoring/metrics",
         "/api/cloud/disaster-recovery/status")  # fmt: skip
"""What is computed from the time that passes, and so is another at each look."""
MOVING = {"performance_metrics", "cost_tracking", "health_status", "last_health_check", "last_sync_at", "last_used_at",
          "version", "updated_at", "health_reason", "health_since"}  # fmt: skip

ASKED = "/api/cloud/providers/trust"
"""Needs to be told of which cloud."""

AWAY = "monitoring_error"
"""A sweep that meets the cloud as it stops with the rest rightly says that the cloud is away."""


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    tenant = deployment.new_tenant("returning")
    yield tenant
    tenant.http.close()


def known(tenant: Tenant) -> dict[str, Any]:
    """Everything that any list shows, but for what moves by itself."""
    found = {}
    for route in Contract(tenant.http).routes:
        if route.method == "get" and not route.parameters and not route.path.startswith((*MOVES, ASKED)):
            document = tenant.get(route.path)
            items = [item for item in document.get("items", [document]) if item.get("alert_type") != AWAY]
            found[route.path] = [{name: item[name] for name in item.keys() - MOVING} for item in items]
    return found


def settled(tenant: Tenant) -> dict[str, Any]:
    """The same, when two looks agree: nothing is still on its way to a list."""
    first = known(tenant)
    return first if known(tenant) == first else {}


def test_a_second_start_leaves_no_process_and_has_every_thing_again(deployment: Deployment, tenant: Tenant) -> None:
    stack = deployment.embedded
    live = Live(deployment, tenant)
    provider = tenant.post("/api/cloud/providers", deployment.provider_body(), 201)
    condition = {"metric": "cpu_utilization", "operator": ">", "threshold": 101}
    tenant.post("/api/cloud/monitoring/alert-rules", {"alert_name": "never", "alert_conditions": condition}, 201)
    tenant.post("/api/cloud/costs/budgets", {"budget_name": "large", "budget_amount": 1_000_000}, 201)
    body = {
        "provider_id": provider["id"],
        "region": "us-east-1",
        "resource_name": "lasting-1",
        "resource_type": "compute",
        "resource_subtype": "ec2_instance",
        "configuration": {"instance_type": "t3.micro"},
    }
    resource = tenant.post("/api/cloud/resources", body, 202)
    live.finished(resource["operation"])
    eventually(lambda: tenant.get("/api/operations")["items"][0]["status"] == "succeeded")
    live.close()
    before = eventually(lambda: settled(tenant))
    machines = deployment.simulator("instances")
    children = left_behind(stack.home)
    assert len(children) >= 11
    stack.stop()
    assert [one.name for one in children if process_table.started_at(one.pid) == one.started_at] == []
    stack.start()
    assert known(tenant) == before
    assert {one["id"]: one["state"] for one in deployment.simulator("instances")} == {
        one["id"]: one["state"] for one in machines
    }
    again = Live(deployment, tenant)
    path = f"/api/cloud/resources/{resource['resource']['id']}"
    again.finished(tenant.post(f"{path}/stop", None, 202)["operation"])
    assert tenant.get(path)["resource_status"] == "stopped"
    again.close()
