"""`canopy operations`: list, show, and watch with live progress."""

import sys
import time
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.command.output import complain, console, show
from deploy.command.rest import call

app = typer.Typer(no_args_is_help=True)
PATH = "/api/operations"
COLUMNS = ("id", "kind", "status", "progress", "created_at", "finished_at")
LOOK_S = 0.4
FINAL = frozenset({"succeeded", "failed", "cancelled"})
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs")]


@app.command("list")
def list_operations(status: str | None = None, cursor: str | None = None, as_json: AsJson = False) -> None:
    """Long work, newest first."""
    show(call("GET", PATH, query={"status": status, "cursor": cursor}), as_json=as_json, columns=COLUMNS)


@app.command("show")
def show_operation(operation: str, as_json: AsJson = False) -> None:
    """One operation."""
    show(call("GET", f"{PATH}/{operation}"), as_json=as_json)


@app.command("watch")
def watch_operation(operation: str, as_json: AsJson = False) -> None:
    """Follow an operation until it ends; exit status 1 when it failed."""
    show(follow(operation, quiet=as_json), as_json=as_json)


def follow(operation: str, *, quiet: bool) -> dict[str, Any]:
    """Look until the operation ends. Exits with 1 when it failed."""
    state = until_ended(operation, quiet=quiet)
    check_success(state)
    return state


def check_success(state: dict[str, Any]) -> None:
    """Exit with 1, and say why, when the operation failed."""
    if state["status"] != "succeeded":
        error = state.get("error") or {}
        complain(f"{state['kind']} {state['status']}: {error.get('detail') or error.get('code') or ''}")
        sys.exit(1)


def until_ended(operation: str, *, quiet: bool) -> dict[str, Any]:
    """Look until the operation ends; a progress bar where somebody looks on."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    hidden = quiet or not console().is_terminal
    with Progress(*columns, console=console(), transient=True, disable=hidden) as progress:
        task = progress.add_task("accepted", total=None)
        while True:
            state: dict[str, Any] = call("GET", f"{PATH}/{operation}")
            done = state["progress"]
            progress.update(
                task,
                description=f"{state['kind']}: {done['stage'] or state['status']}",
                total=done["total"] or None,
                completed=done["completed"],
            )
            if state["status"] in FINAL:
                return state
            time.sleep(LOOK_S)
