"""What the simulated Google Cloud answered it still knows after `kill -9`; access tokens outlive it too."""

import json
import socket
import subprocess
import sys
import time

import pytest

from tests.deploy.local.clouds.gcp.conftest import Rest
from tests.fixtures.clouds import SimulatedCloud

START_LIMIT_S = 60.0


@pytest.fixture
def start(tmp_path):
    """Starts the world on the same port and folder again and again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    running = []

    def start_it() -> subprocess.Popen:
        command = [sys.executable, "-m", "deploy.local.clouds.world", "--data-dir", str(tmp_path)]
        process = subprocess.Popen([*command, "--ports", f"gcp={port}", "--state-seconds", "30"])
        running.append(process)
        limit = time.monotonic() + START_LIMIT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < limit
                time.sleep(0.05)
            else:
                return process

    yield start_it, port, tmp_path
    for process in running:
        process.kill()
        process.wait()


def test_nothing_answered_is_lost(start):
    start_it, port, folder = start
    process = start_it()
    rows = json.loads((folder / "accounts.json").read_text())["accounts"]
    accounts = tuple(each for each in rows if each["provider"] == "gcp")
    gcp = SimulatedCloud(f"http://127.0.0.1:{port}", "gcp", accounts)
    rest = Rest(gcp)
    path = rest.insert(labels={"team": "photos"})
    bucket = rest.change("POST", f"{gcp.endpoint_url}/storage/v1/b", {"name": "kept-bucket"}, project=rest.project)
    place = path.rpartition("/instances")[0]
    group = f"{place}/networkEndpointGroups/kept-group"
    rest.change(
        "POST", f"{place}/networkEndpointGroups", {"name": "kept-group", "networkEndpointType": "GCE_VM_IP_PORT"}
    )
    endpoints = {"networkEndpoints": [{"instance": path, "port": 80}]}
    rest.change("POST", f"{group}/attachNetworkEndpoints", endpoints)
    inside = rest.change("POST", f"{group}/listNetworkEndpoints")
    before, token, ledger = rest.get(path), rest.session.credentials.token, gcp.ledger()
    process.kill()
    process.wait()
    start_it()
    after = rest.get(path)
    assert rest.session.credentials.token == token
    assert {**after, "status": ""} == {**before, "status": ""}
    assert gcp.ledger() == ledger
    assert [each["action"] for each in ledger[-3:]] == [
        "storage.buckets.insert", "networkEndpointGroups.insert", "networkEndpointGroups.attachNetworkEndpoints",
    ]  # fmt: skip
    assert inside["items"]
    assert rest.change("POST", f"{group}/listNetworkEndpoints") == inside
    assert rest.get(bucket["selfLink"]) == bucket
    assert tuple(gcp._ask("GET", "/_sim/accounts")["accounts"]) == accounts
    gcp.advance()
    assert rest.get(path)["status"] == "RUNNING"
