"""Does every word of the `canopy` command do what the README and the runbooks say, on a running deployment?

The command runs in this process, because thirty interpreters would take half a minute; `./canopy` itself is started once.
"""

import asyncio
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import nats
import pytest

from deploy.command.app import main
from deploy.local.environment import ROOT, SERVICES
from deploy.local.stack import PROGRAMS, Stack
from shared.bus.settle import ATTEMPTS_HEADER, ERROR_HEADER
from shared.bus.topology import present_services
from shared.db.revisions import known
from shared.messages.context import Context
from shared.messages.headers import message_headers
from shared.messages.resources import ResourceHealthChanged
from shared.messages.subjects import dead_subject
from tests.fixtures.stack import Deployment, Tenant
from tests.system.worlds import eventually

pytestmark = pytest.mark.system

UNKNOWN = "01980000-0000-7000-8000-00000000dead"
RULE = {"alert_name": "it runs", "alert_conditions": {"metric": "cpu_utilization", "operator": ">=", "threshold": 0}}


@dataclass(frozen=True)
class Outcome:
    """How one call of the command ended and what it printed."""

    status: int
    output: str
    complaint: str

    @property
    def document(self) -> Any:
        return json.loads(self.output)


Command = Callable[..., Outcome]


@pytest.fixture(scope="module")
def tenant(deployment: Deployment) -> Iterator[Tenant]:
    tenant = deployment.new_tenant("operators")
    yield tenant
    tenant.http.close()


@pytest.fixture
def canopy(
    deployment: Deployment, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """`canopy("providers", "list")`: the command as the owner of one organization, beside the embedded deployment."""
    monkeypatch.setenv("CANOPY_HOME", str(deployment.embedded.home))
    monkeypatch.setenv("CANOPY_URL", deployment.url)
    monkeypatch.setenv("CANOPY_TOKEN", tenant.key)
    monkeypatch.setenv("COLUMNS", "400")

    def run(*arguments: str, types: str = "") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["canopy", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(types))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Outcome(int(ended.value.code or 0), printed.out, printed.err)

    return run


def done(outcome: Outcome) -> Outcome:
    assert outcome.status == 0, outcome
    return outcome


def test_the_script_of_the_checkout_names_every_word() -> None:
    said = subprocess.run([ROOT / "canopy", "--help"], capture_output=True, text=True, check=True).stdout
    words = {"up", "status", "bootstrap", "migrate", "topology", "rotate-keys", "grant", "dead", "providers", "resources",
             "alerts", "costs", "operations"}  # fmt: skip
    assert {word for word in words if re.search(rf"^\W*{word}\s", said, re.MULTILINE)} == words


def test_status_shows_each_process_and_whether_it_can_work(canopy: Command) -> None:
    processes = {item["name"]: item for item in done(canopy("status", "--json")).document["items"]}
    assert {"nats", "postgres", "aws", "sinks", "load", *PROGRAMS} <= set(processes)
    assert all(item["ready"] for item in processes.values())
    assert "gateway" in done(canopy("status")).output


def test_streams_and_databases_are_brought_up_to_date_with_what_a_start_leaves_behind(canopy: Command) -> None:
    assert set(present_services()) <= set(re.findall(r"\w+", done(canopy("topology")).output))
    said = done(canopy("migrate")).output.splitlines()
    assert said == [f"{service}: {known(service)[-1]}" for service in SERVICES]


def test_what_only_its_operator_may_hold_is_readable_by_nobody_else(deployment: Deployment) -> None:
    assert (deployment.embedded.home / "operator.env").stat().st_mode & 0o777 == 0o600


def test_keys_are_rotated_until_none_remains(canopy: Command) -> None:
    assert done(canopy("rotate-keys")).output.splitlines()[-1].endswith("remaining: 0")


def test_a_deployment_that_has_an_organization_is_not_bootstrapped_again(canopy: Command) -> None:
    words = ("--organization", "Second", "--slug", "second", "--owner-email", "owner@second.example")
    refused = canopy("bootstrap", *words, types="correct horse battery staple\n")
    assert (refused.status, refused.complaint.partition(":")[0]) == (1, "already_bootstrapped")


def test_wrong_calls_errors_and_silence_have_exit_statuses_of_their_own(
    canopy: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert canopy("resources", "list", "--limit", "many").status == 2
    refused = canopy("resources", "show", UNKNOWN)
    assert (refused.status, "resource_not_found" in refused.complaint) == (1, True)
    monkeypatch.setenv("CANOPY_URL", "http://127.0.0.1:1")
    assert canopy("resources", "list").status == 3


def test_the_story_of_the_readme(deployment: Deployment, tenant: Tenant, canopy: Command, tmp_path: Path) -> None:
    provider = add_provider(deployment, canopy)
    tenant.post("/api/cloud/monitoring/alert-rules", RULE, 201)
    create = ("--provider-id", provider, "--region", "us-east-1", "--name", "web-1", "--configuration",
              '{"instance_type": "t3.micro"}', "--json")  # fmt: skip
    wanted = ("--dry-run", "--min-vcpu", "2", "--min-memory-gib", "1", "--max-price", "0.01", "--at", "aws", "--json")
    offers = done(canopy("resources", "create", *wanted)).document["offers"]
    assert [(each["instance_type"], each["usd_per_hour"]) for each in offers] == [("t3a.micro", 0.0094)]
    resource = done(canopy("resources", "create", *create)).document
    assert resource["resource_status"] == "running"
    assert resource["resource_id"] in done(canopy("resources", "list")).output
    assert done(canopy("resources", "stop", resource["id"], "--json")).document["resource_status"] == "stopped"
    accepted = done(canopy("resources", "start", resource["id"], "--no-wait", "--json")).document
    operation = done(canopy("operations", "watch", accepted["operation"]["id"], "--json")).document
    assert (operation["kind"], operation["status"]) == ("resource.start", "succeeded")
    assert done(canopy("operations", "show", operation["id"], "--json")).document == operation
    kinds = [item["kind"] for item in done(canopy("operations", "list", "--json")).document["items"]]
    assert kinds == ["resource.start", "resource.stop", "resource.provision"]
    assert done(canopy("resources", "show", resource["id"], "--json")).document["resource_status"] == "running"
    larger = done(canopy("resources", "scale", resource["id"], "--instance-type", "t3.small", "--json")).document
    assert (larger["resource_status"], larger["configuration"]["instance_type"]) == ("running", "t3.small")
    assert done(canopy("resources", "scale", resource["id"], "--down", "--json")).document["size_category"] == "micro"
    assert canopy("resources", "scale", resource["id"]).status == 2
    sizes = done(canopy("resources", "sizes", resource["id"], "--json")).document["items"]
    assert [each["action"] for each in sizes] == ["scale_down", "configuration_change"]
    see_to_more_of_it(canopy, provider, resource, tmp_path)
    see_to_an_alert(canopy)
    assert done(canopy("costs", "overview", "--json")).document["currency"] == "USD"
    tenant.post("/api/cloud/costs/budgets", {"budget_name": "ours", "budget_amount": 1000}, 201)
    assert "ours" in done(canopy("costs", "budgets")).output
    assert "active_resources" in canopy("providers", "remove", provider).complaint
    assert done(canopy("resources", "delete", resource["id"], "--json")).document["resource_status"] == "terminated"
    done(canopy("providers", "remove", provider))
    assert done(canopy("providers", "list", "--json")).document["items"] == []


def test_how_complete_an_inventory_is_is_told_scope_by_scope(
    deployment: Deployment, tenant: Tenant, canopy: Command
) -> None:
    """In an account that no other test uses: a read adopts all that it finds."""
    account = next(each for each in deployment.embedded.other_accounts if each.provider == "linode")
    body = {"provider_name": "linode", "display_name": "read", "regions": ["us-east"],
            "credentials_config": dict(account.credentials)}  # fmt: skip
    provider = tenant.post("/api/cloud/providers", body, 201)["id"]
    synced = done(canopy("providers", "sync", provider, "--begin", "--json")).document
    assert {(each["region"], each["state"]) for each in synced["scopes"]} >= {("us-east", "fresh")}
    shown = done(canopy("providers", "sync", provider, "--unknown")).output
    assert f"{len(synced['scopes'])} scopes, 0 of them unknown" in shown
    assert "us-east" not in shown
    done(canopy("providers", "remove", provider))


def add_provider(deployment: Deployment, canopy: Command) -> str:
    """The free account; wrong credentials first, which leave nothing behind."""
    words = ("providers", "add", "--name", "mine", "--access-key-id", deployment.access_key_id, "--region", "us-east-1",
             "--metrics-period-s", "5", "--json")  # fmt: skip
    refused = canopy(*words, types="wrong\n")
    assert (refused.status, "invalid_credentials" in refused.complaint) == (1, True)
    assert done(canopy("providers", "list", "--json")).document["items"] == []
    added = done(canopy(*words, types=f"{deployment.secret_access_key}\n"))
    assert deployment.secret_access_key not in added.output
    provider = str(added.document["id"])
    assert done(canopy("providers", "show", provider, "--json")).document["display_name"] == "mine"
    assert done(canopy("providers", "test", provider, "--json")).document["ok"] is True
    assert "us-east-1a" in done(canopy("providers", "regions", provider)).output
    return provider


def see_to_more_of_it(canopy: Command, provider: str, resource: dict[str, Any], folder: Path) -> None:
    """What can be had there, several at once, and copies of one that come and go."""
    assert "ec2_instance" in done(canopy("providers", "services", provider)).output
    schema = done(canopy("providers", "services", provider, "--json")).document["items"][0]["configuration_schema"]
    assert "instance_type" in schema["properties"]
    same = {name: resource[name] for name in ("provider_id", "region", "resource_type", "resource_subtype")}
    items = folder / "items.json"
    items.write_text(json.dumps([{**same, "resource_name": "bulk-1", "configuration": {"instance_type": "z99.mega"}}]))
    refused = canopy("resources", "bulk", str(items), "--policy", "all_or_nothing")
    assert (refused.status, "removed again" in refused.complaint, "bulk-1" in refused.output) == (1, True, True)
    done(canopy("resources", "scale", resource["id"], "--out", "1"))
    group = ("resources", "list", "--group", resource["id"], "--origin", "provisioned", "--json")
    names = {each["resource_name"]: each["resource_status"] for each in done(canopy(*group)).document["items"]}
    assert names == {"web-1": "running", "web-1-1": "running"}
    done(canopy("resources", "scale", resource["id"], "--in", "1"))
    names = {each["resource_name"]: each["resource_status"] for each in done(canopy(*group)).document["items"]}
    assert names == {"web-1": "running", "web-1-1": "terminated"}
    assert canopy("resources", "scale", resource["id"], "--in", "1", "--up").status == 2


def see_to_an_alert(canopy: Command) -> None:
    """The alert of a rule that any load breaks is acknowledged, then resolved."""

    def fired() -> Any:
        return done(canopy("alerts", "list", "--status", "active", "--json")).document["items"]

    alert = eventually(fired)[0]
    assert alert["alert_name"] == "it runs"
    assert done(canopy("alerts", "ack", alert["id"], "--json")).document["status"] == "acknowledged"
    resolved = done(canopy("alerts", "resolve", alert["id"], "--notes", "it may", "--json")).document
    assert (resolved["status"], resolved["resolution_notes"]) == ("resolved", "it may")


def test_a_dead_letter_is_listed_shown_and_brought_back_to_the_service_that_failed(
    deployment: Deployment, tenant: Tenant, canopy: Command
) -> None:
    provider = tenant.post("/api/cloud/providers", deployment.provider_body(), 201)["id"]
    body = {"provider_id": provider, "region": "us-east-1", "resource_name": "late", "resource_type": "compute",
            "resource_subtype": "ec2_instance", "configuration": {"instance_type": "t3.micro"}}  # fmt: skip
    resource = tenant.post("/api/cloud/resources", body, 202)["resource"]["id"]
    event = asyncio.run(set_aside(deployment.embedded, tenant.id, UUID(resource)))

    def listed() -> list[dict[str, Any]]:
        letters = done(canopy("dead", "list", "--service", "provisioner", "--json")).document["items"]
        return [letter for letter in letters if letter["subject"] == event.subject()]

    letter = listed()[0]
    assert (letter["reason"], letter["attempts"]) == ("RuntimeError: a bug of earlier", 8)
    shown = done(canopy("dead", "show", str(letter["sequence"]), "--json")).document
    assert json.loads(shown["body"])["id"] == str(event.id)
    assert shown["headers"]["ce-id"] == str(event.id)

    done(canopy("dead", "replay", str(letter["sequence"])))
    eventually(lambda: tenant.get(f"/api/cloud/resources/{resource}")["health_status"] == "critical")
    assert listed() == []
    gone = canopy("dead", "show", str(letter["sequence"]))
    assert (gone.status, gone.complaint) == (1, "there is no such dead letter\n")


async def set_aside(stack: Stack, organization: UUID, resource: UUID) -> ResourceHealthChanged:
    """An event that the provisioner could not apply, as it lies among the dead; newer than all that monitor finds."""
    context = Context.automatic(organization)
    event = ResourceHealthChanged(
        **context.about(resource, 1_000_000, datetime.now(UTC)), resource_id=resource, old_health_status="unknown",
        health_status="critical", health_score=0,
    )  # fmt: skip
    headers = {
        **message_headers(event, "monitor"),
        ERROR_HEADER: "RuntimeError: a bug of earlier",
        ATTEMPTS_HEADER: "8",
    }
    known = stack.nats_environment("provisioner")
    connection = await nats.connect(
        known["CANOPY_NATS_URL"], user="provisioner", password=known["CANOPY_NATS_PASSWORD"],
        inbox_prefix="_INBOX.provisioner",
    )  # fmt: skip
    try:
        subject = dead_subject("provisioner", event.subject())
        await connection.jetstream().publish(subject, event.to_bytes(), timeout=5, headers=headers)
    finally:
        await connection.close()
    return event
