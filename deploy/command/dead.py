"""`canopy dead`: list, show and replay dead letters. Needs the operator's NATS user."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from nats.js.errors import NotFoundError

from deploy.command.environment import operator_variables
from deploy.command.output import complain, say, show
from shared.bus.connection import Bus, create_bus
from shared.bus.dead import DeadLetter, dead_letter, dead_letters
from shared.bus.dead import replay as bring_back
from shared.kit.settings import BaseServiceSettings

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("sequence", "service", "subject", "reason", "attempts", "time")
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs")]
T = TypeVar("T")


@app.command("list")
def list_letters(
    service: Annotated[str | None, typer.Option(help="only what this service could not process")] = None,
    as_json: AsJson = False,
) -> None:
    """Oldest first."""

    async def read(bus: Bus) -> list[DeadLetter]:
        return [letter async for letter in dead_letters(bus.jetstream, service)]

    items = [_shown(letter) for letter in with_bus(read)]
    show({"items": items, "next_cursor": None}, as_json=as_json, columns=COLUMNS)


@app.command("show")
def show_letter(sequence: int, as_json: AsJson = False) -> None:
    """One dead letter with its body."""
    letter = with_bus(lambda bus: dead_letter(bus.jetstream, sequence))
    show({**_shown(letter), "body": letter.body.decode(errors="replace"), "headers": letter.headers}, as_json=as_json)


@app.command("replay")
def replay_letter(sequence: int) -> None:
    """Bring it back to the service that failed, and to nobody else."""

    async def back(bus: Bus) -> DeadLetter:
        letter = await dead_letter(bus.jetstream, sequence)
        await bring_back(bus.jetstream, letter)
        return letter

    letter = with_bus(back)
    say(f"{letter.subject} went back to {letter.service}")


def with_bus(use: Callable[[Bus], Awaitable[T]]) -> T:
    """Run a function with the operator's connection; exit status 1 when what it asks for is not there."""

    async def run() -> T:
        variables = operator_variables()
        settings = BaseServiceSettings(
            nats_url=variables.get("CANOPY_NATS_URL", "nats://127.0.0.1:4222"),
            nats_user=variables.get("CANOPY_NATS_USER", "operator"),
            nats_password=variables.get("CANOPY_NATS_PASSWORD") or variables.get("CANOPY_NATS_OPERATOR_PASSWORD", ""),
        )
        bus = create_bus(settings, "operator")
        async with asyncio.timeout(10):
            await bus.open()
        try:
            return await use(bus)
        finally:
            await bus.close()

    try:
        return asyncio.run(run())
    except NotFoundError:
        complain("there is no such dead letter")
    except TimeoutError:
        complain("NATS does not answer, or does not know the operator")
    raise typer.Exit(1)


def _shown(letter: DeadLetter) -> dict[str, Any]:
    return {
        "sequence": letter.sequence,
        "service": letter.service,
        "subject": letter.subject,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "time": None if letter.time is None else letter.time.isoformat(),
    }
