"""Does the embedded nats-server know its users, and only those?"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import anyio
import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error

from deploy.local.bus import USERS, BusConfiguration
from deploy.local.nats import Nats
from deploy.local.secrets import Secrets

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class Guarded:
    """A server with the generated users."""

    server: Nats
    configuration: BusConfiguration
    secrets: Secrets

    async def connect(self, user: str, password: str) -> Client:
        return await nats.connect(
            self.server.url, user=user, password=password, inbox_prefix=f"_INBOX.{user}", allow_reconnect=False
        )


@pytest.fixture(scope="module")
def guarded(server_folder: Path) -> Iterator[Guarded]:
    folder = server_folder / "guarded"
    folder.mkdir()
    secrets = Secrets.kept(folder / "secrets.json")
    configuration = BusConfiguration(folder, secrets, {}, folder / "bus.log")
    configuration.write()
    server = Nats(folder, configuration=configuration.file, environment=configuration.environment())
    server.start()
    yield Guarded(server, configuration, secrets)
    server.stop()


@pytest.mark.parametrize("user", USERS)
async def test_every_user_of_the_deployment_gets_in_with_its_own_password(guarded: Guarded, user: str) -> None:
    connection = await guarded.connect(user, guarded.secrets.password(f"nats.{user}"))
    await connection.close()


async def test_a_wrong_password_is_refused(guarded: Guarded) -> None:
    with pytest.raises(Error, match="Authorization Violation"):
        await guarded.connect("costs", guarded.secrets.password("nats.monitor"))


async def test_nobody_gets_in_without_a_name(guarded: Guarded) -> None:
    with pytest.raises(Error, match="Authorization Violation"):
        await nats.connect(guarded.server.url, allow_reconnect=False)


async def test_a_stranger_gets_in_after_a_reload_and_others_stay_connected(guarded: Guarded) -> None:
    costs = await guarded.connect("costs", guarded.secrets.password("nats.costs"))
    password = guarded.configuration.add_stranger("slack-bot", uuid4())
    guarded.server.reload()
    stranger = await _connect_eventually(guarded, "slack-bot", password)
    await costs.flush()
    assert costs.is_connected
    await costs.close()
    await stranger.close()


async def _connect_eventually(guarded: Guarded, user: str, password: str) -> Client:
    """The server reads its file some moment after the signal and says nowhere that it has."""
    with anyio.fail_after(10):
        while True:
            with suppress(Error, OSError):
                return await guarded.connect(user, password)


def test_users_are_generated_once_for_the_same_code(guarded: Guarded) -> None:
    before = guarded.configuration.file.stat().st_mtime_ns
    guarded.configuration.write()
    assert guarded.configuration.file.stat().st_mtime_ns == before


def test_other_settings_need_another_reconciliation(guarded: Guarded, tmp_path: Path) -> None:
    first = BusConfiguration(tmp_path, guarded.secrets, {}, tmp_path / "bus.log")
    first.note_reconciled()
    assert first.is_reconciled()
    assert not BusConfiguration(
        tmp_path, guarded.secrets, {"CANOPY_ACK_WAIT_S": "2"}, tmp_path / "bus.log"
    ).is_reconciled()


def test_the_file_with_passwords_of_strangers_is_for_its_owner_only(guarded: Guarded) -> None:
    assert guarded.configuration.file.stat().st_mode & 0o777 == 0o600
