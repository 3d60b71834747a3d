"""What does `make up` do? Start the stack, seed the demonstration, say what to try, and stop everything on Ctrl-C."""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.local.demonstration import Demonstration
from deploy.local.processes import StartFailed
from deploy.local.seed import seed
from deploy.local.stack import Stack

DEFAULT_HOME = ".canopy"
DEFAULT_HTTP_PORT = 8080
_LOOK_AGAIN_S = 0.2


class _Asked(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived; no `except Exception` on the way may swallow it."""


def up() -> int:
    """Run until a signal asks for the end; the exit status. Settings: CANOPY_HOME, CANOPY_HTTP_PORT."""
    begun_s = time.monotonic()
    home = Path(os.environ.get("CANOPY_HOME") or DEFAULT_HOME)
    stack = Stack(home, int(os.environ.get("CANOPY_HTTP_PORT") or DEFAULT_HTTP_PORT), say=_say)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ask)
    try:
        stack.start()
        demonstration = seed(stack)
        _welcome(stack, demonstration, time.monotonic() - begun_s)
        while True:
            stack.supervisor.bring_back_crashed()
            time.sleep(_LOOK_AGAIN_S)
    except _Asked:
        status = 0
    except StartFailed as failure:
        _say(f"cannot start: {failure}")
        status = 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the end is bounded by the grace time; let it finish
        _say("stopping")
        stack.stop()
    _say("stopped")
    return status


def _ask(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Asked


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody may be reading any more; stopping everything still matters
        print(f"canopy: {line}", flush=True)


def _welcome(stack: Stack, demonstration: Demonstration, took_s: float) -> None:
    file = stack.home / "demo.env"
    _say(f"ready after {took_s:.1f} s")
    print(
        f"""
  URL             {stack.url}
  token           {demonstration.token}
  organization    {demonstration.organization}
  sent messages   {stack.sinks_url}
  logs            {stack.home / "logs"}

Try, in another shell:

  set -a; . {file}; set +a
  curl -sH "X-API-Key: $CANOPY_TOKEN" $CANOPY_URL/api/cloud/providers
  curl -sH "X-API-Key: $CANOPY_TOKEN" $CANOPY_URL/api/cloud/resources
  make load RESOURCE=<id of a running resource> CPU=97

Ctrl-C stops everything; the data stays in {stack.home}.
""",
        flush=True,
    )


def main() -> None:
    if sys.argv[1:] != ["up"]:
        raise SystemExit("usage: python -m deploy.local up")
    raise SystemExit(up())
