"""Which deployment do the tests of this folder live in?"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.stack import Deployment, deployed


@pytest.fixture(scope="package")
def deployment(server_folder: Path) -> Iterator[Deployment]:
    """All share it, apart by organizations. It ends with them: one that nobody asks takes a quarter of a core."""
    yield from deployed(server_folder)
