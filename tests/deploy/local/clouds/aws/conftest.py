"""How does a test speak to the simulated AWS, and how does it kill and restart one of its own?"""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ONE_ATTEMPT = Config(retries={"total_max_attempts": 1}, read_timeout=30)
START_LIMIT_S = 60.0
Account = dict[str, str]


@dataclass
class Cloud:
    """A running simulator: its address and accounts, SDK clients of it, and its controls."""

    url: str
    accounts: list[Account]

    def client(self, service: str, region: str = "us-east-1", account: Account | None = None, **options: Any) -> Any:
        """A boto3 client that tries once."""
        chosen = account or self.accounts[0]
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=chosen["access_key_id"],
            aws_secret_access_key=chosen["secret_access_key"],
            config=ONE_ATTEMPT,
            **options,
        )

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        """The JSON document that a control answers; the error's status and document when it refuses."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(self.url + path, body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"status": error.code, **json.load(error)}

    def advance(self, seconds: float) -> None:
        self.ask("POST", "/_sim/advance", {"seconds": seconds})

    def image(self, region: str = "us-east-1") -> str:
        images = self.client("ec2", region).describe_images(
            Owners=["amazon"], Filters=[{"Name": "name", "Values": ["al2023-ami-2023.*-kernel-6.1-x86_64"]}]
        )["Images"]
        return str(images[0]["ImageId"])

    def run(self, region: str = "us-east-1", account: Account | None = None, **changes: Any) -> dict[str, Any]:
        """One new machine, as RunInstances answers it."""
        asked = {"ImageId": self.image(region), "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **changes}
        machine: dict[str, Any] = self.client("ec2", region, account).run_instances(**asked)["Instances"][0]
        return machine

    def state(self, instance_id: str, region: str = "us-east-1") -> str:
        answer = self.client("ec2", region).describe_instances(InstanceIds=[instance_id])
        return str(answer["Reservations"][0]["Instances"][0]["State"]["Name"])


class OwnCloud:
    """A simulator process of one test, in a folder that outlives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> Cloud:
        port_file = self.folder / "port"
        port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "deploy.local.clouds.aws", "--data-dir", str(self.folder / "data")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--port-file", str(port_file), "--state-seconds", "30", *options], stdout=log, stderr=log
            )
        limit = time.monotonic() + START_LIMIT_S
        while not port_file.exists():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < limit, "the simulator is not ready in time"
            time.sleep(0.02)
        accounts = json.loads((self.folder / "data" / "accounts.json").read_text())["accounts"]
        return Cloud(f"http://127.0.0.1:{port_file.read_text().strip()}", accounts)

    def end(self, how: int = signal.SIGKILL) -> int:
        """Ends the process and returns its exit status."""
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(30)

    def clean_up(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.end()


@pytest.fixture
def own_cloud(tmp_path: Path) -> Iterator[OwnCloud]:
    """A simulator that the test may kill."""
    own = OwnCloud(tmp_path)
    yield own
    own.clean_up()


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    own = OwnCloud(tmp_path_factory.mktemp("aws"))
    yield own.start()
    own.clean_up()


@pytest.fixture
def cloud(running_cloud: Cloud) -> Iterator[Cloud]:
    """One simulator for all tests of a process, without faults of an earlier test. States take 30 s of its own time."""
    running_cloud.ask("DELETE", "/_sim/fault")
    yield running_cloud
    running_cloud.ask("DELETE", "/_sim/fault")


@pytest.fixture
def code_of() -> Callable[[Callable[[], Any]], str]:
    """The AWS error code that a call is refused with."""

    def refuse(call: Callable[[], Any]) -> str:
        with pytest.raises(ClientError) as caught:
            call()
        return str(caught.value.response["Error"]["Code"])

    return refuse
