"""Does `canopy bootstrap` give an empty deployment its first organization, once? (tests/system/test_command.py: the rest.)"""

import asyncio
import base64
import json
import os
import sys
from pathlib import Path

import httpx
import pytest

from deploy.local.environment import ROOT
from tests.fixtures.services import Services

pytestmark = pytest.mark.anyio

KEY_RING = json.dumps({"primary": "test-1", "keys": {"test-1": base64.b64encode(bytes(32)).decode()}})
WORDS = ("bootstrap", "--organization", "First", "--slug", "first", "--owner-email", "owner@first.example", "--json")


async def test_the_first_organization_and_its_owner_come_by_the_command_and_only_once(
    services: Services, tmp_path: Path
) -> None:
    gateway = await services.start("gateway", gateway_key_ring=KEY_RING, password_memory_kib=64, password_passes=1)
    status, output, _ = await canopy(services, tmp_path)
    assert status == 0
    made = json.loads(output)
    async with httpx.AsyncClient(base_url=gateway.url, headers={"X-API-Key": made["key"]}) as owner:
        [organization] = (await owner.get("/api/organizations")).json()["items"]
        [user] = (await owner.get("/api/users")).json()["items"]
    assert (organization["id"], organization["slug"]) == (made["organization_id"], "first")
    assert (user["email"], user["role"]) == ("owner@first.example", "owner")

    status, output, complaint = await canopy(services, tmp_path)
    assert (status, output, complaint.partition(":")[0]) == (1, "", "already_bootstrapped")


async def canopy(services: Services, home: Path) -> tuple[int | None, str, str]:
    """The command as the operator, with the owner's password on its standard input: status, output, complaint."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.command", *WORDS,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "CANOPY_HOME": str(home),
             "CANOPY_NATS_URL": services.nats_url, "CANOPY_NATS_PASSWORD": "any"},
    )  # fmt: skip
    output, complaint = await process.communicate(b"correct horse battery staple\n")
    return process.returncode, output.decode(), complaint.decode()
