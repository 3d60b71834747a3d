"""Is a secret that was entrusted to us, or shown once, found anywhere it does not belong? Canaries, looked for everywhere.

Each place is first shown to be searched at all: something that does belong there is found in the same way.
"""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.environment import SERVICES
from deploy.local.stack import Stack
from tests.fixtures.live import Live
from tests.fixtures.stack import PASSWORD, Deployment, Tenant, expect
from tests.system.contract import Contract

pytestmark = pytest.mark.system

WRONG_SECRET = f"wrong{secrets.token_hex(16)}"
SLACK_TOKEN = f"T0{secrets.token_hex(12)}"
SIGNING_SECRET = "whsec_" + "c2lnbmVkLXNpbmdlZC1zaWduZWQtc2lnbmVkLTEyMzQ="


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    """An organization that has entrusted everything that it can."""
    tenant = deployment.new_tenant("canaries")
    live = Live(deployment, tenant)
    wrong = {"access_key_id": deployment.access_key_id, "secret_access_key": WRONG_SECRET}
    tenant.post("/api/cloud/providers", deployment.provider_body(credentials_config=wrong), 422)
    provider = tenant.post("/api/cloud/providers", deployment.provider_body(display_name="Canary account"), 201)
    body = {"credentials_config": deployment.provider_body()["credentials_config"]}
    expect(tenant.http.put(f"/api/cloud/providers/{provider['id']}", json=body), 200)
    slack = {"webhook_url": f"{deployment.sinks_url}/slack/{SLACK_TOKEN}"}
    webhook = {"url": f"{deployment.sinks_url}/webhook/{SLACK_TOKEN}", "signing_secret": SIGNING_SECRET}
    for kind, config in {"slack": slack, "webhook": webhook}.items():
        channel = tenant.post("/api/notification-channels", {"channel_type": kind, "name": kind, "config": config}, 201)
        tenant.post(f"/api/notification-channels/{channel['id']}/test", None, 202)
    live.events("notification.sent", 2)
    resource = {
        "provider_id": provider["id"],
        "region": "us-east-1",
        "resource_name": "canary-1",
        "resource_type": "compute",
        "resource_subtype": "ec2_instance",
        "configuration": {"instance_type": "t3.micro"},
    }
    live.finished(tenant.post("/api/cloud/resources", resource, 202)["operation"])
    live.close()
    yield tenant
    tenant.http.close()


@pytest.fixture(scope="module")
def canaries(deployment: Deployment, tenant: Tenant) -> dict[str, str]:
    return {
        "the credentials": deployment.secret_access_key,
        "refused credentials": WRONG_SECRET,
        "a webhook's address": SLACK_TOKEN,
        "a signing secret": SIGNING_SECRET,
        "an API key": tenant.key.rpartition("_")[2],
        "a password": PASSWORD,
    }


def dumped(stack: Stack, service: str) -> bytes:
    """All rows of a service's database, as text."""
    command = [
        stack.postgres.binaries / "pg_dump",
        "--data-only",
        "--inserts",
        f"--dbname={stack.postgres.url(service)}",
    ]
    return subprocess.run(command, capture_output=True, check=True, env={"PATH": os.environ["PATH"]}).stdout


def everything_below(folder: Path) -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def found_in(text: bytes, canaries: dict[str, str]) -> list[str]:
    return [name for name, canary in canaries.items() if canary.encode() in text]


@pytest.mark.parametrize("service", SERVICES)
def test_no_database_holds_a_secret(
    deployment: Deployment, tenant: Tenant, canaries: dict[str, str], service: str
) -> None:
    text = dumped(deployment.embedded, service)
    assert str(tenant.id).encode() in text
    assert found_in(text, canaries) == []


def test_no_stream_holds_a_secret(deployment: Deployment, tenant: Tenant, canaries: dict[str, str]) -> None:
    text = everything_below(deployment.embedded.home / "nats" / "jetstream")
    assert b"Canary account" in text
    assert f"$KV.CREDENTIALS.{tenant.id}".encode() in text
    assert found_in(text, canaries) == []


def test_no_log_and_no_trace_holds_a_secret(deployment: Deployment, canaries: dict[str, str]) -> None:
    text = everything_below(deployment.embedded.home / "logs")
    assert b'"started"' in text
    assert found_in(text, canaries) == []
    assert deployment.spans is not None
    spans = deployment.spans.spans_when(lambda spans: any("RunInstances" in span.name for span in spans))
    assert found_in(repr(spans).encode(), canaries) == []


def test_no_answer_shows_a_secret(tenant: Tenant, canaries: dict[str, str]) -> None:
    """Every list and every thing on it."""
    text = ""
    for route in Contract(tenant.http).routes:
        if route.method == "get" and not route.parameters:
            answer = tenant.http.get(route.path)
            text += answer.text
            for item in answer.json().get("items", []) if answer.status_code == 200 else []:
                text += tenant.http.get(f"{route.path}/{item['id']}").text if "id" in item else json.dumps(item)
    assert "Canary account" in text
    assert found_in(text.encode(), canaries) == []
