"""Does each cloud refuse what it should, through the API: expired credentials, and machines to who may only read?

What passes is told by test_story_everywhere.py; what each cloud's machines do is in tests/shared/clouds.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fixtures.live import Live
from tests.fixtures.stack import Deployment, Tenant

pytestmark = pytest.mark.system

MACHINES = {
    "azure": ("eastus", "virtual_machine"),
    "digitalocean": ("nyc3", "droplet"),
    "gcp": ("us-central1", "gce_instance"),
    "linode": ("us-east", "linode"),
    "vultr": ("ewr", "vultr_instance"),
}
ALL = {"aws": ("us-east-1", "ec2_instance"), **MACHINES}
TAGS = {"Name": "clouds-1", "Environment": "staging", "Project": "weddings", "team": "Müller 結婚式"}


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    tenant = deployment.new_tenant("everywhere")
    yield tenant
    tenant.http.close()


@pytest.fixture(scope="module")
def live(deployment: Deployment, tenant: Tenant) -> Iterator[Live]:
    live = Live(deployment, tenant)
    yield live
    live.close()


def account(deployment: Deployment, cloud: str, kind: str) -> dict[str, str]:
    """Credentials of an account that may do everything, that may read, or that is expired."""
    if cloud == "aws":
        scope = {"full": "full", "read": "read", "expired": "none"}[kind]
        key = next(each for each in deployment.embedded.accounts if each.scope == scope)
        return {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    known = [each for each in deployment.embedded.other_accounts if each.provider == cloud]
    fits = {
        "full": lambda each: each.may_be_used,
        "read": lambda each: not each.may_write and each.expires_s is None,
        "expired": lambda each: each.expires_s is not None,
    }[kind]
    return dict(next(each for each in reversed(known) if fits(each)).credentials)


def provider_body(deployment: Deployment, cloud: str, kind: str, **changes: Any) -> dict[str, Any]:
    return {
        "provider_name": cloud,
        "display_name": f"{cloud} ({kind})",
        "regions": [ALL[cloud][0]],
        "credentials_config": account(deployment, cloud, kind),
        **changes,
    }


def machine_body(provider: str, cloud: str) -> dict[str, Any]:
    region, subtype = ALL[cloud]
    return {
        "provider_id": provider,
        "region": region,
        "resource_name": TAGS["Name"],
        "resource_type": "compute",
        "resource_subtype": subtype,
        "environment": TAGS["Environment"],
        "project": TAGS["Project"],
        "tags": {"team": TAGS["team"]},
    }


def test_points_narrower_than_the_provider_has_them_are_refused_by_their_field(
    deployment: Deployment, tenant: Tenant
) -> None:
    body = provider_body(deployment, "linode", "full", metrics_period_s=60)
    answer = tenant.http.post("/api/cloud/providers", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/metrics_period_s")


@pytest.mark.parametrize("cloud", ALL)
def test_expired_credentials_are_refused_and_nothing_is_stored(
    deployment: Deployment, tenant: Tenant, cloud: str
) -> None:
    answer = tenant.http.post("/api/cloud/providers", json=provider_body(deployment, cloud, "expired"))
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "invalid_credentials"
    secret = max(account(deployment, cloud, "expired").values(), key=len)
    assert secret[:40] not in answer.text
    names = [each["display_name"] for each in tenant.get("/api/cloud/providers")["items"]]
    assert f"{cloud} (expired)" not in names


@pytest.mark.parametrize("cloud", ALL)
def test_a_read_only_account_reads_and_its_machine_ends_failed_with_the_reason(
    deployment: Deployment, tenant: Tenant, live: Live, cloud: str
) -> None:
    provider = tenant.post("/api/cloud/providers", provider_body(deployment, cloud, "read"), 201)
    accepted = tenant.post("/api/cloud/resources", machine_body(provider["id"], cloud), 202)
    failed = live.event("operation.failed", lambda data: data["operation"]["id"] == accepted["operation"]["id"])
    assert failed["operation"]["error"]["title"] == "PermissionDenied", failed
    assert tenant.get(f"/api/cloud/resources/{accepted['resource']['id']}")["resource_status"] == "error"
