"""Does the first story work, all eight points of it, over HTTP and in this order, on one running deployment?

A second organization lives through the same meanwhile: nothing of it may be seen. The points build on each other; what
one made is in `Story`.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.fixtures.live import Live
from tests.fixtures.stack import Deployment, Tenant, expect
from tests.system.bus import told
from tests.system.worlds import World, eventually

pytestmark = pytest.mark.system

PROVIDERS = "/api/cloud/providers"
RESOURCES = "/api/cloud/resources"
ALERTS = "/api/cloud/monitoring/alerts"
RULES = "/api/cloud/monitoring/alert-rules"
CHANNELS = "/api/notification-channels"
RECOVERY = "/api/cloud/disaster-recovery"
SIGNING_KEY = b"a signing key of thirty-two bytes"


class Story:
    """One organization, what it hears, what the outside sees, and the ids that later points need."""

    def __init__(self, deployment: Deployment, name: str) -> None:
        self.deployment = deployment
        self.tenant: Tenant = deployment.new_tenant(name)
        self.live = Live(deployment, self.tenant)
        # Part of the addresses is a secret, as in Slack's own.
        self.world = World(deployment, f"{self.tenant.slug}-{secrets.token_urlsafe(12)}")
        self.provider = ""
        self.resource = ""
        self.machine = ""
        self.channels: dict[str, str] = {}
        self.alert: dict[str, Any] = {}

    def add_provider(self) -> dict[str, Any]:
        provider: dict[str, Any] = self.tenant.post(PROVIDERS, self.deployment.provider_body(), 201)
        self.provider = provider["id"]
        return provider

    def resource_body(self, name: str) -> dict[str, Any]:
        return {
            "provider_id": self.provider,
            "region": "us-east-1",
            "resource_name": name,
            "resource_type": "compute",
            "resource_subtype": "ec2_instance",
            "configuration": {"instance_type": "t3.micro"},
            "environment": "production",
            "tags": {"team": "photos"},
        }

    def provision(self, name: str) -> dict[str, Any]:
        """The resource as it is when its operation has succeeded."""
        accepted = self.tenant.post(RESOURCES, self.resource_body(name), 202)
        self.live.finished(accepted["operation"])
        found: dict[str, Any] = self.tenant.get(f"{RESOURCES}/{accepted['resource']['id']}")
        return found

    def change(self, method: str, path: str) -> None:
        accepted = expect(self.tenant.http.request(method, path), 202)
        self.live.finished(accepted["operation"])

    def machine_state(self) -> dict[str, Any]:
        return next(one for one in self.deployment.simulator("instances") if one["id"] == self.machine)

    def close(self) -> None:
        self.live.close()
        self.tenant.http.close()


@pytest.fixture(scope="module")
def story(deployment: Deployment) -> Iterator[Story]:
    story = Story(deployment, "photos")
    yield story
    story.close()


@pytest.fixture(scope="module")
def other(deployment: Deployment) -> Iterator[tuple[Story, "Future[None]"]]:
    """Another organization, whose own story goes on in a thread meanwhile."""
    other = Story(deployment, "rivals")

    def live_through() -> None:
        other.add_provider()
        other.resource = other.provision("rival-1")["id"]
        body = {"budget_name": "rivals", "budget_amount": 0.0001, "alert_thresholds": [1]}
        other.tenant.post("/api/cloud/costs/budgets", body, 201)
        other.live.event("alert.fired")
        other.change("DELETE", f"{RESOURCES}/{other.resource}")

    with ThreadPoolExecutor(1) as thread:
        yield other, thread.submit(live_through)
        other.close()


def test_1_wrong_credentials_are_refused_and_nothing_is_stored(story: Story) -> None:
    wrong = {"access_key_id": story.deployment.access_key_id, "secret_access_key": "not the secret at all 0123456789"}
    body = story.deployment.provider_body(credentials_config=wrong)
    answer = story.tenant.http.post(PROVIDERS, json=body)
    problem = expect(answer, 422)
    assert problem["code"] == "invalid_credentials"
    assert problem["detail"] == "Invalid cloud provider credentials"
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert story.tenant.get(PROVIDERS)["items"] == []


def test_1_a_provider_is_added_with_its_regions_tested_and_updated(story: Story) -> None:
    provider = story.add_provider()
    assert provider["health_status"] == "healthy"
    assert provider["capabilities"]["compute"] is True
    assert provider["regions"] == ["us-east-1", "us-west-2"]
    assert "credentials_config" not in provider
    regions = {
        region["region_code"]: region for region in story.tenant.get(f"{PROVIDERS}/{story.provider}/regions")["items"]
    }
    assert {"us-east-1", "us-west-2"} <= regions.keys()
    assert "us-east-1a" in regions["us-east-1"]["availability_zones"]
    tested = story.tenant.post(f"{PROVIDERS}/{story.provider}/test-connection")
    assert tested["ok"] is True
    assert tested["latency_ms"] > 0
    changed = story.tenant.http.put(f"{PROVIDERS}/{story.provider}", json={"display_name": "AWS of photos"})
    assert expect(changed, 200)["display_name"] == "AWS of photos"
    assert story.live.event("provider.added")["provider"]["id"] == story.provider
    assert story.live.event("provider.updated")["provider"]["display_name"] == "AWS of photos"


def test_2_an_instance_is_provisioned_with_its_tags(story: Story, other: tuple[Story, "Future[None]"]) -> None:
    resource = story.provision("web-1")
    story.resource, story.machine = resource["id"], resource["resource_id"]
    assert resource["resource_status"] == "running"
    machine = story.machine_state()
    assert machine["state"] == "running"
    wanted = {"Name": "web-1", "Environment": "production", "Project": story.tenant.slug, "team": "photos"}
    assert wanted.items() <= machine["tags"].items()
    assert machine["client_token"]
    kinds = [frame["type"] for frame in story.live.heard("resource.", lambda e: e["aggregate_id"] == story.resource)]
    assert kinds.index("resource.requested.v1") < kinds.index("resource.started.v1")


def test_2_it_is_stopped_and_started(story: Story) -> None:
    story.change("POST", f"{RESOURCES}/{story.resource}/stop")
    assert story.tenant.get(f"{RESOURCES}/{story.resource}")["resource_status"] == "stopped"
    assert story.machine_state()["state"] == "stopped"
    story.change("POST", f"{RESOURCES}/{story.resource}/start")
    assert story.tenant.get(f"{RESOURCES}/{story.resource}")["resource_status"] == "running"
    assert story.machine_state()["state"] == "running"


def test_2_lists_are_filtered_and_paged_and_what_is_terminated_is_gone_at_the_cloud(story: Story) -> None:
    second = story.provision("worker-1")
    found = story.tenant.get(RESOURCES, limit=1, sort="resource_name")
    assert [one["resource_name"] for one in found["items"]] == ["web-1"]
    rest = story.tenant.get(RESOURCES, limit=1, sort="resource_name", cursor=found["next_cursor"])
    assert [one["resource_name"] for one in rest["items"]] == ["worker-1"]
    filters: list[dict[str, Any]] = [
        {"q": "work"}, {"tag": "team=photos", "q": "worker"}, {"resource_status": "running", "q": "worker"},
    ]  # fmt: skip
    for chosen in filters:
        assert [one["id"] for one in story.tenant.get(RESOURCES, **chosen)["items"]] == [second["id"]]
    assert story.tenant.get(RESOURCES, environment="staging")["items"] == []
    story.change("DELETE", f"{RESOURCES}/{second['id']}")
    assert story.tenant.get(f"{RESOURCES}/{second['id']}")["resource_status"] == "terminated"
    states = {one["id"]: one["state"] for one in story.deployment.simulator("instances")}
    assert states[second["resource_id"]] in {"shutting-down", "terminated"}


def test_1_a_provider_with_active_resources_is_not_removed(story: Story) -> None:
    problem = expect(story.tenant.http.delete(f"{PROVIDERS}/{story.provider}"), 409)
    assert problem["code"] == "active_resources"
    assert story.tenant.get(f"{PROVIDERS}/{story.provider}")["is_active"] is True


def test_3_metrics_and_health_appear(story: Story) -> None:
    story.live.watch(story.resource)
    point = story.live.event("metrics")
    assert point["resource_id"] == story.resource
    health = story.live.event("resource.health_changed", lambda e: e["resource_id"] == story.resource)
    assert 0 <= health["health_score"] <= 100
    measured = eventually(lambda: story.tenant.get(f"{RESOURCES}/{story.resource}")["performance_metrics"])
    assert "cpu_utilization" in measured
    assert story.tenant.get(f"{RESOURCES}/{story.resource}")["health_status"] in {"healthy", "warning", "critical"}
    hour = {"start": "2020-01-01T00:00:00Z", "end": "2020-01-01T01:00:00Z", "interval": "1m"}
    assert story.tenant.get(f"{RESOURCES}/{story.resource}/metrics", **hour)["points"] == []
    points = story.tenant.get(f"{RESOURCES}/{story.resource}/metrics", interval="1m", aggregation="max")["points"]
    assert points[-1]["values"]["cpu_utilization"] > 0


def test_4_load_fires_user_and_default_rules_once_and_all_three_channels_hear(story: Story) -> None:
    world = story.world
    secret = "whsec_" + base64.b64encode(SIGNING_KEY).decode()
    configs: dict[str, dict[str, Any]] = {
        "slack": {"webhook_url": world.slack_url},
        "email": {"recipients": [world.mail_address]},
        "webhook": {"url": world.webhook_url, "signing_secret": secret},
    }
    for kind, config in configs.items():
        made = story.tenant.post(CHANNELS, {"channel_type": kind, "name": f"our {kind}", "config": config}, 201)
        story.channels[kind] = made["id"]
        assert world.name not in json.dumps(made["config"]) or kind == "email"
    rule = story.tenant.post(
        RULES,
        {
            "alert_name": "CPU of web-1",
            "severity_level": "critical",
            "alert_conditions": {"metric": "cpu_utilization", "operator": ">", "threshold": 90, "for_seconds": 0},
            "resource_id": story.resource,
        },
        201,
    )
    world.refuse(f"/slack/{world.name}", 429, retry_after_s=1)
    world.push(story.machine, cpu=97)
    story.alert = story.live.event("alert.fired", lambda e: e["alert"]["rule_id"] == rule["id"])["alert"]
    assert story.alert["current_value"] == pytest.approx(97, abs=2)
    default = story.live.event("alert.fired", lambda e: _is_default(e["alert"], story.resource, rule["id"]))["alert"]
    assert default["metric"] == "cpu_utilization"
    slack = world.receives("slack", lambda body: "CPU of web-1" in body)
    _check_block_kit(slack["document"], story.resource)
    mail = world.receives("email", lambda body: "CPU of web-1" in body)
    assert "90" in mail["document"]["text"]
    _check_signature(world.receives("webhook", lambda body: "CPU of web-1" in body))
    active = story.tenant.get(ALERTS, status="active", rule_id=rule["id"])["items"]
    assert [alert["id"] for alert in active] == [story.alert["id"]]


def _is_default(alert: dict[str, Any], resource: str, own_rule: str) -> bool:
    return alert["resource_id"] == resource and alert["rule_id"] != own_rule and alert["metric"] == "cpu_utilization"


def _check_block_kit(document: dict[str, Any], resource: str) -> None:
    blocks = document["attachments"][0]["blocks"]
    assert [block["type"] for block in blocks][:2] == ["header", "section"]
    shown = json.dumps(blocks)
    for part in ("critical", resource, "cpu_utilization = 97", "&gt; 90", "Open in Canopy"):
        assert part in shown


def _check_signature(message: dict[str, Any]) -> None:
    headers = message["headers"]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{message['body']}".encode()
    expected = base64.b64encode(hmac.digest(SIGNING_KEY, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_4_every_attempt_is_on_record_and_the_refused_one_was_repeated(story: Story) -> None:
    def delivered() -> list[dict[str, Any]]:
        path = f"{CHANNELS}/{story.channels['slack']}/deliveries"
        found: list[dict[str, Any]] = story.tenant.get(path, status="sent")["items"]
        return [one for one in found if one["attempt"] == 2]

    attempts = eventually(delivered)[0]["attempts"]
    assert [attempt["response_status"] for attempt in attempts] == [429, 200]


def test_4_it_is_acknowledged_and_resolves_when_the_load_falls(story: Story) -> None:
    alert = f"{ALERTS}/{story.alert['id']}"
    assert story.tenant.post(f"{alert}/ack")["status"] == "acknowledged"
    story.live.event("alert.acknowledged", lambda e: e["alert"]["id"] == story.alert["id"])
    story.world.push(story.machine, cpu=12)
    resolved = story.live.event("alert.resolved", lambda e: e["alert"]["id"] == story.alert["id"])["alert"]
    assert resolved["resolved_at"] is not None
    assert story.tenant.get(alert)["status"] == "resolved"
    story.world.receives("slack", lambda body: "[RESOLVED] CPU of web-1" in body)
    fired = story.live.heard("alert.fired", lambda e: e["alert"]["rule_id"] == story.alert["rule_id"])
    assert len(fired) == 1
    assert len(story.world.received("slack", lambda body: "[CRITICAL] CPU of web-1" in body)) == 1


def test_5_costs_are_known_and_a_crossed_budget_is_told_in_slack(story: Story) -> None:
    def known() -> Any:
        overview = story.tenant.get("/api/cloud/costs/overview")
        return overview if overview["by_provider"] and overview["by_provider"][0]["cost_usd"] > 0 else None

    overview = eventually(known)
    assert overview["currency"] == "USD"
    assert overview["by_provider"][0]["name"] == "aws"
    assert float(overview["projected_month"]["amount"]) > 0
    assert [share["name"] for share in overview["by_environment"]] == ["production"]
    assert {share["name"] for share in overview["by_category"]} >= {"compute"}
    assert overview["basis"]["price_sources"]
    body = {"budget_name": "tiny", "budget_scope": "organization", "budget_amount": 0.0001, "alert_thresholds": [50]}
    budget = story.tenant.post("/api/cloud/costs/budgets", body, 201)
    crossed = story.live.event("budget.exceeded", lambda e: e["budget_id"] == budget["id"])
    assert float(crossed["spend"]) >= 0.00005
    alert = story.live.event("alert.fired", lambda e: e["alert"]["alert_type"] == "cost_threshold")["alert"]
    assert "tiny" in alert["alert_name"]
    story.world.receives("slack", lambda body: "tiny" in body)


def test_6_a_plan_has_its_backup_in_the_other_region(story: Story) -> None:
    plan = story.tenant.post(
        f"{RECOVERY}/plans",
        {
            "plan_name": "web",
            "plan_type": "backup_restore",
            "primary_region": {"provider_id": story.provider, "region_code": "us-east-1"},
            "disaster_recovery_regions": [{"provider_id": story.provider, "region_code": "us-west-2"}],
            "resources": [story.resource],
            "recovery_objectives": {"rto_minutes": 60, "rpo_minutes": 60},
        },
        201,
    )
    backup = story.live.event("backup.completed", lambda e: e["backup"]["plan_id"] == plan["id"], 120)["backup"]
    assert set(backup["location"]) >= {"us-west-2"}
    copies = {one["id"] for one in story.deployment.simulator("snapshots") if one["region"] == "us-west-2"}
    assert copies & {snapshot["copies"]["us-west-2"] for snapshot in backup["snapshots"]}


def test_6_a_drill_restores_in_isolation_measures_and_cleans_up(story: Story) -> None:
    plan = story.tenant.get(f"{RECOVERY}/plans")["items"][0]
    before = {one["id"] for one in story.deployment.simulator("instances")}
    accepted = story.tenant.post(f"{RECOVERY}/test", {"plan_id": plan["id"]}, 202)
    story.live.finished(accepted["operation"], 180)
    drill = story.tenant.get(f"{RECOVERY}/tests/{accepted['drill']['id']}")
    assert drill["test_successful"] is True, drill
    assert drill["checks"]
    assert all(check["passed"] for check in drill["checks"])
    assert drill["not_checked"]
    assert drill["actual_rto_s"] > 0
    assert drill["actual_rpo_s"] > 0
    assert drill["not_cleaned"] == []
    restored = [
        one for one in story.deployment.simulator("instances") if one["id"] == drill["restored"][0]["machine_id"]
    ]
    assert [(one["region"], one["id"] not in before) for one in restored] == [("us-west-2", True)]
    assert restored[0]["state"] in {"shutting-down", "terminated"}
    story.live.event("drill.completed", lambda e: e["aggregate_id"] == drill["id"])


def test_7_everything_was_heard_live_in_order_and_nothing_of_another_organization(
    story: Story, other: tuple[Story, "Future[None]"]
) -> None:
    rival, finished = other
    finished.result(timeout=120)
    assert story.live.organizations() == {story.tenant.id}
    assert rival.live.organizations() == {rival.tenant.id}
    late = sorted(arrival.late_s for arrival in story.live.event_arrivals())
    within = sum(each <= 1 for each in late)
    spread = f"{within} within 1 s; median {late[len(late) // 2]:.3f} s, slowest {late[-1]:.3f} s"
    print(f"\n{len(late)} events live, {spread}")  # noqa: T201
    stream = told(story.deployment.embedded, story.tenant.id)
    first = next(index for index, event in enumerate(stream) if event["type"] == "provider.added.v1")
    _check_heard(stream[first:], story.live)


def _check_heard(stream: list[dict[str, Any]], live: Live) -> None:
    """All that the stream holds was heard, and about each thing in the stream's order."""
    live.events("", len(stream), lambda data: "aggregate_id" in data)
    heard = [arrival.frame["data"] for arrival in live.event_arrivals()]
    assert {event["id"]: event["type"] for event in stream}.items() <= {e["id"]: e["type"] for e in heard}.items()
    known = {event["id"] for event in stream}
    for thing in {event["aggregate_id"] for event in stream}:
        wanted = [event["id"] for event in stream if event["aggregate_id"] == thing]
        assert [e["id"] for e in heard if e["aggregate_id"] == thing and e["id"] in known] == wanted


def test_7_a_thing_of_another_organization_is_not_found(story: Story, other: tuple[Story, "Future[None]"]) -> None:
    rival, _ = other
    for path in (f"{RESOURCES}/{story.resource}", f"{PROVIDERS}/{story.provider}", f"{ALERTS}/{story.alert['id']}"):
        expect(rival.tenant.http.get(path), 404)
    assert rival.world.received("slack") == []


def test_the_audit_log_has_it_all_and_its_chain_holds(story: Story) -> None:
    def recorded() -> set[str]:
        found = {entry["action"] for entry in story.tenant.get("/api/audit", limit=200)["items"]}
        wanted = {"provider.create", "provider.update", "resource.create", "resource.stop", "resource.start"}
        return found if wanted <= found else set()

    eventually(recorded)
    verified = story.tenant.get("/api/audit/verify")
    assert verified["valid"] is True
    assert verified["entries"] > 10


def test_2_the_instance_is_terminated_at_last_and_its_provider_removed(story: Story) -> None:
    story.change("DELETE", f"{RESOURCES}/{story.resource}")
    assert story.machine_state()["state"] in {"shutting-down", "terminated"}
    expect(story.tenant.http.delete(f"{PROVIDERS}/{story.provider}"), 200)
    assert story.tenant.get(PROVIDERS)["items"] == []
