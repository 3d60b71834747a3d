"""How does one replica live a life that ends at a boundary, and then the next one?

`python -m deploy.chaos.replica provisioner --seed 7 --kills 5 --log kills.jsonl [--favourites "create machine"]`, or,
with certain ends, `--crash "create machine" --at before-call after-call [--count 1]`. Each life is a process of its
own, forked after the imports so that it begins in half a second, not in three; after the last kill it lives in peace.
`--preload` names modules that a life imports at its first calls to a cloud: Google's SDK takes three seconds of CPU.
So that they are imported once for many series of lives, a SIGHUP ends the life in peace when the file `--following` is
there, which holds the arguments of the next series, one a line. It is removed when they are taken.
"""

import argparse
import importlib
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from deploy.chaos.crashes import Boundary, Crash, CrashingSaga, Plan
from shared.runtime.process import Application, Build, Foundation, run

PORT_TAKEN = 3
"""uvicorn's exit status: between two lives somebody's outgoing connection may have been given our port."""
PORT_AGAIN_S = 1.0


def read_arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("service")
    parser.add_argument("--seed", default="0", help="of the ends of all lives")
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--log", type=Path, required=True, help="where each kill is written, one JSON line")
    parser.add_argument("--favourites", nargs="*", default=[], help="the steps that half of the kills are about")
    parser.add_argument("--crash", help="die at this step")
    parser.add_argument("--at", type=Boundary, nargs="+", default=[], choices=list(Boundary), help="one for each life")
    parser.add_argument("--count", type=int, default=1, help="how many sagas may pass before")
    parser.add_argument("--preload", nargs="*", default=[], help="modules to import before the first life")
    parser.add_argument("--following", type=Path, help="where the next series of lives is ordered")
    arguments = parser.parse_args(words)
    if arguments.crash:
        arguments.kills = len(arguments.at)
    return arguments


def plan_of(arguments: argparse.Namespace, life: int) -> Plan:
    """The end of one life; the same for the same seed."""
    if arguments.crash:
        return Plan(arguments.crash, arguments.at[life], arguments.count)
    return Plan.draw(random.Random(f"{arguments.seed}/{life}"), arguments.favourites)


def watched(build: Build[Any], crash: Crash) -> Build[Any]:
    """The service's own build, with sagas that report where they are."""

    async def build_watched(foundation: Foundation[Any]) -> Application:
        foundation.journal.new_saga = partial(CrashingSaga, passes=crash.passes)
        return await build(foundation)

    return build_watched


def main() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    arguments = read_arguments(sys.argv[1:])
    settings = importlib.import_module(f"services.{arguments.service}.settings").Settings
    for name in arguments.preload:
        importlib.import_module(name)
    build: Build[Any] = importlib.import_module(f"services.{arguments.service}.main").build

    def live(arguments: argparse.Namespace, life: int) -> None:
        ends = life < arguments.kills
        own = watched(build, Crash(plan_of(arguments, life), arguments.log)) if ends else build
        run(arguments.service, settings(), own)

    life, following = 0, arguments.following
    while True:
        ending = _in_child(partial(live, arguments, life), following)
        if following is not None and following.exists():
            arguments, life = read_arguments(following.read_text().splitlines()), 0
            following.unlink()
            continue
        if ending == PORT_TAKEN:
            time.sleep(PORT_AGAIN_S)
            continue
        if ending != -signal.SIGKILL:
            sys.exit(max(ending, 0))
        life += 1


def _in_child(live: Callable[[], None], following: Path | None) -> int:
    """Run one life; its exit status, negative for the signal that ended it. A SIGTERM of ours is handed on to it.

    So is a SIGHUP, as a SIGTERM, when another series of lives is ordered.
    """
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        live()
        sys.stdout.flush()
        os._exit(0)

    def hand_on(number: int, _: FrameType | None) -> None:
        os.kill(child, number)

    def follow(*_: object) -> None:
        if following is not None and following.exists():
            with suppress(ProcessLookupError):  # it has ended already
                os.kill(child, signal.SIGTERM)

    signal.signal(signal.SIGTERM, hand_on)
    signal.signal(signal.SIGHUP, follow)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    main()
