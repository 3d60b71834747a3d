"""Is one provisioning one trace, from the HTTP request through NATS and the SDK call to the last subscriber?

And one correlation id, in the log lines of each service that took part.
"""

import json
import secrets
from uuid import uuid4

import pytest

from shared.messages.resources import ProvisionResource, ResourceStarted
from tests.fixtures.collector import Span
from tests.fixtures.live import Live
from tests.fixtures.stack import Deployment, expect

pytestmark = pytest.mark.system

ROOT = "canopy-gateway: HTTP POST /api/cloud/resources"
CALL = "aws ec2 RunInstances"
SUBSCRIBERS = ("canopy-monitor", "canopy-costs", "canopy-recovery")


def ancestors(span: Span, spans: dict[str, Span]) -> list[str]:
    """Services and names from a span up to the root."""
    found = []
    while span.parent in spans:
        span = spans[span.parent]
        found.append(f"{span.service}: {span.name}")
    return found


def test_a_provisioning_is_one_trace_up_to_the_last_subscriber(deployment: Deployment) -> None:
    collector = deployment.spans
    if collector is None:
        pytest.skip("needs a collector of its own")
    tenant = deployment.new_tenant("traced")
    live = Live(deployment, tenant)
    provider = tenant.post("/api/cloud/providers", deployment.provider_body(), 201)
    trace = secrets.token_hex(16)
    body = {
        "provider_id": provider["id"],
        "region": "us-east-1",
        "resource_name": "traced-1",
        "resource_type": "compute",
        "resource_subtype": "ec2_instance",
        "configuration": {"instance_type": "t3.micro"},
    }
    correlation_id = str(uuid4())
    caller = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01", "X-Correlation-ID": correlation_id}
    accepted = expect(tenant.http.post("/api/cloud/resources", json=body, headers=caller), 202)
    live.finished(accepted["operation"])
    live.close()

    def last_ones(spans: list[Span]) -> dict[str, Span]:
        """The end of each way: the machine's creation at the cloud, and what each subscriber did with its start."""
        mine = [span for span in spans if span.trace == trace]
        started = {span.service: span for span in mine if span.name == f"event {ResourceStarted.pattern()}"}
        return started | {span.name: span for span in mine if span.name == CALL}

    def complete(spans: list[Span]) -> bool:
        """Each process hands its spans over when its own batch is full: an end can arrive before what it hangs on."""
        ends = last_ones(spans)
        by_id = {span.id: span for span in spans if span.trace == trace}
        return {*SUBSCRIBERS, CALL} <= ends.keys() and all(ROOT in ancestors(span, by_id) for span in ends.values())

    spans = collector.spans_when(complete)
    asked = [span.name for span in spans if span.trace == trace and span.service == "canopy-gateway"]
    assert [name for name in asked if "/api/cloud/resources" in name] == ["HTTP POST /api/cloud/resources"]
    by_id = {span.id: span for span in spans if span.trace == trace}
    work = f"canopy-provisioner: command {ProvisionResource.pattern()}"
    for name, span in last_ones(spans).items():
        way = ancestors(span, by_id)
        assert way[-1] == ROOT, f"{name}: {way}"
        assert work in way, f"{name}: {way}"
    assert logged(deployment, "gateway", correlation_id) == [("request done", trace)]
    assert ("command done", trace) in logged(deployment, "provisioner", correlation_id)


def logged(deployment: Deployment, program: str, correlation_id: str) -> list[tuple[str, str]]:
    """What a program's log says under a correlation id, and in which trace."""
    lines = (deployment.embedded.home / "logs" / f"{program}.log").read_text().splitlines()
    found = [json.loads(line) for line in lines if correlation_id in line]
    return [(line["event"], line["trace_id"]) for line in found if line["correlation_id"] == correlation_id]
