"""Does the embedded nats-server keep streams over a kill?"""

from pathlib import Path

import nats
import pytest

from deploy.local.nats import Nats

pytestmark = pytest.mark.anyio


async def test_a_stream_survives_a_killed_server(server_folder: Path) -> None:
    server = Nats(server_folder / "nats-killed")
    server.start()
    try:
        connection = await nats.connect(server.url)
        await connection.jetstream().add_stream(name="KEPT", subjects=["kept.>"])
        await connection.jetstream().publish("kept.one", b"1")
        await connection.close()
        server.kill()
        server.start()
        connection = await nats.connect(server.url)
        stored = await connection.jetstream().get_msg("KEPT", seq=1)
        assert stored.data == b"1"
        await connection.close()
    finally:
        server.stop()


async def test_the_shared_server_needs_no_user(nats_server: Nats) -> None:
    connection = await nats.connect(nats_server.url)
    assert (await connection.jetstream().account_info()).streams >= 0
    await connection.close()
