"""What Azure accepted is there after the process was killed, and so are the tokens that it gave out."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.deploy.local.clouds.azure.conftest import REGION, Sdk, ask_for_token
from tests.fixtures.clouds import SimulatedCloud

START_LIMIT_S = 60.0


@contextmanager
def killed_at_the_end(folder: Path) -> Iterator[SimulatedCloud]:
    """A simulator of its own, which gets no chance to save anything when it ends."""
    port_file = folder / "port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "deploy.local.clouds.world", "--data-dir", str(folder)]
    process = subprocess.Popen([*command, "--port-file", str(port_file), "--state-seconds", "30"])
    try:
        limit = time.monotonic() + START_LIMIT_S
        while not port_file.exists():
            assert process.poll() is None
            assert time.monotonic() < limit
            time.sleep(0.05)
        accounts = json.loads((folder / "accounts.json").read_text())["accounts"]
        port = json.loads(port_file.read_text())["azure"]
        ours = tuple(each for each in accounts if each["provider"] == "azure")
        yield SimulatedCloud(f"http://127.0.0.1:{port}", "azure", ours)
    finally:
        process.kill()
        process.wait()


def test_a_kill_loses_nothing_that_was_answered(tmp_path):
    with killed_at_the_end(tmp_path) as azure:
        token = ask_for_token(azure)[1]["access_token"]
        sdk = Sdk(azure, token)
        sdk.resources.resource_groups.create_or_update("kept", {"location": REGION, "tags": {"a": "ü"}})
        disk = {"location": REGION, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}
        sdk.compute.disks.begin_create_or_update("kept", "disk", disk, polling=False).result()
        account = {"location": REGION, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "tags": {"b": "1"}}
        sdk.storage.storage_accounts.begin_create("kept", "keptaccount", account, polling=False)
        azure.advance()
        sdk.storage.blob_containers.create("kept", "keptaccount", "photos", {})
        ledger = azure.ledger()
        sdk.close()
    with killed_at_the_end(tmp_path) as azure:
        sdk = Sdk(azure, token)
        assert sdk.resources.resource_groups.get("kept").tags == {"a": "ü"}
        found = sdk.compute.disks.get("kept", "disk")
        assert (found.properties.disk_size_gb, found.properties.provisioning_state) == (8, "Succeeded")
        assert sdk.storage.storage_accounts.get_properties("kept", "keptaccount").tags == {"b": "1"}
        assert [each.name for each in sdk.storage.blob_containers.list("kept", "keptaccount")] == ["photos"]
        assert azure.ledger() == ledger
        assert [each["action"] for each in ledger] == [
            "resource_groups.create_or_update", "disks.create_or_update", "storage_accounts.create",
            "blob_containers.create",
        ]  # fmt: skip
        sdk.close()
