"""A saga ends as if nothing had happened, wherever it was cut."""

import asyncio

import pytest
from sqlalchemy import text

from shared.db.saga import Saga
from shared.db.sagas import forget_finished
from shared.kit.errors import NotFound
from shared.messages.context import Context
from shared.messages.operations import OperationFailed, OperationProgressed, OperationSucceeded
from tests.fixtures.services import Services, context, now
from tests.fixtures.toy import FileNote, NoteWritten, organization_rows

pytestmark = pytest.mark.anyio


class Cloud:
    """What the saga's calls have done, by idempotency token."""

    def __init__(self) -> None:
        self.made: dict[str, int] = {}
        self.removed: list[str] = []

    def make(self, token) -> str:
        self.made[str(token)] = self.made.get(str(token), 0) + 1
        return str(token)


def command() -> FileNote:
    caller = context()
    return FileNote(**caller.about(caller.correlation_id, 1, now()), words="file me")


async def accept(toy, filed: FileNote) -> None:
    async with toy.deps.database.work(Context.of(filed)) as work:
        await toy.deps.journal.accept(work, toy.router.programs[FileNote], filed)


def two_steps(cloud: Cloud, fail: Exception | None = None):
    async def program(saga: Saga, filed: FileNote, deps) -> dict:
        async def make(token):
            return cloud.make(token)

        async def unmake(output):
            cloud.removed.append(output or str(saga.token("make")))

        made = await saga.step("make", make, undo=unmake)

        async def note(work):
            work.emit(NoteWritten(**work.about(filed.aggregate_id, 1), words=made))

        if fail is not None:

            async def refuse(token):
                raise fail

            await saga.step("refuse", refuse)
        await saga.apply("note", note)
        return {"made": made}

    return program


async def test_a_saga_runs_its_steps_and_tells_its_progress(toys, services: Services) -> None:
    cloud, filed = Cloud(), command()
    async with toys(program=two_steps(cloud)) as toy:
        await accept(toy, filed)
        done = await services.event(OperationSucceeded)
    assert done.operation.id == filed.id
    assert done.operation.result == {"made": next(iter(cloud.made))}
    stages = [event.operation.progress.stage for event in services.events if isinstance(event, OperationProgressed)]
    assert stages == ["make", "note"]


async def test_a_failed_saga_is_undone_and_says_why(toys, services: Services) -> None:
    cloud = Cloud()
    async with toys(program=two_steps(cloud, NotFound("it is gone"))) as toy:
        await accept(toy, command())
        failed = await services.event(OperationFailed)
        assert toy.deps.failed[0]["code"] == "not_found"
    assert failed.operation.error["detail"] == "it is gone"
    assert failed.operation.error["step"] == "refuse"
    assert cloud.removed == list(cloud.made)


class Busy(Exception):
    code, retryable, retry_after_s = "busy", True, 0.0


async def test_a_failure_that_may_pass_is_repeated_with_the_same_token(toys, services: Services) -> None:
    cloud, attempts = Cloud(), []

    async def program(saga: Saga, filed: FileNote, deps) -> None:
        async def flaky(token):
            attempts.append(token)
            if len(attempts) < 3:
                raise Busy
            return cloud.make(token)

        await saga.step("flaky", flaky)

    async with toys(program=program) as toy:
        await accept(toy, command())
        await services.event(OperationSucceeded)
    assert len(attempts) == 3
    assert len(set(attempts)) == 1


@pytest.mark.parametrize("boundary", ["before the call", "after the call", "before the end"])
async def test_a_killed_saga_is_finished_by_another_replica(toys, services: Services, boundary: str) -> None:
    """The first replica stops dead at the boundary; its lease runs out; the second goes on."""
    cloud, filed = Cloud(), command()
    reached = asyncio.Event()

    async def dies(saga: Saga, _: FileNote, deps) -> None:
        async def make(token):
            if boundary != "before the call":
                cloud.make(token)
            if boundary != "before the end":
                reached.set()
                await asyncio.Event().wait()
            return str(token)

        await saga.step("make", make)
        reached.set()
        await asyncio.Event().wait()

    async with toys(program=dies, lease_s=1) as first:
        await accept(first, filed)
        await reached.wait()
        first.deps.journal.settings.lease_s = 1
        await stop_dead(first)
        async with toys(program=two_steps(cloud), lease_s=1) as second:
            async with asyncio.timeout(30):
                while not any(isinstance(event, OperationSucceeded) for event in services.events):
                    await second.deps.journal.requeue()
                    await asyncio.sleep(0.2)
    assert len(cloud.made) == 1
    notes = [event for event in services.events if isinstance(event, NoteWritten)]
    assert len(notes) == 1


async def stop_dead(toy) -> None:
    """As a kill does it: no drain, no message settled, no lease given back."""
    toy.kill()
    await toy.deps.database.close()
    for task in asyncio.all_tasks():
        if "CommandConsumer" in repr(task) or "_attempt" in repr(task) or "_beat" in repr(task):
            task.cancel()


async def test_two_deliveries_of_one_command_run_it_once(toys, services: Services) -> None:
    cloud, filed = Cloud(), command()
    async with toys(program=two_steps(cloud)) as one, toys(program=two_steps(cloud)):
        await accept(one, filed)
        for copy in range(3):
            await services.bus.publish(filed.subject(), filed.to_bytes(), {"Nats-Msg-Id": f"copy {copy}"})
        await services.event(OperationSucceeded)
    assert list(cloud.made.values()) == [1]


async def test_a_long_wait_is_persisted_and_woken(toys, services: Services, foundation_database) -> None:
    polls = []

    async def program(saga: Saga, filed: FileNote, deps) -> dict:
        async def poll():
            polls.append(now())
            return {"polls": len(polls)} if len(polls) > 1 else None

        return await saga.until("wait", poll, every_s=1.2, timeout_s=60)

    async with toys(program=program, inline_wait_s=0.1) as toy:
        await accept(toy, command())
        async with asyncio.timeout(10):
            while not polls:
                await asyncio.sleep(0.01)
        done = await services.event(OperationSucceeded)
    assert done.operation.result == {"polls": 2}


@pytest.mark.parametrize("inline_wait_s", [5, 0.1], ids=["held by its owner", "asleep until an hour later"])
async def test_a_cancelled_saga_goes_no_further_and_is_undone(toys, services: Services, inline_wait_s: float) -> None:
    cloud, filed, every_s = Cloud(), command(), 0.2 if inline_wait_s == 5 else 3600

    async def program(saga: Saga, _: FileNote, deps) -> None:
        async def make(token):
            return cloud.make(token)

        async def unmake(output):
            cloud.removed.append(output)

        async def never():
            return None

        await saga.step("make", make, undo=unmake)
        await saga.count(3, 7)
        await saga.until("wait", never, every_s=every_s, timeout_s=7200)

    async with toys(program=program, lease_s=1, inline_wait_s=inline_wait_s) as toy:
        await accept(toy, filed)
        waiting = await services.event(OperationProgressed, lambda event: event.operation.progress.stage == "wait")
        assert (waiting.operation.progress.completed, waiting.operation.progress.total) == (3, 7)
        async with toy.deps.database.work(Context.of(filed)) as work:
            await toy.deps.journal.cancel(work, [filed.id])
        failed = await services.event(OperationFailed)
        async with toy.deps.database.work(Context.of(filed)) as work:
            await toy.deps.journal.cancel(work, [filed.id])  # what has ended stays as it is
    assert failed.operation.error["code"] == "cancelled"
    assert cloud.removed == list(cloud.made)


async def test_a_program_whose_order_changed_is_not_run_by_guesswork(
    toys, services: Services, foundation_database
) -> None:
    order: list[list[str]] = [["a", "b"], ["b", "a"]]
    rounds = []

    async def program(saga: Saga, filed: FileNote, deps) -> None:
        names = order[len(rounds)]
        rounds.append(names)
        for name in names:

            async def call(token, name=name):
                if name == "b" and len(rounds) == 1:
                    raise Busy
                return name

            await saga.step(name, call)

    async with toys(program=program) as toy:
        await accept(toy, command())
        async with asyncio.timeout(20):
            while not (
                rows := organization_rows(foundation_database, "SELECT error FROM saga WHERE error IS NOT NULL")
            ):
                await asyncio.sleep(0.05)
    assert rows[0].error["code"] == "journal_mismatch"


async def test_a_late_owner_cannot_write_after_it_lost_its_lease(toys, services: Services) -> None:
    """The first replica hangs in its call beyond its lease (its heartbeat is cut); the second takes over and finishes."""
    cloud, filed = Cloud(), command()
    reached, release = asyncio.Event(), asyncio.Event()
    rounds = []

    async def program(saga: Saga, _: FileNote, deps) -> str:
        async def make(token):
            rounds.append(saga.fence)
            if len(rounds) == 1:
                reached.set()
                await release.wait()
            return cloud.make(token)

        await saga.step("make", make)
        return {"fence": saga.fence}

    async with toys(program=program, lease_s=1) as one:
        one.deps.journal._beat = lambda *_: asyncio.Event().wait()
        await accept(one, filed)
        await reached.wait()
        async with toys(program=program, lease_s=1) as two:
            async with asyncio.timeout(30):
                while not any(isinstance(event, OperationSucceeded) for event in services.events):
                    await two.deps.journal.requeue()
                    await asyncio.sleep(0.2)
            release.set()
            await asyncio.sleep(0.2)
    (done,) = [event for event in services.events if isinstance(event, OperationSucceeded)]
    assert done.operation.result == {"fence": 2}


async def test_sagas_are_forgotten_with_their_steps_a_quarter_after_their_end_and_not_before(
    toys, services: Services, foundation_database
) -> None:
    async with toys(program=two_steps(Cloud())) as toy:
        old = command()
        await accept(toy, old)
        await accept(toy, command())
        await services.events_of(OperationSucceeded, 2)
        async with toy.deps.database.work(Context.background()) as work:
            await work.execute(
                text("UPDATE saga SET finished_at = now() - interval '91 days' WHERE id = :id"), {"id": old.id}
            )
            assert await forget_finished(work) == 1
    kept = organization_rows(foundation_database, "SELECT DISTINCT saga_id FROM saga_step")
    assert [row.saga_id for row in kept] == [
        row.id for row in organization_rows(foundation_database, "SELECT id FROM saga")
    ]
