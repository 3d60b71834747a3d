"""Does a resource get another size, or come in numbers, through the whole deployment: REST, cloud, costs, history?"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.stack import Deployment, Tenant, expect
from tests.system.worlds import eventually

pytestmark = pytest.mark.system

RESOURCES = "/api/cloud/resources"


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    tenant = deployment.new_tenant("growing")
    yield tenant
    tenant.http.close()


def ended(tenant: Tenant, operation: dict[str, Any]) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        found: dict[str, Any] = tenant.get(f"/api/operations/{operation['id']}")
        return found if found["status"] in {"succeeded", "failed"} else {}

    return eventually(look, 60)


@pytest.fixture(scope="module")
def address(deployment: Deployment, tenant: Tenant) -> str:
    """Where a running resource of t3.micro is."""
    provider = tenant.post("/api/cloud/providers", deployment.provider_body(), 201)
    body = {
        "provider_id": provider["id"], "region": "us-east-1", "resource_name": "growing-1", "resource_type": "compute",
        "resource_subtype": "ec2_instance", "configuration": {"instance_type": "t3.micro"},
    }  # fmt: skip
    accepted = tenant.post(RESOURCES, body, 202)
    assert ended(tenant, accepted["operation"])["status"] == "succeeded"
    return f"{RESOURCES}/{accepted['resource']['id']}"


def machine(deployment: Deployment, tenant: Tenant, address: str) -> tuple[str, str]:
    machine_id = tenant.get(address)["resource_id"]
    found = next(one for one in deployment.simulator("instances") if one["id"] == machine_id)
    return found["state"], found["instance_type"]


def costs(tenant: Tenant, address: str, instance_type: str) -> dict[str, Any]:
    """What an hour costs, once it is that of this type."""

    def look() -> dict[str, Any]:
        tracking: dict[str, Any] = tenant.get(address)["cost_tracking"]
        return tracking if instance_type in tracking.get("included", []) else {}

    return eventually(look)


def test_the_next_size_runs_and_is_paid_and_remembered(deployment: Deployment, tenant: Tenant, address: str) -> None:
    assert costs(tenant, address, "t3.micro")["hourly"] == 0.0104
    accepted = tenant.post(f"{address}/scale", {"action": "scale_up", "reason": "the party grows"}, 202)
    assert ended(tenant, accepted["operation"])["status"] == "succeeded"
    assert machine(deployment, tenant, address) == ("running", "t3.small")
    assert costs(tenant, address, "t3.small")["hourly"] == 0.0208

    def impact() -> dict[str, Any]:
        [kept] = tenant.get(f"{address}/scaling-history")["items"]
        assert (kept["action"], kept["success"], kept["reason"]) == ("scale_up", True, "the party grows")
        found: dict[str, Any] = kept["cost_impact"] or {}
        return found

    assert eventually(impact)["hourly_change"] == 0.0104


def test_a_desired_configuration_is_told_refused_or_brought_about(
    deployment: Deployment, tenant: Tenant, address: str
) -> None:
    desired = {"configuration": {"instance_type": "t3.nano"}, "environment": "staging"}
    planned = expect(tenant.http.put(address, json=desired, params={"dry_run": True}), 200)
    assert [each["field"] for each in planned["needs_stop"]] == ["/configuration/instance_type"]
    assert [each["field"] for each in planned["in_place"]] == ["/environment"]
    only_tags = expect(tenant.http.put(address, json={"tags": {"a": "b"}}, params={"dry_run": True}), 200)
    assert [each["field"] for each in only_tags["in_place"]] == ["/tags"]
    assert tenant.get(address)["tags"] == {}

    elsewhere = {"configuration": {"availability_zone": "us-east-1f"}, "environment": "staging"}
    refused = expect(tenant.http.put(address, json=elsewhere), 422)
    assert refused["code"] == "needs_replacement"
    assert [each["pointer"] for each in refused["errors"]] == ["/configuration/availability_zone"]
    assert tenant.get(address)["environment"] == "development"

    configured = expect(tenant.http.put(address, json=desired), 202)
    assert configured["resource"]["environment"] == "staging"
    assert ended(tenant, configured["operation"])["status"] == "succeeded"
    assert machine(deployment, tenant, address) == ("running", "t3.nano")
    found = tenant.get(address)
    same = expect(tenant.http.put(address, json={"configuration": found["configuration"]}), 200)
    assert (same["operation"], same["resource"]["version"]) == (None, found["version"])
    renamed = expect(tenant.http.put(address, json={"resource_name": "grown-1"}), 200)
    assert (renamed["id"], renamed["resource_name"]) == (found["id"], "grown-1")
    first = tenant.get(f"{address}/scaling-history", limit=1)
    second = tenant.get(f"{address}/scaling-history", limit=1, cursor=first["next_cursor"])
    assert [each["action"] for each in (*first["items"], *second["items"])] == ["scale_down", "scale_up"]


def test_a_fleet_is_ordered_by_rest_and_told_item_by_item(deployment: Deployment, tenant: Tenant, address: str) -> None:
    known = tenant.get(address)
    item = {name: known[name] for name in ("provider_id", "region", "resource_type", "resource_subtype")}
    bulk, policy = f"{RESOURCES}/bulk-provision", {"policy": "all_or_nothing"}
    wrong = [{**item, "resource_name": "a"}, {**item, "resource_name": "b", "region": "mars-1"}]
    refused = expect(tenant.http.post(bulk, json={"items": wrong, **policy}), 422)
    assert [each["pointer"] for each in refused["errors"]] == ["/items/1/region"]
    unknown = expect(
        tenant.http.post(bulk, json={"items": [{**item, "resource_name": "a", "resource_type": "x"}]}), 422
    )
    assert [each["pointer"] for each in unknown["errors"]] == ["/items/0/resource_type"]
    for items in ([], [{**item, "resource_name": "a"}] * 201):
        assert expect(tenant.http.post(bulk, json={"items": items}), 422)["errors"][0]["pointer"] == "/items"

    items = [{**item, "resource_name": "fleet-1"}, {**item, "resource_name": "fleet-2", "tags": {"a": "b"}}]
    accepted = expect(tenant.http.post(bulk, json={"items": items, **policy}), 202)
    operation = ended(tenant, accepted["operation"])
    assert (operation["kind"], operation["status"]) == ("fleet.provision", "succeeded")
    assert operation["progress"] == {"stage": None, "completed": 2, "total": 2}
    for each in operation["result"]["items"]:
        assert each["status"] == "placed"
        found = tenant.get(f"{RESOURCES}/{each['resource']}")
        assert (found["resource_status"], found["resource_id"]) == ("running", each["resource_id"])
        assert found["project"] == tenant.slug


def test_what_scaling_by_number_takes_and_who_may(deployment: Deployment, tenant: Tenant, address: str) -> None:
    for body, pointer in (
        ({"action": "scale_out", "instance_type": "t3.small"}, "/instance_type"),
        ({"action": "scale_up", "count": 2}, "/count"),
        ({"action": "scale_out", "count": 0}, "/count"),
        ({"action": "scale_sideways"}, "/action"),
    ):
        refused = expect(tenant.http.post(f"{address}/scale", json=body), 422)
        assert refused["errors"][0]["pointer"].startswith(pointer)
    keys = {role: tenant.post("/api/api-keys", {"name": role, "role": role}, 201)["key"] for role in ("ops", "viewer")}
    for key in keys.values():
        with deployment.client(**{"X-API-Key": key}) as client:
            assert client.post(f"{address}/scale", json={"action": "scale_out"}).status_code == 403
            item = {"provider_id": tenant.get(address)["provider_id"], "region": "us-east-1", "resource_name": "a",
                    "resource_type": "compute", "resource_subtype": "ec2_instance"}  # fmt: skip
            assert client.post(f"{RESOURCES}/bulk-provision", json={"items": [item]}).status_code == 403
            assert client.get(f"/api/cloud/providers/{item['provider_id']}/services").status_code == 200
    with deployment.client(**{"X-API-Key": keys["viewer"]}) as client:
        fleets = expect(client.get("/api/operations", params={"kind": "fleet.provision"}), 200)["items"]
        assert [each["status"] for each in fleets] == ["succeeded"]
