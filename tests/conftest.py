"""Which fixtures does every test have? The servers, and the promise that nothing leaves this machine."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.fixtures.loopback import CLOUD_PREFIXES, OFFLINE_SDK, only_loopback

settings.register_profile("same", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("explore", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")
"""No test asserts on wall time, and a run finds what the last one found. `pytest --hypothesis-profile explore` looks
further, with other examples each time."""

pytest_plugins = [
    "tests.fixtures.distribution",
    "tests.fixtures.servers",
    "tests.fixtures.clouds",
    "tests.fixtures.services",
    "tests.fixtures.toy",
    "tests.fixtures.stack",
    "tests.fixtures.chaos",
]


def pytest_collection_finish() -> None:
    """What the imports made stays to the end: the collector need not walk through six SDKs again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def plain_tracebacks() -> None:
    """As the services log them: a rich one, with every local variable, takes a second of the machine's time."""
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Asynchronous tests run on the loop that the services run on: psycopg and nats-py know no other library."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session", autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reaches a real cloud: only loopback sockets, no credentials of whoever runs the tests."""
    empty: Path = tmp_path_factory.mktemp("offline") / "empty"
    empty.touch()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(CLOUD_PREFIXES)]:
            patch.delenv(name)
        for name, value in OFFLINE_SDK.items():
            patch.setenv(name, value)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, str(empty))
        only_loopback(patch)
        yield
