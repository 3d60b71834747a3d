"""`canopy resources`: list, show, create, start, stop, scale, sizes, delete. Long work is followed, or `--no-wait`."""

import json
from typing import Annotated, Any

import typer

from deploy.command.operations import follow
from deploy.command.output import show
from deploy.command.rest import call

app = typer.Typer(no_args_is_help=True)
PATH = "/api/cloud/resources"
COLUMNS = ("id", "resource_name", "resource_status", "health_status", "resource_subtype", "region", "resource_id")
SCALING_COLUMNS = (
    "started_at",
    "action",
    "trigger",
    "success",
    "duration_s",
    "performance_impact",
    "cost_impact",
    "error",
)
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="follow the operation")]


@app.command("list")
def list_resources(
    status: str | None = None,
    provider_id: str | None = None,
    region: str | None = None,
    environment: str | None = None,
    q: Annotated[str | None, typer.Option(help="beginning of the name")] = None,
    limit: int = 50,
    cursor: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Resources by filter, a page at a time."""
    query = {"resource_status": status, "provider_id": provider_id, "region": region, "environment": environment,
             "q": q, "limit": limit, "cursor": cursor}  # fmt: skip
    show(call("GET", PATH, query=query), as_json=as_json, columns=COLUMNS)


@app.command("show")
def show_resource(resource: str, as_json: AsJson = False) -> None:
    """All that is known of one resource."""
    show(call("GET", f"{PATH}/{resource}"), as_json=as_json)


@app.command("create")
def create_resource(
    provider_id: Annotated[str, typer.Option()],
    region: Annotated[str, typer.Option()],
    name: Annotated[str, typer.Option()],
    subtype: Annotated[str, typer.Option()] = "ec2_instance",
    resource_type: Annotated[str, typer.Option("--type")] = "compute",
    configuration: Annotated[str, typer.Option(help="JSON of the subtype's schema")] = "{}",
    environment: Annotated[str, typer.Option()] = "development",
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Provision a resource."""
    try:
        parsed = json.loads(configuration)
    except ValueError as error:
        raise typer.BadParameter(f"--configuration is not JSON: {error}") from None
    body = {"provider_id": provider_id, "region": region, "resource_name": name, "resource_type": resource_type,
            "resource_subtype": subtype, "configuration": parsed, "environment": environment}  # fmt: skip
    _begun(call("POST", PATH, body=body), wait=wait, as_json=as_json)


@app.command("start")
def start_resource(resource: str, wait: Wait = True, as_json: AsJson = False) -> None:
    """Start a stopped resource."""
    _begun(call("POST", f"{PATH}/{resource}/start"), wait=wait, as_json=as_json)


@app.command("stop")
def stop_resource(resource: str, wait: Wait = True, as_json: AsJson = False) -> None:
    """Stop a running resource."""
    _begun(call("POST", f"{PATH}/{resource}/stop"), wait=wait, as_json=as_json)


@app.command("scale")
def scale_resource(
    resource: str,
    instance_type: Annotated[str | None, typer.Option(help="left out: the next of the family")] = None,
    up: Annotated[bool, typer.Option("--up", help="to a larger size")] = False,
    down: Annotated[bool, typer.Option("--down", help="to a smaller size")] = False,
    reason: Annotated[str | None, typer.Option(help="for the history")] = None,
    force: Annotated[bool, typer.Option("--force", help="also when it is critical")] = False,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Give a resource another size; what runs is stopped for it."""
    if (up and down) or not (up or down or instance_type):
        raise typer.BadParameter("one of --up, --down and --instance-type is needed, and not both directions")
    action = "scale_up" if up else "scale_down" if down else "configuration_change"
    body = {"action": action, "instance_type": instance_type, "reason": reason, "force": force}
    _begun(call("POST", f"{PATH}/{resource}/scale", body=body), wait=wait, as_json=as_json)


@app.command("sizes")
def list_scalings(resource: str, limit: int = 50, cursor: str | None = None, as_json: AsJson = False) -> None:
    """Which sizes a resource was given, and why."""
    found = call("GET", f"{PATH}/{resource}/scaling-history", query={"limit": limit, "cursor": cursor})
    show(found, as_json=as_json, columns=SCALING_COLUMNS)


@app.command("delete")
def delete_resource(resource: str, wait: Wait = True, as_json: AsJson = False) -> None:
    """Terminate a resource."""
    _begun(call("DELETE", f"{PATH}/{resource}"), wait=wait, as_json=as_json)


def _begun(accepted: dict[str, Any], *, wait: bool, as_json: bool) -> None:
    if not wait:
        show(accepted if as_json else accepted["operation"], as_json=as_json)
        return
    follow(accepted["operation"]["id"], quiet=as_json)
    show(call("GET", f"{PATH}/{accepted['resource']['id']}"), as_json=as_json)
