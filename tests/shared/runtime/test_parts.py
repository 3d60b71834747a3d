"""One tenant's failure is not the others', and an outage is everybody's."""

import pytest

from shared.kit.errors import Unavailable
from shared.runtime.parts import each_apart

pytestmark = pytest.mark.anyio


async def test_all_parts_are_done_and_the_run_counts_as_failed() -> None:
    done: list[int] = []

    async def run(part: int) -> None:
        if part % 2:
            raise ValueError(part)
        done.append(part)

    with pytest.raises(ExceptionGroup) as raised:
        await each_apart(range(5), run)
    assert done == [0, 2, 4]
    assert [str(each) for each in raised.value.exceptions] == ["1", "3"]


async def test_an_outage_ends_the_run_at_once() -> None:
    begun: list[int] = []

    async def run(part: int) -> None:
        begun.append(part)
        raise Unavailable("the database is away", retry_after_s=1)

    with pytest.raises(Unavailable):
        await each_apart(range(5), run)
    assert begun == [0]
