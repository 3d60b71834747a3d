"""`canopy alerts`: list, acknowledge, resolve."""

from typing import Annotated

import typer

from deploy.command.output import show
from deploy.command.rest import call

app = typer.Typer(no_args_is_help=True)
PATH = "/api/cloud/monitoring/alerts"
COLUMNS = (
    "id",
    "severity_level",
    "status",
    "alert_name",
    "resource_name",
    "current_value",
    "threshold",
    "triggered_at",
)
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs")]


@app.command("list")
def list_alerts(
    status: Annotated[str | None, typer.Option(help="active, acknowledged, suppressed, resolved")] = None,
    cursor: str | None = None,
    as_json: AsJson = False,
) -> None:
    """What has fired."""
    show(call("GET", PATH, query={"status": status, "cursor": cursor}), as_json=as_json, columns=COLUMNS)


@app.command("ack")
def acknowledge_alert(alert: str, as_json: AsJson = False) -> None:
    """Say that somebody takes care of it."""
    show(call("POST", f"{PATH}/{alert}/ack"), as_json=as_json)


@app.command("resolve")
def resolve_alert(
    alert: str, notes: Annotated[str, typer.Option(help="what was done")] = "", as_json: AsJson = False
) -> None:
    """Say that it is over."""
    show(call("POST", f"{PATH}/{alert}/resolve", body={"resolution_notes": notes}), as_json=as_json)
