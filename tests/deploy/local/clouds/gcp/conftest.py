"""How do the tests of the simulated Google Cloud speak to it? By google-auth's own service account and bare REST."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from google.auth.transport.requests import AuthorizedSession
from google.oauth2 import service_account

from tests.fixtures.clouds import SimulatedCloud

SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
ZONE = "us-east1-b"


@pytest.fixture
def gcp(simulated_world: dict[str, SimulatedCloud]) -> Iterator[SimulatedCloud]:
    simulated_world["gcp"].clear_faults()
    yield simulated_world["gcp"]
    simulated_world["gcp"].clear_faults()


class Rest:
    """Compute Engine's REST API, without a client library: what goes over the wire is what a test sees."""

    def __init__(self, gcp: SimulatedCloud, account: int = 0) -> None:
        known = gcp.accounts[account]["credentials"]
        self.project = known["project_id"]
        self.base = f"{gcp.endpoint_url}/compute/v1/projects/{self.project}"
        self.key = json.loads(known["service_account_key"])
        signer = service_account.Credentials.from_service_account_info(
            {**self.key, "token_uri": f"{gcp.endpoint_url}/token"}, scopes=SCOPES
        )
        self.session = AuthorizedSession(signer)

    def ask(self, method: str, path: str, body: Any = None, **parameters: str) -> Any:
        """Status and document."""
        url = path if path.startswith("http") else f"{self.base}/{path}"
        answer = self.session.request(method, url, json=body, params=parameters, timeout=10)
        return answer.status_code, answer.json()

    def get(self, path: str, **parameters: str) -> Any:
        status, document = self.ask("GET", path, **parameters)
        assert status == 200, document
        return document

    def change(self, method: str, path: str, body: Any = None, **parameters: str) -> Any:
        status, document = self.ask(method, path, body, **parameters)
        assert status == 200, document
        return document

    def done(self, operation: dict[str, Any]) -> dict[str, Any]:
        """The operation when it is done; the tests' simulator takes 0.3 s for most."""
        limit = time.monotonic() + 10
        while operation["status"] != "DONE":
            assert time.monotonic() < limit
            time.sleep(0.05)
            operation = self.get(operation["selfLink"])
        return operation

    def insert(self, name: str | None = None, **more: Any) -> str:
        """A new machine's path."""
        name = name or f"test-{uuid4().hex[:12]}"
        self.done(self.change("POST", f"zones/{ZONE}/instances", machine(name, **more)))
        return f"zones/{ZONE}/instances/{name}"


def machine(name: str, **more: Any) -> dict[str, Any]:
    """The body of an insert."""
    image = "projects/debian-cloud/global/images/family/debian-12"
    return {
        "name": name,
        "machineType": f"zones/{ZONE}/machineTypes/e2-micro",
        "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": image}}],
        "networkInterfaces": [{"network": "global/networks/default", "accessConfigs": [{"type": "ONE_TO_ONE_NAT"}]}],
        **more,
    }


@pytest.fixture
def rest(gcp: SimulatedCloud) -> Rest:
    return Rest(gcp)


@pytest.fixture
def rest_of(gcp: SimulatedCloud) -> Callable[[int], Rest]:
    return lambda account: Rest(gcp, account)
