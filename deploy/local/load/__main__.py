"""Start the load feeder, or push one resource: `python -m deploy.local.load [push] …`."""

import argparse
import logging
import sys
from pathlib import Path

import uvicorn

from deploy.local.load.application import application
from deploy.local.load.command import push_resource
from deploy.local.load.feeder import Feeder
from deploy.local.load.pushes import Pushes
from deploy.local.load.series import PUSHABLE

LOOPBACK = "127.0.0.1"


def run(arguments: list[str]) -> None:
    """Feeds until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.load")
    parser.add_argument("--simulator", required=True, help="address of the simulated AWS")
    parser.add_argument("--accounts", type=Path, required=True, help="its accounts.json")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    pushes = Pushes(given.data_dir / "pushes.json")
    feeder = Feeder(given.simulator, given.accounts, pushes)
    uvicorn.run(application(feeder, pushes), host=given.host, port=given.port, log_level="warning")


def push(arguments: list[str]) -> None:
    """Pushes one resource, or says why not and exits with 1."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.load push")
    parser.add_argument("--resource", required=True, help="the Canopy id of a resource")
    for name in PUSHABLE:
        parser.add_argument(f"--{name.replace('_', '-')}", type=float)
    parser.add_argument("--seconds", type=float, help="how long; without it, until taken back")
    given = parser.parse_args(arguments)
    values = {name: getattr(given, name) for name in PUSHABLE if getattr(given, name) is not None}
    try:
        instance_id = push_resource(given.resource, values, given.seconds)
    except LookupError as error:
        raise SystemExit(f"not pushed: {error.args[0]}") from error
    shown = ", ".join(f"{name} {value:g}" for name, value in values.items())
    print(f"{instance_id} is now at {shown}" + (f" for {given.seconds:g} s" if given.seconds else ""))


if __name__ == "__main__":
    if sys.argv[1:2] == ["push"]:
        push(sys.argv[2:])
    else:
        run(sys.argv[1:])
