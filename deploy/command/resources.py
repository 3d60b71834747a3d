"""`canopy resources`: list, show, create, bulk, start, stop, scale, sizes, delete. It waits, or not (`--no-wait`)."""

import json
from typing import Annotated, Any

import typer

from deploy.command.operations import check_success, follow, until_ended
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
ITEM_COLUMNS = ("index", "resource", "resource_name", "status", "error")
OFFER_COLUMNS = (
    "usd_per_hour",
    "capacity_type",
    "provider_name",
    "region",
    "instance_type",
    "vcpu",
    "memory_gib",
    "architecture",
)
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="follow the operation")]


@app.command("list")
def list_resources(
    status: str | None = None,
    provider_id: str | None = None,
    region: str | None = None,
    environment: str | None = None,
    origin: Annotated[str | None, typer.Option(help="provisioned or discovered")] = None,
    group: Annotated[str | None, typer.Option(help="the original's id: it and its copies")] = None,
    q: Annotated[str | None, typer.Option(help="beginning of the name")] = None,
    limit: int = 50,
    cursor: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Resources by filter, a page at a time."""
    query = {"resource_status": status, "provider_id": provider_id, "region": region, "environment": environment,
             "origin": origin, "group": group, "q": q, "limit": limit, "cursor": cursor}  # fmt: skip
    show(call("GET", PATH, query=query), as_json=as_json, columns=COLUMNS)


@app.command("show")
def show_resource(resource: str, as_json: AsJson = False) -> None:
    """All that is known of one resource."""
    show(call("GET", f"{PATH}/{resource}"), as_json=as_json)


@app.command("create")
def create_resource(
    name: Annotated[str | None, typer.Option()] = None,
    provider_id: Annotated[str | None, typer.Option(help="left out: the cheapest that fits")] = None,
    region: Annotated[str | None, typer.Option(help="left out: the cheapest that fits")] = None,
    subtype: Annotated[str | None, typer.Option(help="at a named place ec2_instance when left out")] = None,
    resource_type: Annotated[str, typer.Option("--type")] = "compute",
    configuration: Annotated[str, typer.Option(help="JSON of the subtype's schema")] = "{}",
    environment: Annotated[str, typer.Option()] = "development",
    min_vcpu: Annotated[int | None, typer.Option(help="at least so many processors")] = None,
    min_memory_gib: Annotated[float | None, typer.Option(help="at least so much memory")] = None,
    architecture: Annotated[str | None, typer.Option(help="x86_64, arm64 or any")] = None,
    in_region: Annotated[list[str] | None, typer.Option(help="only in this region; may be repeated")] = None,
    at: Annotated[list[str] | None, typer.Option(help="only at this cloud: aws, linode…; may be repeated")] = None,
    max_price: Annotated[float | None, typer.Option(help="at most so many USD an hour")] = None,
    spot: Annotated[bool, typer.Option("--spot", help="also machines that the provider may take back")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only show the offers, in their order")] = False,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Provision a resource: at a named place, or a machine at the cheapest offer that fits."""
    given = {"min_vcpu": min_vcpu, "min_memory_gib": min_memory_gib, "architecture": architecture,
             "regions": in_region or None, "providers": at or None, "max_price_usd_per_hour": max_price,
             "spot_allowed": spot or None}  # fmt: skip
    constraints = {key: value for key, value in given.items() if value is not None}
    is_named = provider_id is not None and region is not None and not constraints
    place = {"provider_id": provider_id, "region": region,
             "resource_subtype": "ec2_instance" if subtype is None and is_named and not dry_run else subtype,
             "configuration": _parsed(configuration)}  # fmt: skip
    if dry_run:
        found = call("POST", "/api/cloud/placement/offers", body={**place, "constraints": constraints})
        show(found if as_json else {"items": found["offers"]}, as_json=as_json, columns=OFFER_COLUMNS)
        return
    if name is None:
        raise typer.BadParameter("--name is needed")
    body = {**place, "resource_name": name, "resource_type": resource_type, "environment": environment,
            "constraints": constraints or None}  # fmt: skip
    _begun(call("POST", PATH, body=body), wait=wait, as_json=as_json)


def _parsed(configuration: str) -> Any:
    try:
        return json.loads(configuration)
    except ValueError as error:
        raise typer.BadParameter(f"--configuration is not JSON: {error}") from None


@app.command("bulk")
def provision_fleet(
    items: Annotated[typer.FileText, typer.Argument(help="a JSON list of items as for `create`; - reads the input")],
    policy: Annotated[str, typer.Option(help="best_effort or all_or_nothing")] = "best_effort",
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Provision up to 200 resources at once, at several providers if need be; exit status 1 when it failed."""
    try:
        parsed = json.load(items)
    except ValueError as error:
        raise typer.BadParameter(f"the items are not JSON: {error}") from None
    accepted = call("POST", f"{PATH}/bulk-provision", body={"items": parsed, "policy": policy})
    if not wait:
        show(accepted if as_json else accepted["operation"], as_json=as_json)
        return
    ended = until_ended(accepted["operation"]["id"], quiet=as_json)
    if as_json:
        show(ended, as_json=True)
    elif ended["result"]:
        show({"items": ended["result"]["items"]}, as_json=False, columns=ITEM_COLUMNS)
    check_success(ended)


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
    out: Annotated[int | None, typer.Option("--out", help="so many copies more", min=1)] = None,
    into: Annotated[int | None, typer.Option("--in", help="so many copies fewer, the newest first", min=1)] = None,
    reason: Annotated[str | None, typer.Option(help="for the history")] = None,
    force: Annotated[bool, typer.Option("--force", help="also when it is critical")] = False,
    wait: Wait = True,
    as_json: AsJson = False,
) -> None:
    """Give a resource another size, for which what runs is stopped; or make more or fewer of it."""
    ways = {"scale_up": up, "scale_down": down, "scale_out": out, "scale_in": into}
    chosen = [name for name, way in ways.items() if way]
    if len(chosen) > 1 or not (chosen or instance_type):
        raise typer.BadParameter("one of --up, --down, --out, --in and --instance-type is needed, and one way only")
    action = chosen[0] if chosen else "configuration_change"
    body = {"action": action, "instance_type": instance_type, "count": out or into, "reason": reason, "force": force}
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
