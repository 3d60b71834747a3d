"""Does the story end as without the fault when any process of the deployment is killed in the middle of it?

Real `kill -9` of real processes. The whole campaign at the boundaries of the journal is `make chaos`.
"""

import asyncio
import json
import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nats
import pytest

from deploy.chaos.client import simulated
from deploy.chaos.clouds import CLOUDS
from deploy.chaos.crashes import Boundary, read_kills
from deploy.chaos.ledger import compare_machines, compare_snapshots
from deploy.chaos.records import Records
from deploy.local.environment import ROOT
from deploy.local.stack import PROGRAMS, Stack
from shared.messages.resources import ProvisionResource
from tests.fixtures.chaos import start_crashing_provisioner, start_second_replicas
from tests.fixtures.stack import Deployment, Tenant, expect
from tests.system.worlds import World, eventually

pytestmark = pytest.mark.system

RESOURCES = "/api/cloud/resources"
ALERTS = "/api/cloud/monitoring/alerts"
RULES = "/api/cloud/monitoring/alert-rules"
CHANNELS = "/api/notification-channels"
BACKUPS = "/api/infrastructure/backups"
CREATE = "create machine"
TESTS = "/api/cloud/disaster-recovery/tests"
SERVERS = ("nats", "postgres")
REPEATING = ("notifier", *SERVERS)
"""What a post needs before it and after it: killed in between, the notifier cannot know whether the post arrived."""
PATIENCE_S = 90
RECOVERY_STATUS = "/api/cloud/disaster-recovery/status"
PLANS = "/api/cloud/disaster-recovery/plans"
OWNERS = ("provisioner", "monitor", "costs", "recovery")
SEEDS = (20261120,)
"""Of the moments of death. Another one is another run of the same works."""
LATEST_DEATH_S = 4.0


@dataclass(frozen=True)
class Begun:
    """One running story: a machine on its way, a backup on its way, a rule whose condition is true."""

    name: str
    resource: str
    rule: str
    operations: tuple[str, str]


class Story:
    """One organization with a loaded machine and a Slack channel; parts of its deployment die while it works."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.tenant: Tenant = deployment.new_tenant("fragile")
        self.world = World(deployment, f"{self.tenant.slug}-{secrets.token_urlsafe(12)}")
        self.provider = self.tenant.post("/api/cloud/providers", deployment.provider_body(), 201)["id"]
        self.machine = self.provision("base")
        self.succeeds(self.machine["operation"]["id"])
        self.world.push(self.tenant.get(f"{RESOURCES}/{self.base}")["resource_id"], cpu=97)
        channel = {"channel_type": "slack", "name": "slack", "config": {"webhook_url": self.world.slack_url}}
        self.channel = self.tenant.post(CHANNELS, channel, 201)["id"]

    @property
    def stack(self) -> Stack:
        return self.deployment.embedded

    @property
    def base(self) -> str:
        """The resource that is under load and backed up."""
        return str(self.machine["resource"]["id"])

    def provision(self, name: str, cloud: str = "aws") -> dict[str, Any]:
        place = CLOUDS[cloud]
        body = {
            "provider_id": self.provider if cloud == "aws" else self.provider_at(cloud),
            "region": place.region,
            "resource_name": name,
            "resource_type": "compute",
            "resource_subtype": place.subtype,
            "configuration": {"instance_type": place.size},
            "environment": "production",
            "tags": {},
        }
        accepted: dict[str, Any] = self.tenant.post(RESOURCES, body, 202)
        return accepted

    def provider_at(self, cloud: str) -> str:
        """The account at another cloud, added when it is first needed."""
        known = self.tenant.get("/api/cloud/providers", provider_name=cloud)["items"]
        if known:
            return str(known[0]["id"])
        account = next(each for each in self.stack.other_accounts if each.provider == cloud and each.may_be_used)
        body = {
            "provider_name": cloud,
            "display_name": cloud,
            "regions": [CLOUDS[cloud].region],
            "credentials_config": dict(account.credentials),
        }
        return str(self.tenant.post("/api/cloud/providers", body, 201)["id"])

    def add_rule(self, name: str) -> str:
        """A rule that is broken already: it fires at the next point."""
        condition = {"metric": "cpu_utilization", "operator": ">", "threshold": 90, "for_seconds": 0}
        body = {"alert_name": name, "severity_level": "warning", "alert_conditions": condition,
                "resource_id": self.base}  # fmt: skip
        return str(self.tenant.post(RULES, body, 201)["id"])

    def begin(self, name: str, copied_to: Sequence[str] = ()) -> Begun:
        rule = self.add_rule(name)
        accepted = self.provision(name)
        backup = self.tenant.post(BACKUPS, {"target": self.base, "regions": list(copied_to)}, 202)
        operations = (accepted["operation"]["id"], backup["operation"]["id"])
        return Begun(name, accepted["resource"]["id"], rule, operations)

    def succeeds(self, operation: str) -> None:
        def ended() -> Any:
            found = self.tenant.get(f"/api/operations/{operation}")
            return found if found["finished_at"] is not None else None

        found = eventually(ended, PATIENCE_S)
        assert found["status"] == "succeeded", found

    def slack(self, name: str) -> list[dict[str, Any]]:
        return self.world.received("slack", lambda body: name in body)

    def check_the_end(self, begun: Begun) -> None:
        """Everything that was begun has come about, and only once."""
        for operation in begun.operations:
            self.succeeds(operation)
        assert self.tenant.get(f"{RESOURCES}/{begun.resource}")["resource_status"] == "running"
        eventually(lambda: self.slack(begun.name), PATIENCE_S)
        alerts = self.tenant.get(ALERTS, rule_id=begun.rule)["items"]
        assert [alert["status"] for alert in alerts] == ["active"]
        self.check_the_cloud()

    def check_the_cloud(self) -> None:
        """No machine twice, none orphaned, none missing; each snapshot is of one backup."""
        simulator, tenant = self.deployment.simulator, self.tenant
        resources, drills = tenant.get(RESOURCES, limit=200)["items"], tenant.get(TESTS)["items"]
        for cloud in {each["provider_name"] for each in resources}:
            url = self.stack.cloud_urls[cloud]
            ledger = [each for each in simulated(url, "ledger", "entries") if each.get("provider", cloud) == cloud]
            own = [each for each in resources if each["provider_name"] == cloud]
            machines = simulated(url, "instances", "instances")
            compared = compare_machines(machines, ledger, own, drills if cloud == "aws" else [], CLOUDS[cloud])
            assert compared.findings == [], cloud
        assert compare_snapshots(simulator("snapshots"), tenant.get(BACKUPS, limit=200)["items"]) == []


@pytest.fixture(scope="module")
def story(fragile: Deployment) -> Iterator[Story]:
    story = Story(fragile)
    yield story
    story.tenant.http.close()


@pytest.mark.parametrize("victim", [*PROGRAMS, *SERVERS])
def test_the_story_ends_as_without_the_fault(story: Story, victim: str) -> None:
    begun = story.begin(f"story-of-{victim}", ["us-west-2"] if victim == "recovery" else [])
    story.stack.kill(victim)
    story.stack.restart(victim)
    story.check_the_end(begun)
    heard = story.slack(begun.name)
    assert len(heard) == 1 or (victim in REPEATING and len(heard) == 2 and is_marked(heard[1]))


def is_marked(message: dict[str, Any]) -> bool:
    return "Possible repeat" in message["body"]


def test_a_notifier_killed_while_it_posts_repeats_once_and_says_so(story: Story) -> None:
    def posting() -> Any:
        return story.tenant.get(f"{CHANNELS}/{story.channel}/deliveries", status="sending")["items"]

    story.world.refuse(f"/slack/{story.world.name}", 200, latency_ms=2500)
    story.add_rule("killed-while-posting")
    eventually(posting, PATIENCE_S)
    story.stack.kill("notifier")
    story.stack.restart("notifier")
    eventually(lambda: len(story.slack("killed-while-posting")) > 1, PATIENCE_S)
    assert [is_marked(message) for message in story.slack("killed-while-posting")] == [False, True]


def test_a_poison_message_is_set_aside_shown_and_brought_back_and_the_rest_goes_on(story: Story) -> None:
    asyncio.run(publish_poison(story))
    after = story.provision("after-the-poison")
    letter = eventually(lambda: canopy_dead(story.stack.home, "list", "--json")["items"])[0]
    assert letter["service"] == "provisioner"
    assert letter["reason"].startswith("invalid message")
    shown = canopy_dead(story.stack.home, "show", str(letter["sequence"]), "--json")
    assert shown["body"] == "poison"
    story.succeeds(after["operation"]["id"])
    canopy_dead(story.stack.home, "replay", str(letter["sequence"]))

    def came_back() -> Any:
        items = canopy_dead(story.stack.home, "list", "--json")["items"]
        return items and items[0]["sequence"] > letter["sequence"] and items

    assert [again["subject"] for again in eventually(came_back)] == [letter["subject"]]


async def publish_poison(story: Story) -> None:
    """A command of the provisioner's whose body is none, as a broken program of ours would send it."""
    known = story.stack.nats_environment("provisioner")
    connection = await nats.connect(
        known["CANOPY_NATS_URL"], user="provisioner", password=known["CANOPY_NATS_PASSWORD"],
        inbox_prefix="_INBOX.provisioner",
    )  # fmt: skip
    try:
        await connection.jetstream().publish(poisoned_subject(story), b"poison", timeout=5)
    finally:
        await connection.close()


def poisoned_subject(story: Story) -> str:
    return ProvisionResource.pattern().replace("*", str(story.tenant.id))


def canopy_dead(home: Path, *arguments: str) -> Any:
    """What `canopy dead …` says: the JSON where it was asked for."""
    environment = os.environ | {"CANOPY_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "deploy.command", "dead", *arguments]
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert outcome.returncode == 0, outcome.stderr
    return json.loads(outcome.stdout) if "--json" in arguments else outcome.stdout


def test_provisioners_killed_at_the_boundaries_of_a_create_make_one_machine_each(story: Story, tmp_path: Path) -> None:
    boundaries = [Boundary.BEFORE_CALL, Boundary.AFTER_CALL, Boundary.BEFORE_STORE, Boundary.AFTER_STORE]
    log = tmp_path / "kills.jsonl"
    start_crashing_provisioner(story.stack, log, CREATE, boundaries)
    clouds = ("aws", "digitalocean", "vultr", "aws")  # the two know no idempotency token: we look for ours
    accepted = [story.provision(f"crash-{number}", cloud) for number, cloud in enumerate(clouds)]
    for each in accepted:
        story.succeeds(each["operation"]["id"])
    kills = read_kills(log)
    assert [(kill.step, kill.boundary) for kill in kills] == [(CREATE, each) for each in boundaries]
    assert {kill.saga for kill in kills} <= {each["operation"]["id"] for each in accepted}
    story.check_the_cloud()


class UnderWay:
    """One of each kind of work that has an end; each method asks for it and returns when it has come about, once."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.tenant = story.tenant
        self.plan = self.tenant.post(PLANS, plan_of(story), 201)["id"]
        machines = [story.provision(f"to-{action}") for action in ("stop", "terminate")]
        self.alert = eventually(lambda: self.tenant.get(ALERTS, status="active")["items"], PATIENCE_S)[0]["id"]
        for machine in machines:
            story.succeeds(machine["operation"]["id"])
        self.to_stop, self.to_terminate = (str(machine["resource"]["id"]) for machine in machines)
        eventually(lambda: self.tenant.get(RECOVERY_STATUS)["overall_status"] == "ready", PATIENCE_S)

    def stop(self) -> None:
        accepted = self.tenant.post(f"{RESOURCES}/{self.to_stop}/stop", status=202)
        self.story.succeeds(accepted["operation"]["id"])
        assert self.tenant.get(f"{RESOURCES}/{self.to_stop}")["resource_status"] == "stopped"

    def terminate(self) -> None:
        accepted = expect(self.tenant.http.delete(f"{RESOURCES}/{self.to_terminate}"), 202)
        self.story.succeeds(accepted["operation"]["id"])
        assert self.tenant.get(f"{RESOURCES}/{self.to_terminate}")["resource_status"] == "terminated"

    def add_provider(self) -> None:
        account = self.story.stack.accounts[0]
        credentials = {"access_key_id": account.access_key_id, "secret_access_key": account.secret_access_key}
        body = self.story.deployment.provider_body(display_name="the other account", credentials_config=credentials)
        added = self.tenant.post("/api/cloud/providers", body, 201)
        known = self.tenant.get("/api/cloud/providers", q="the other account")["items"]
        assert [provider["id"] for provider in known] == [added["id"]]

    def acknowledge(self) -> None:
        self.tenant.post(f"{ALERTS}/{self.alert}/ack")
        assert self.tenant.get(f"{ALERTS}/{self.alert}")["status"] == "acknowledged"

    def exceed_a_budget(self) -> None:
        body = {"budget_name": "tiny", "budget_amount": 0.0001, "alert_thresholds": [50]}
        self.tenant.post("/api/cloud/costs/budgets", body, 201)
        eventually(lambda: self.story.slack("Budget tiny at 50 %"), PATIENCE_S)

    def drill(self) -> None:
        accepted = self.tenant.post("/api/cloud/disaster-recovery/test", {"plan_id": self.plan}, 202)
        self.story.succeeds(accepted["operation"]["id"])
        drill = self.tenant.get(f"{TESTS}/{accepted['drill']['id']}")
        assert (drill["test_successful"], drill["not_cleaned"]) == (True, []), drill


def plan_of(story: Story) -> dict[str, Any]:
    return {
        "plan_name": "under fire",
        "primary_region": {"provider_id": story.provider, "region_code": "us-east-1"},
        "disaster_recovery_regions": [{"provider_id": story.provider, "region_code": "us-west-2"}],
        "resources": [story.base],
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_under_way_when_its_owner_dies_comes_about_once(story: Story, seed: int) -> None:
    draw = random.Random(seed)
    deaths = sorted((draw.uniform(0, LATEST_DEATH_S), victim) for victim in OWNERS)
    under_way = UnderWay(story)
    works = (under_way.stop, under_way.terminate, under_way.add_provider, under_way.acknowledge,
             under_way.exceed_a_budget, under_way.drill)  # fmt: skip
    begun_s = time.monotonic()
    with ThreadPoolExecutor(len(works)) as pool:
        ends = [pool.submit(work) for work in works]
        for moment_s, victim in deaths:
            time.sleep(max(0.0, begun_s + moment_s - time.monotonic()))
            story.stack.kill(victim)
            story.stack.restart(victim, wait=False)
        for end in ends:
            end.result()
    story.check_the_cloud()
    assert len(story.slack("Budget tiny at 50 %")) == 1


def test_two_replicas_of_every_program_share_the_work(story: Story) -> None:
    seconds = start_second_replicas(story.stack)
    stack, tenant = story.stack, story.tenant
    rounds = iter(range(100))

    def all_have_worked() -> bool:
        turn = next(rounds)
        story.add_rule(f"shared-{turn}")
        begun = [story.provision(f"shared-{turn}-{number}") for number in range(3)]
        begun += [tenant.post(BACKUPS, {"target": story.base}, 202) for _ in range(2)]
        for accepted in begun:
            story.succeeds(accepted["operation"]["id"])
        done = {name: messages_handled(stack.url_of(name)) for name in (*seconds, *seconds.values())}
        return all(done.values())

    eventually(all_have_worked, PATIENCE_S)
    story.check_the_cloud()


def messages_handled(url: str) -> float:
    """How many messages this replica has handled since it started."""
    text = httpx.get(f"{url}/metrics", timeout=10, trust_env=False).text
    counted = [line for line in text.splitlines() if line.startswith("canopy_messages_total")]
    return sum(float(line.rsplit(" ", 1)[1]) for line in counted)


def test_no_event_was_lost_and_none_applied_twice(story: Story) -> None:
    records = Records(story.stack, story.tenant.id)
    eventually(lambda: not records.unsettled(), PATIENCE_S)
    poison = f"dead letter: {poisoned_subject(story)}: invalid message"
    wrong = records.wrong(records.events("fault_auditor"))
    assert [line for line in wrong if not line.startswith(poison)] == []
    assert story.tenant.get("/api/audit/verify")["valid"] is True
