"""Start the sinks: `python -m deploy.local.sinks --port N --smtp-port M --data-dir DIR`."""

import argparse
from pathlib import Path

import uvicorn

from deploy.local.sinks.application import LOOPBACK, application
from deploy.local.sinks.faults import Faults
from deploy.local.sinks.messages import Messages


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.sinks")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", "--http-port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    given = parser.parse_args()
    messages = Messages(given.data_dir / "messages.jsonl")
    app = application(messages, Faults(), given.smtp_port, given.host)
    uvicorn.run(app, host=given.host, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
