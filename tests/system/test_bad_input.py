"""Is every kind of bad input answered by a clear problem, with nothing stored, nothing leaked and no 500?

Routes, fields and ids come from the OpenAPI document of the running gateway: a new route is covered without a line here.
"""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.fixtures.live import Live
from tests.fixtures.stack import PASSWORD, Deployment, Tenant, expect
from tests.system.contract import Contract, Route
from tests.system.worlds import eventually

pytestmark = pytest.mark.system

REFUSALS = {400, 404, 409, 413, 415, 422}
UNKNOWN = "01980000-0000-7000-8000-00000000dead"


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    tenant = deployment.new_tenant("victims")
    yield tenant
    tenant.http.close()


@pytest.fixture(scope="module")
def rival(deployment: Deployment) -> Iterator[Tenant]:
    rival = deployment.new_tenant("intruders")
    yield rival
    rival.http.close()


@pytest.fixture(scope="module")
def contract(tenant: Tenant) -> Contract:
    return Contract(tenant.http)


@pytest.fixture(scope="module")
def things(deployment: Deployment, tenant: Tenant) -> dict[str, str]:
    """One id of every kind of thing, by the name of its path parameter."""
    live = Live(deployment, tenant)
    provider = tenant.post("/api/cloud/providers", deployment.provider_body(), 201)["id"]
    condition = {"metric": "cpu_utilization", "operator": ">=", "threshold": 0}
    rule = tenant.post("/api/cloud/monitoring/alert-rules", {"alert_name": "any", "alert_conditions": condition}, 201)
    body = {
        "provider_id": provider,
        "region": "us-east-1",
        "resource_name": "victim-1",
        "resource_type": "compute",
        "resource_subtype": "ec2_instance",
        "configuration": {"instance_type": "t3.micro"},
    }
    created = tenant.post("/api/cloud/resources", body, 202)
    channel = {"channel_type": "email", "name": "mail", "config": {"recipients": ["somebody@mail.example"]}}
    user = {
        "email": f"u-{secrets.token_hex(4)}@mail.example",
        "display_name": "U",
        "role": "viewer",
        "password": PASSWORD,
    }
    live.finished(created["operation"])
    place = {"provider_id": provider, "region_code": "us-east-1"}
    plan = tenant.post(
        "/api/cloud/disaster-recovery/plans",
        {
            "plan_name": "victims",
            "primary_region": place,
            "disaster_recovery_regions": [{**place, "region_code": "us-west-2"}],
            "resources": [created["resource"]["id"]],
        },
        201,
    )
    backup = live.event("backup.completed", timeout_s=120)["backup"]["id"]
    drill = tenant.post("/api/cloud/disaster-recovery/test", {"plan_id": plan["id"]}, 202)
    live.finished(drill["operation"], 180)
    alert = live.event("alert.fired", lambda e: e["alert"]["rule_id"] == rule["id"])["alert"]["id"]
    live.close()
    return {
        "organization": str(tenant.id),
        "user": tenant.post("/api/users", user, 201)["id"],
        "api_key": tenant.post("/api/api-keys", {"name": "k", "role": "viewer"}, 201)["id"],
        "operation": created["operation"]["id"],
        "provider": provider,
        "resource": created["resource"]["id"],
        "rule": rule["id"],
        "alert": alert,
        "channel": tenant.post("/api/notification-channels", channel, 201)["id"],
        "budget": tenant.post("/api/cloud/costs/budgets", {"budget_name": "b", "budget_amount": 100}, 201)["id"],
        "plan": plan["id"],
        "backup": backup,
        "drill": drill["drill"]["id"],
    }


def check_problem(answer: httpx.Response, what: str) -> dict[str, Any]:
    """A refusal in the shape of RFC 9457, without anything of our insides."""
    assert answer.status_code in REFUSALS, f"{what}: {answer.status_code} {answer.text[:500]}"
    assert answer.headers["Content-Type"].startswith("application/problem+json"), what
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["code"]
    assert problem["correlation_id"]
    for leak in ("Traceback", "psycopg", "sqlalchemy", "pydantic.dev", "/site-packages/", "nats:"):
        assert leak not in answer.text, what
    return problem


def stored(tenant: Tenant, contract: Contract) -> dict[str, int]:
    """How many things every list shows, but for those that grow by themselves."""
    grows = ("/api/audit", "/api/cloud/monitoring/alerts", "/api/operations")
    found = {}
    for route in contract.routes:
        if route.method == "get" and not route.parameters and route.path not in grows:
            answer = tenant.http.get(route.path, params={"limit": 200})
            if answer.status_code == 200 and "items" in answer.json():
                found[route.path] = len(answer.json()["items"])
    return found


def send(tenant: Tenant, route: Route, things: dict[str, str], body: Any) -> httpx.Response:
    path = route.at(**{name: things[name] for name in route.parameters})
    return tenant.http.request(
        route.method.upper(), path, content=json.dumps(body), headers={"Content-Type": "application/json"}
    )


def test_every_field_of_every_body_refuses_what_does_not_fit(
    tenant: Tenant, contract: Contract, things: dict[str, str]
) -> None:
    before = stored(tenant, contract)
    tried = 0
    for route in contract.routes:
        if route.body is None:
            continue
        for wrong, body in contract.broken_bodies(route):
            if body is None and route.path.endswith(("/stop", "/resolve")):
                continue  # these need no body
            problem = check_problem(send(tenant, route, things, body), f"{route.name}: {wrong}")
            assert problem["status"] in {400, 422}, f"{route.name}: {wrong}: {problem}"
            tried += 1
    assert tried > 300
    assert stored(tenant, contract) == before


def test_every_query_parameter_refuses_what_does_not_fit(
    tenant: Tenant, contract: Contract, things: dict[str, str]
) -> None:
    tried = 0
    for route in contract.routes:
        if route.method != "get":
            continue
        path = route.at(**{name: things[name] for name in route.parameters})
        for parameter in contract.document["paths"][route.path]["get"].get("parameters", []):
            if parameter["in"] != "query":
                continue
            kind = contract.resolved(parameter["schema"])
            wrong: list[str] = ["x" * 3000] if kind.get("type") == "string" else ["many", "-1", "1e99"]
            for value in wrong if kind.get("type") in {"string", "integer"} else []:
                answer = tenant.http.get(path, params={parameter["name"]: value})
                check_problem(answer, f"{route.name}?{parameter['name']}={value[:20]}")
                tried += 1
    assert tried > 50


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b'{"display_name": "\xff\xfe"}', 400),
        (b'{"display_name": "\\ud800"}', 422),
        (b"[" * 100_000, 400),
        (b'{"cost_budget": 1e999}', 422),
        (b'{"cost_budget": NaN}', 422),
        (b'{"display_name": "a", "display_name": 5}', 422),
    ],
)
def test_what_is_no_json_or_no_text_is_refused(
    tenant: Tenant, things: dict[str, str], body: bytes, status: int
) -> None:
    path = f"/api/cloud/providers/{things['provider']}"
    answer = tenant.http.put(path, content=body, headers={"Content-Type": "application/json"})
    problem = check_problem(answer, repr(body[:30]))
    assert problem["status"] in {400, status}
    assert tenant.get(path)["display_name"] == "AWS production"


def test_a_body_of_ten_megabytes_is_refused_whether_it_says_its_length_or_not(tenant: Tenant) -> None:
    headers = {"Content-Type": "application/json"}
    large = b'{"display_name": "' + b"x" * 10_000_000 + b'"}'
    chunks = (large[start : start + 65_536] for start in range(0, len(large), 65_536))
    for content in (large, chunks):
        try:
            answer = tenant.http.post("/api/cloud/providers", content=content, headers=headers)
        except httpx.WriteError:  # it closed the connection while we still wrote, which is its right
            continue
        assert check_problem(answer, "10 MB")["status"] == 413
    assert tenant.get("/api/auth/me")["organization_id"] == str(tenant.id)


def test_another_media_type_is_refused(tenant: Tenant) -> None:
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        answer = tenant.http.post("/api/cloud/providers", content=b"a=b", headers={"Content-Type": kind})
        check_problem(answer, kind)


def test_things_of_another_organization_are_not_found_on_any_route(
    rival: Tenant, tenant: Tenant, contract: Contract, things: dict[str, str]
) -> None:
    """Reads, changes and removals; the owner's own read of the same address works."""
    routes = [route for route in contract.routes if route.parameters]
    for route in routes:
        answer = send(rival, route, things, route.example)
        assert answer.status_code == 404, f"{route.name}: {answer.status_code} {answer.text[:300]}"
        check_problem(answer, route.name)
    for route in routes:
        if route.method == "get":
            expect(tenant.http.get(route.at(**{name: things[name] for name in route.parameters})), 200)
    assert len(routes) > 25


def test_things_of_another_organization_cannot_be_named_in_a_body(
    deployment: Deployment, rival: Tenant, things: dict[str, str]
) -> None:
    place = {"provider_id": things["provider"], "region_code": "us-east-1"}
    resource = {
        "provider_id": things["provider"],
        "region": "us-east-1",
        "resource_name": "mine-now",
        "resource_type": "compute",
        "resource_subtype": "ec2_instance",
        "configuration": {"instance_type": "t3.micro"},
    }
    condition = {"metric": "cpu_utilization", "operator": ">", "threshold": 1}
    plan = {"plan_name": "p", "primary_region": place, "resources": [things["resource"]],
            "disaster_recovery_regions": [{**place, "region_code": "us-west-2"}]}  # fmt: skip
    bodies: dict[str, list[dict[str, Any]]] = {
        "/api/cloud/resources": [resource],
        "/api/cloud/disaster-recovery/plans": [plan],
        "/api/cloud/disaster-recovery/test": [{"plan_id": things["plan"]}],
        "/api/infrastructure/backups": [{"type": "snapshot", "target": things["resource"]}],
        "/api/cloud/monitoring/alert-rules": [
            {"alert_name": "r", "alert_conditions": condition, "resource_id": things["resource"]},
            {"alert_name": "r", "alert_conditions": condition, "notification_channels": [things["channel"]]},
        ],
    }
    for path, wanted in bodies.items():
        for body in wanted:
            assert check_problem(rival.http.post(path, json=body), f"{path} {body}")["status"] in {404, 422}
    before = len(deployment.simulator("instances"))
    assert rival.get("/api/cloud/resources")["items"] == []
    assert len(deployment.simulator("instances")) == before


def test_unknown_and_malformed_ids_are_told_apart(tenant: Tenant, contract: Contract) -> None:
    for route in contract.routes:
        if not route.parameters:
            continue
        unknown = send(tenant, route, dict.fromkeys(route.parameters, UNKNOWN), route.example)
        assert unknown.status_code == 404, f"{route.name}: {unknown.status_code} {unknown.text[:300]}"
        malformed = send(tenant, route, dict.fromkeys(route.parameters, "42"), route.example)
        assert malformed.status_code == 422, f"{route.name}: {malformed.status_code} {malformed.text[:300]}"


def test_no_route_but_signing_in_answers_without_a_genuine_key(
    deployment: Deployment, tenant: Tenant, contract: Contract
) -> None:
    forged = tenant.key[:-4] + ("aaaa" if not tenant.key.endswith("aaaa") else "bbbb")
    unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJvd25lciJ9."
    presented: list[dict[str, str]] = [
        {}, {"X-API-Key": forged}, {"X-API-Key": "cnp_"}, {"X-API-Key": "x" * 5000},
        {"Authorization": f"Bearer {unsigned}"}, {"Authorization": f"Bearer {_tampered(deployment, tenant)}"},
        {"Authorization": "Basic b3duZXI6b3duZXI="},
    ]  # fmt: skip
    with deployment.client() as anybody:
        for route in contract.routes:
            if contract.document["paths"][route.path][route.method].get("security") == []:
                continue
            for headers in presented:
                path = route.at(**dict.fromkeys(route.parameters, UNKNOWN))
                answer = anybody.request(route.method.upper(), path, json=route.example, headers=headers)
                assert answer.status_code == 401, f"{route.name} {headers}: {answer.status_code}"
                assert answer.headers["Content-Type"].startswith("application/problem+json")
                assert "WWW-Authenticate" in answer.headers


def _tampered(deployment: Deployment, tenant: Tenant) -> str:
    """A genuine access token whose claims were changed: another organization's."""
    with deployment.client() as anybody:
        session = anybody.post("/api/auth/token", json={"email": tenant.email, "password": PASSWORD})
    head, claims, signature = expect(session, 200)["access_token"].split(".")
    middle = len(claims) // 2
    changed = claims[:middle] + ("A" if claims[middle] != "A" else "B") + claims[middle + 1 :]
    return f"{head}.{changed}.{signature}"


def test_expired_and_revoked_keys_end(deployment: Deployment, tenant: Tenant) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    expiring = tenant.post("/api/api-keys", {"name": "short", "role": "viewer", "expires_at": soon}, 201)
    revoked = tenant.post("/api/api-keys", {"name": "gone", "role": "viewer"}, 201)
    with deployment.client(**{"X-API-Key": revoked["key"]}) as holder:
        expect(holder.get("/api/cloud/resources"), 200)
        expect(tenant.http.delete(f"/api/api-keys/{revoked['id']}"), 204)
        eventually(lambda: holder.get("/api/cloud/resources").status_code == 401)
    with deployment.client(**{"X-API-Key": expiring["key"]}) as holder:
        eventually(lambda: holder.get("/api/cloud/resources").status_code == 401)


def test_a_stale_if_match_changes_nothing(tenant: Tenant, things: dict[str, str]) -> None:
    paths = {
        f"/api/cloud/providers/{things['provider']}": {"description": "seen"},
        f"/api/cloud/resources/{things['resource']}": {"project": "seen"},
        f"/api/cloud/monitoring/alert-rules/{things['rule']}": {"description": "seen"},
        f"/api/notification-channels/{things['channel']}": {"name": "seen"},
        f"/api/cloud/costs/budgets/{things['budget']}": {"budget_name": "seen"},
        f"/api/cloud/disaster-recovery/plans/{things['plan']}": {"description": "seen"},
    }
    for path, body in paths.items():
        tag = tenant.http.get(path).headers["ETag"]
        expect(tenant.http.put(path, json=body, headers={"If-Match": tag}), 200)
        name, value = next(iter(body.items()))
        problem = expect(tenant.http.put(path, json={name: "lost"}, headers={"If-Match": tag}), 412)
        assert problem["code"] == "stale_version" or problem["code"], path
        assert tenant.get(path)[name] == value


def test_an_idempotency_key_stands_for_one_body(tenant: Tenant) -> None:
    body = {"budget_name": "once", "budget_amount": 5}
    key = secrets.token_hex(8)
    first = tenant.post("/api/cloud/costs/budgets", body, 201, **{"Idempotency-Key": key})
    assert tenant.post("/api/cloud/costs/budgets", body, 201, **{"Idempotency-Key": key}) == first
    other = {**body, "budget_amount": 6}
    tenant.post("/api/cloud/costs/budgets", other, 422, **{"Idempotency-Key": key})
    names = [one["budget_name"] for one in tenant.get("/api/cloud/costs/budgets")["items"]]
    assert names.count("once") == 1


def test_a_repeat_whose_answer_held_a_secret_is_refused_without_it(tenant: Tenant) -> None:
    key = {"Idempotency-Key": secrets.token_hex(8)}
    made = tenant.post("/api/api-keys", {"name": "twice", "role": "viewer"}, 201, **key)
    again = tenant.http.post("/api/api-keys", json={"name": "twice", "role": "viewer"}, headers=key)
    assert expect(again, 409)["code"] == "already_created"
    assert made["key"] not in again.text
