"""Does every running machine have a believable load, and a chosen one the load it is pushed to?"""

import datetime as dt
import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import boto3
import httpx
import pytest

from deploy.local.load.command import push_resource
from deploy.local.load.feeder import Feeder
from deploy.local.load.pushes import Pushes, read_push
from deploy.local.load.series import METRICS, SLOT_S, Push, values_at
from deploy.local.ports import free_port
from tests.fixtures.clouds import SimulatedAws
from tests.fixtures.tls import TLS

NOON = dt.datetime(2026, 7, 18, 14, tzinfo=dt.UTC).timestamp()  # a Saturday in the middle of the season
YEAR_HOURS = range(0, 365 * 24, 7)


def test_the_same_moment_has_the_same_load_in_every_process() -> None:
    here = values_at("i-1", NOON)
    command = f"from deploy.local.load.series import values_at; print(values_at('i-1', {NOON}))"
    there = subprocess.run([sys.executable, "-c", command], check=True, capture_output=True, text=True).stdout
    assert there.strip() == repr(here)


def test_a_summer_saturday_is_busier_than_a_winter_night() -> None:
    winter_night = dt.datetime(2026, 1, 13, 3, tzinfo=dt.UTC).timestamp()
    assert values_at("i-1", NOON)["cpu"] > 2 * values_at("i-1", winter_night)["cpu"]
    assert values_at("i-1", NOON)["requests_per_second"] > values_at("i-1", winter_night)["requests_per_second"]


def test_nobody_who_is_not_pushed_reaches_an_alarming_load_all_year() -> None:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
    for machine in ("i-1", "i-2", "i-3", "i-4"):
        for hour in YEAR_HOURS:
            values = values_at(machine, start + hour * 3600)
            assert values["cpu"] < 80
            assert values["memory"] < 80
            assert values["disk"] < 80
            assert min(values.values()) >= 0


def test_a_push_holds_its_values_and_no_others_until_its_end() -> None:
    push = Push({"cpu": 97.0}, until_s=NOON + 10)
    own = values_at("i-1", NOON)
    pushed = values_at("i-1", NOON, push)
    assert pushed == own | {"cpu": 97.0}
    assert values_at("i-1", NOON + 10, push) == values_at("i-1", NOON + 10)


@pytest.mark.parametrize(
    "document",
    [
        {"instance_id": "i-1"},
        {"instance_id": "i-1", "cpu": 101},
        {"instance_id": "i-1", "cpu": "97"},
        {"instance_id": "i-1", "cpu": True},
        {"instance_id": "i-1", "cpu": 97, "for_s": -1},
        {"instance_id": "", "cpu": 97},
        {"cpu": 97},
        {"instance_id": "i-1", "colour": 1},
        [],
    ],
)
def test_a_push_that_makes_no_sense_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"must be|a push has|nothing to push"):
        read_push(document, NOON)


def test_pushes_survive_a_restart_and_are_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "pushes.json"
    Pushes(path).put("i-1", Push({"cpu": 97.0}))
    again = Pushes(path)
    assert again.of("i-1") == Push({"cpu": 97.0})
    assert again.take_back("i-1")
    assert not again.take_back("i-1")
    assert Pushes(path).of("i-1") is None


def run_machine(aws: SimulatedAws, region: str, account: int) -> str:
    chosen = aws.accounts[account]
    ec2 = boto3.client(
        "ec2",
        region_name=region,
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=chosen["access_key_id"],
        aws_secret_access_key=chosen["secret_access_key"],
    )
    name = {"Name": "name", "Values": ["al2023-ami-2023.*-kernel-6.1-x86_64"]}
    image = ec2.describe_images(Owners=["amazon"], Filters=[name])["Images"][0]["ImageId"]
    made = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1)
    return str(made["Instances"][0]["InstanceId"])


def points_of(aws: SimulatedAws, region: str, account: int, instance: str, name: str, slots: range) -> list[float]:
    chosen = aws.accounts[account]
    namespace, metric, _ = METRICS[name]
    dimensions = [{"Name": "InstanceId", "Value": instance}]
    asked = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
    client = boto3.client(
        "cloudwatch",
        region_name=region,
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=chosen["access_key_id"],
        aws_secret_access_key=chosen["secret_access_key"],
    )
    answer = client.get_metric_data(
        MetricDataQueries=[{"Id": "q", "MetricStat": {"Metric": asked, "Period": SLOT_S, "Stat": "Average"}}],
        StartTime=slots.start * SLOT_S,
        EndTime=slots.stop * SLOT_S,
        ScanBy="TimestampAscending",
    )
    return list(answer["MetricDataResults"][0]["Values"])


@pytest.fixture
def accounts_file(simulated_aws: SimulatedAws, tmp_path: Path) -> Path:
    file = tmp_path / "accounts.json"
    rows = [{"note": "", **account} for account in simulated_aws.accounts]
    file.write_text(json.dumps({"accounts": rows}))
    return file


def test_running_machines_of_every_account_and_region_are_fed_and_no_others(
    simulated_aws: SimulatedAws, accounts_file: Path, tmp_path: Path
) -> None:
    fed = [("us-east-1", 0), ("eu-west-1", 1)]
    machines = [run_machine(simulated_aws, *place) for place in fed]
    simulated_aws.advance()
    pending = run_machine(simulated_aws, "us-east-1", 0)
    pushes = Pushes(tmp_path / "pushes.json")
    pushes.put(machines[1], Push({"cpu": 97.0, "memory": 91.0}))
    now = int(time.time() // SLOT_S)
    slots = range(now - 3, now)
    Feeder(simulated_aws.endpoint_url, accounts_file, pushes).feed(slots)
    expected = [values_at(machines[0], slot * SLOT_S)["cpu"] for slot in slots]
    assert points_of(simulated_aws, *fed[0], machines[0], "cpu", slots) == expected
    for name in METRICS:
        assert len(points_of(simulated_aws, *fed[0], machines[0], name, slots)) == 3
    assert points_of(simulated_aws, *fed[1], machines[1], "cpu", slots) == [97.0] * 3
    assert points_of(simulated_aws, *fed[1], machines[1], "memory", slots) == [91.0] * 3
    assert points_of(simulated_aws, "us-east-1", 0, pending, "cpu", slots) == []


@pytest.fixture
def load_url(simulated_aws: SimulatedAws, accounts_file: Path, tmp_path: Path) -> Iterator[str]:
    """A load feeder process."""
    port = free_port()
    command = [sys.executable, "-m", "deploy.local.load", "--simulator", simulated_aws.endpoint_url]
    options = ["--accounts", str(accounts_file), "--port", str(port), "--data-dir", str(tmp_path / "load")]
    process = subprocess.Popen([*command, *options])
    url = f"http://127.0.0.1:{port}"
    try:
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            try:
                httpx.get(f"{url}/healthz", verify=TLS).raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.02)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def test_the_process_feeds_by_itself_and_takes_pushes(simulated_aws: SimulatedAws, load_url: str) -> None:
    machine = run_machine(simulated_aws, "us-west-2", 0)
    simulated_aws.advance()
    assert httpx.post(f"{load_url}/load", json={"instance_id": machine, "cpu": 97}, verify=TLS).status_code == 200
    assert httpx.get(f"{load_url}/load", verify=TLS).json()["pushes"][machine]["values"] == {"cpu": 97}
    limit = time.monotonic() + 60
    seen: list[float] = []
    while 97.0 not in seen and time.monotonic() < limit:
        now = int(time.time() // SLOT_S)
        seen = points_of(simulated_aws, "us-west-2", 0, machine, "cpu", range(now - 12, now + 1))
    assert seen[-1] == 97.0
    assert httpx.delete(f"{load_url}/load/{machine}", verify=TLS).status_code == 200
    assert httpx.delete(f"{load_url}/load/{machine}", verify=TLS).status_code == 404
    assert httpx.post(f"{load_url}/load", content=b"{", verify=TLS).status_code == 422
    assert httpx.get(f"{load_url}/load", verify=TLS).json() == {"pushes": {}}


class _Rest(http.server.BaseHTTPRequestHandler):
    """The one route of the gateway that the command asks, with one resource that runs and one that does not."""

    resources: ClassVar = {
        "running": {"resource_id": "i-1", "status": "running", "provider_name": "aws"},
        "new": {"resource_id": None, "status": "new", "provider_name": "aws"},
    }

    def do_GET(self) -> None:
        known = self.resources.get(self.path.rpartition("/")[2])
        allowed = self.headers.get("X-API-Key") == "secret"
        self.send_response(200 if known and allowed else 404 if allowed else 401)
        self.end_headers()
        self.wfile.write(json.dumps(known or {"code": "not_found"}).encode())

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def demonstration(load_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of `make up` whose gateway is the handler above."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Rest)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = tmp_path / "home"
    home.mkdir()
    lines = {
        "CANOPY_URL": f"http://127.0.0.1:{server.server_port}",
        "CANOPY_TOKEN": "secret",
        "CANOPY_LOAD_URL": load_url,
    }
    (home / "demo.env").write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    monkeypatch.setenv("CANOPY_HOME", str(home))
    for name in lines:
        monkeypatch.delenv(name, raising=False)
    yield home
    server.shutdown()


@pytest.mark.usefixtures("demonstration")
def test_a_resource_is_pushed_by_its_canopy_id(load_url: str) -> None:
    assert push_resource("running", {"cpu": 97.0}, 60) == "i-1"
    pushed = httpx.get(f"{load_url}/load", verify=TLS).json()["pushes"]["i-1"]
    assert pushed["values"] == {"cpu": 97.0}
    assert pushed["until_s"] > time.time()


@pytest.mark.usefixtures("demonstration")
@pytest.mark.parametrize(
    ("resource", "values", "reason"),
    [("new", {"cpu": 97.0}, "no machine yet"), ("unknown", {"cpu": 97.0}, "404"), ("running", {"cpu": 970.0}, "422")],
)
def test_a_push_that_cannot_be_says_why(load_url: str, resource: str, values: dict[str, float], reason: str) -> None:
    with pytest.raises(LookupError, match=reason):
        push_resource(resource, values, None)
    assert httpx.get(f"{load_url}/load", verify=TLS).json() == {"pushes": {}}


def test_without_a_demonstration_the_command_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANOPY_HOME", str(tmp_path))
    monkeypatch.delenv("CANOPY_URL", raising=False)
    with pytest.raises(LookupError, match="is `make up` running"):
        push_resource("running", {"cpu": 97.0}, None)
