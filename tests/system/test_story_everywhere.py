"""Does the first story pass with each of the six clouds as the provider, all six at once on one running deployment?

The points are those of test_story.py, which goes deeper at AWS. A cloud that publishes no load of a machine within
minutes says so: health is unknown there, and no alert fires on what nobody measured.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local.clouds.gcp.accounts import new_key
from tests.fixtures.live import Live
from tests.fixtures.stack import Deployment, Tenant, expect
from tests.fixtures.tls import TLS
from tests.system.worlds import eventually

pytestmark = pytest.mark.system

PROVIDERS = "/api/cloud/providers"
RESOURCES = "/api/cloud/resources"
RULES = "/api/cloud/monitoring/alert-rules"
RECOVERY = "/api/cloud/disaster-recovery"
GONE = {"terminated", "deleted", "archive", "shutting-down", "deleting"}
LOAD_PERCENT = 97
MEASURED_WITHIN_S = 240
RECOVERED_WITHIN_S = 300


@dataclass(frozen=True)
class Place:
    """A cloud, where the machine is and where it is recovered; `period_s` None where no load is told within minutes."""

    cloud: str
    region: str
    other_region: str
    subtype: str
    instance_type: str
    period_s: int | None


PLACES = (
    Place("aws", "us-east-1", "us-west-2", "ec2_instance", "t3.micro", 5),
    Place("azure", "eastus", "westus2", "virtual_machine", "Standard_B1s", 60),
    Place("digitalocean", "nyc3", "ams3", "droplet", "s-1vcpu-1gb", 60),
    Place("gcp", "us-central1", "europe-west1", "gce_instance", "e2-micro", 60),
    Place("linode", "us-east", "eu-central", "linode", "g6-nanode-1", None),
    Place("vultr", "ewr", "fra", "vultr_instance", "vc2-1c-1gb", None),
)


class Story:
    """One organization that lives through everything at one cloud."""

    def __init__(self, deployment: Deployment, place: Place, tenant: Tenant) -> None:
        self.deployment = deployment
        self.place = place
        self.tenant = tenant
        self.live = Live(deployment, self.tenant)
        self.provider = ""
        self.resource: dict[str, Any] = {}

    @property
    def address(self) -> str:
        return f"{RESOURCES}/{self.resource['id']}"

    def close(self) -> None:
        self.live.close()
        self.tenant.http.close()

    def at_the_cloud(self, what: str, identifier: str) -> list[dict[str, Any]]:
        """The simulated cloud's own list: what carries an id."""
        stack, cloud = self.deployment.embedded, self.place.cloud
        url = self.deployment.simulator_url if cloud == "aws" else stack.cloud_urls[cloud]
        answer = httpx.get(f"{url}/_sim/{what}", timeout=30, trust_env=False, verify=TLS)
        return [each for each in expect(answer, 200)[what] if identifier in json.dumps(each)]

    def lives(self, machine_id: str) -> bool:
        machines = self.at_the_cloud("instances", machine_id)
        return any(str(each["state"]).lower() not in GONE for each in machines)

    def push(self, percent: float) -> None:
        """Hold the machine's processors at this load."""
        stack, cloud, body = self.deployment.embedded, self.place.cloud, {"cpu": percent}
        aws = cloud == "aws"
        url = f"{self.deployment.load_url}/load" if aws else f"{stack.cloud_urls[cloud]}/_sim/load"
        body |= {"instance_id": self.resource["resource_id"]}
        expect(httpx.post(url, json=body, timeout=30, trust_env=False, verify=TLS), 200)


def test_the_story_passes_with_each_cloud_as_provider(deployment: Deployment) -> None:
    tenants = [deployment.new_tenant(f"all-of-{place.cloud}") for place in PLACES]
    with ThreadPoolExecutor(len(PLACES)) as threads:
        futures = {
            place.cloud: threads.submit(live_through, deployment, place, tenant)
            for place, tenant in zip(PLACES, tenants, strict=True)
        }
    failed = {cloud: error for cloud, future in futures.items() if (error := future.exception()) is not None}
    for cloud, error in failed.items():
        error.add_note(f"at {cloud}")
    if failed:
        raise BaseExceptionGroup("the story ended early", list(failed.values()))


def live_through(deployment: Deployment, place: Place, tenant: Tenant) -> None:
    story = Story(deployment, place, tenant)
    try:
        for point in POINTS:
            point(story)
    finally:
        story.close()


def wrong_credentials_are_refused(story: Story) -> None:
    wrong = wrong_credentials(story.deployment, story.place.cloud)
    answer = story.tenant.http.post(PROVIDERS, json=provider_body(story, wrong))
    problem = expect(answer, 422)
    assert problem["code"] == "invalid_credentials"
    assert max(wrong.values(), key=len)[:40] not in answer.text
    assert story.tenant.get(PROVIDERS)["items"] == []


def a_provider_is_added_and_tested(story: Story) -> None:
    place = story.place
    provider = story.tenant.post(
        PROVIDERS, provider_body(story, credentials(story.deployment, place.cloud)), 201
    )  # fmt: skip
    story.provider = provider["id"]
    assert provider["health_status"] == "healthy"
    assert provider["capabilities"]["compute"] is True
    assert "credentials_config" not in provider
    regions = story.tenant.get(f"{PROVIDERS}/{story.provider}/regions")["items"]
    assert {place.region, place.other_region} <= {each["region_code"] for each in regions}
    assert story.tenant.post(f"{PROVIDERS}/{story.provider}/test-connection")["ok"] is True


def a_machine_is_provisioned(story: Story) -> None:
    body = {
        "provider_id": story.provider,
        "region": story.place.region,
        "resource_name": "web-1",
        "resource_type": "compute",
        "resource_subtype": story.place.subtype,
        "configuration": {"instance_type": story.place.instance_type},
        "environment": "production",
        "tags": {"team": "Müller 結婚式"},
    }
    accepted = story.tenant.post(RESOURCES, body, 202)
    story.live.finished(accepted["operation"])
    story.resource = story.tenant.get(f"{RESOURCES}/{accepted['resource']['id']}")
    assert story.resource["resource_status"] == "running"
    [machine] = story.at_the_cloud("instances", story.resource["resource_id"])
    assert {"Name": "web-1", "team": "Müller 結婚式"}.items() <= machine["tags"].items()
    assert expect(story.tenant.http.delete(f"{PROVIDERS}/{story.provider}"), 409)["code"] == "active_resources"


def its_load_is_watched(story: Story) -> None:
    """The load is there from now on, and heard of while the rest goes on."""
    rule = {
        "alert_name": f"CPU at {story.place.cloud}",
        "severity_level": "critical",
        "alert_conditions": {"metric": "cpu_utilization", "operator": ">", "threshold": 90, "for_seconds": 0},
        "resource_id": story.resource["id"],
    }
    story.tenant.post(RULES, rule, 201)
    story.push(LOAD_PERCENT)


def its_cost_is_known_or_said_to_be_unknown(story: Story) -> None:
    """A price that nobody wrote down is a reason in the overview, never a zero that looks like a price."""

    def metered() -> Any:
        overview = story.tenant.get("/api/cloud/costs/overview")
        return overview if overview["basis"]["metered_resources"] + overview["basis"]["unpriced_resources"] else None

    basis = eventually(metered)["basis"]
    if basis["unpriced_resources"]:
        assert basis["unpriced"]
        assert all("no price for" in reason for reason in basis["unpriced"]), basis
        assert any("without a known price" in each for each in basis["not_included"]), basis
        return

    def spent() -> Any:
        shares = story.tenant.get("/api/cloud/costs/overview")["by_provider"]
        return shares if shares and shares[0]["cost_usd"] > 0 else None

    assert [share["name"] for share in eventually(spent)] == [story.place.cloud]


def a_plan_has_its_backup_in_the_other_region(story: Story) -> None:
    place = story.place
    body = {
        "plan_name": "web",
        "plan_type": "backup_restore",
        "primary_region": {"provider_id": story.provider, "region_code": place.region},
        "disaster_recovery_regions": [{"provider_id": story.provider, "region_code": place.other_region}],
        "resources": [story.resource["id"]],
        "recovery_objectives": {"rto_minutes": 60, "rpo_minutes": 60},
    }
    plan = story.tenant.post(f"{RECOVERY}/plans", body, 201)
    done = story.live.event("backup.", lambda e: _has_ended(e["backup"], plan["id"]), RECOVERED_WITHIN_S)["backup"]
    assert done["status"] == "completed", done
    assert set(done["location"]) == {place.region, place.other_region}
    assert done["method"] == ("snapshot" if place.cloud in {"aws", "azure", "gcp"} else "image")
    [part] = done["snapshots"]
    assert part["is_root"]
    copied = part["copies"][place.other_region].rpartition("/")[2]
    assert story.at_the_cloud("snapshots", copied)


def _has_ended(backup: dict[str, Any], plan: str) -> bool:
    return backup["plan_id"] == plan and backup["status"] in {"completed", "failed"}


def a_drill_restores_in_isolation_and_cleans_up(story: Story) -> None:
    plan = story.tenant.get(f"{RECOVERY}/plans")["items"][0]
    accepted = story.tenant.post(f"{RECOVERY}/test", {"plan_id": plan["id"]}, 202)
    story.live.finished(accepted["operation"], RECOVERED_WITHIN_S)
    drill = story.tenant.get(f"{RECOVERY}/tests/{accepted['drill']['id']}")
    assert drill["test_successful"] is True, drill
    assert all(check["passed"] for check in drill["checks"])
    assert drill["not_checked"]
    assert drill["actual_rto_s"] > 0
    assert drill["not_cleaned"] == []
    restored = drill["restored"][0]["machine_id"]
    assert restored != story.resource["resource_id"]
    eventually(lambda: not story.lives(restored))


def the_load_has_fired_or_is_unknown(story: Story) -> None:
    resource, rule = story.resource["id"], f"CPU at {story.place.cloud}"
    if story.place.period_s is None:
        known = story.tenant.get(story.address)
        assert known["health_status"] == "unknown"
        assert not known["performance_metrics"]
        assert story.live.heard("alert.fired", lambda e: e["alert"]["resource_id"] == resource) == []
        return
    fired = story.live.event("alert.fired", lambda e: e["alert"]["alert_name"] == rule, MEASURED_WITHIN_S)["alert"]
    assert fired["current_value"] == pytest.approx(LOAD_PERCENT, abs=2)
    known = eventually(lambda: _measured(story), MEASURED_WITHIN_S)
    assert known["performance_metrics"]["cpu_utilization"] > 0
    assert known["health_status"] in {"healthy", "warning", "critical"}


def _measured(story: Story) -> dict[str, Any] | None:
    """The resource once its load is shown: the alert's owner and the resource's are two services."""
    known: dict[str, Any] = story.tenant.get(story.address)
    return known if "cpu_utilization" in (known["performance_metrics"] or {}) else None


def it_is_stopped_started_and_terminated(story: Story) -> None:
    for action, state in (("stop", "stopped"), ("start", "running")):
        story.live.finished(story.tenant.post(f"{story.address}/{action}", {}, 202)["operation"])
        assert story.tenant.get(story.address)["resource_status"] == state
    story.live.finished(expect(story.tenant.http.delete(story.address), 202)["operation"])
    assert story.tenant.get(story.address)["resource_status"] == "terminated"
    eventually(lambda: not story.lives(story.resource["resource_id"]))
    expect(story.tenant.http.delete(f"{PROVIDERS}/{story.provider}"), 200)
    assert story.tenant.get(PROVIDERS)["items"] == []
    assert story.live.organizations() == {story.tenant.id}


POINTS: tuple[Callable[[Story], None], ...] = (
    wrong_credentials_are_refused,
    a_provider_is_added_and_tested,
    a_machine_is_provisioned,
    its_load_is_watched,
    its_cost_is_known_or_said_to_be_unknown,
    a_plan_has_its_backup_in_the_other_region,
    a_drill_restores_in_isolation_and_cleans_up,
    the_load_has_fired_or_is_unknown,
    it_is_stopped_started_and_terminated,
)


def provider_body(story: Story, configuration: dict[str, str]) -> dict[str, Any]:
    place = story.place
    period = {} if place.period_s is None else {"metrics_period_s": place.period_s}
    return {
        "provider_name": place.cloud,
        "display_name": f"{place.cloud} of {story.tenant.slug}",
        "regions": [place.region, place.other_region],
        "credentials_config": configuration,
        **period,
    }


def credentials(deployment: Deployment, cloud: str) -> dict[str, str]:
    """Those of an account that may do everything and belongs to no tenant of the demonstration."""
    if cloud == "aws":
        return dict(deployment.provider_body()["credentials_config"])
    known = [each for each in deployment.embedded.other_accounts if each.provider == cloud and each.may_be_used]
    return dict(known[-1].credentials)


def wrong_credentials(deployment: Deployment, cloud: str) -> dict[str, str]:
    """Of the right form, and known to nobody."""
    known = credentials(deployment, cloud)
    wrong = {
        "aws": {"secret_access_key": "not the secret at all 0123456789"},
        "azure": {"client_secret": "not-the-secret-at-all-0123456789"},
        "gcp": {"service_account_key": json.dumps(new_key("stranger", known.get("project_id", "")))},
    }
    return known | wrong.get(cloud, {"token": "not-the-token-at-all-0123456789"})
