"""`canopy providers`: list, show, add, test, regions, services, quotas, sync, trust, remove."""

import json
import sys
from typing import Annotated, Any

import typer

from deploy.command.operations import follow
from deploy.command.output import say, show
from deploy.command.rest import call

app = typer.Typer(no_args_is_help=True)
PATH = "/api/cloud/providers"
SERVICE_COLUMNS = ("resource_type", "resource_subtype", "display_name", "can", "sizes", "fields")
QUOTA_COLUMNS = ("service", "quota_name", "quota_code", "limit", "used", "unit")
SCOPE_COLUMNS = ("region", "resource_subtype", "state", "age", "things", "is_reading", "error")
COLUMNS = (
    "id", "provider_name", "display_name", "account_id", "health_status", "health_since", "health_reason", "regions",
)  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs")]


@app.command("list")
def list_providers(as_json: AsJson = False) -> None:
    """All accounts."""
    show(call("GET", PATH), as_json=as_json, columns=COLUMNS)


@app.command("show")
def show_provider(provider: str, as_json: AsJson = False) -> None:
    """One account; its credentials are never shown."""
    show(call("GET", f"{PATH}/{provider}"), as_json=as_json)


@app.command("add")
def add_provider(
    name: Annotated[str, typer.Option(help="what to call it")],
    region: Annotated[list[str], typer.Option(help="may be given several times")],
    cloud: Annotated[str, typer.Option(help="aws, azure, gcp, digitalocean, linode, vultr")] = "aws",
    access_key_id: Annotated[str | None, typer.Option(help="of AWS")] = None,
    metrics_period_s: Annotated[int | None, typer.Option(help="seconds between the points it publishes")] = None,
    as_json: AsJson = False,
) -> None:
    """Add an account; what is secret is asked for, or read from standard input: never an argument.

    With an access key id that is the secret access key; else all credentials, as one JSON document on one line:
    {"token": …}, {"tenant_id": …, "client_id": …, "client_secret": …, "subscription_id": …},
    {"project_id": …, "service_account_key": …}; other ways have a "method" (docs/how-to/add-an-account.md).
    """
    body: dict[str, Any] = {
        "provider_name": cloud,
        "display_name": name,
        "regions": region,
        "credentials_config": _credentials(access_key_id),
    }
    if metrics_period_s is not None:
        body["metrics_period_s"] = metrics_period_s
    show(call("POST", PATH, body=body), as_json=as_json)


def _credentials(access_key_id: str | None) -> Any:
    asked_for = "credentials (JSON)" if access_key_id is None else "secret access key"
    given = typer.prompt(asked_for, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    if access_key_id is not None:
        return {"access_key_id": access_key_id, "secret_access_key": given}
    try:
        return json.loads(given)
    except ValueError:  # its text would repeat what was read
        raise typer.BadParameter("the credentials are not a JSON document on one line") from None


@app.command("test")
def test_provider(provider: str, as_json: AsJson = False) -> None:
    """Ask the cloud who we are."""
    show(call("POST", f"{PATH}/{provider}/test-connection"), as_json=as_json)


@app.command("regions")
def list_regions(provider: str, as_json: AsJson = False) -> None:
    """The account's regions and their zones."""
    show(
        call("GET", f"{PATH}/{provider}/regions"),
        as_json=as_json,
        columns=("region_code", "region_name", "availability_zones"),
    )


@app.command("services")
def list_services(provider: str, as_json: AsJson = False) -> None:
    """What can be provisioned there, with which fields; the whole JSON Schema with --json."""
    found = call("GET", f"{PATH}/{provider}/services")
    if not as_json:
        found["items"] = [_told(each) for each in found["items"]]
    show(found, as_json=as_json, columns=SERVICE_COLUMNS)


def _told(service: dict[str, Any]) -> dict[str, Any]:
    """A service on one line: the names of its fields, and how many sizes there are."""
    actions = [word for word in ("start", "stop", "resize", "change") if service[f"can_{word}"]]
    sizes = service["sizes"]
    told = {"can": ", ".join(actions), "fields": ", ".join(service["configuration_schema"].get("properties", {}))}
    return {**service, **told, "sizes": "not known" if sizes is None else len(sizes)}


@app.command("quotas")
def list_quotas(
    provider: str,
    region: Annotated[str, typer.Option(help="a region, or global")] = "global",
    as_json: AsJson = False,
) -> None:
    """How much the account may have there, and how much of it has it where the provider tells."""
    found = call("GET", f"{PATH}/{provider}/quotas", query={"region": region})
    show(found, as_json=as_json, columns=QUOTA_COLUMNS)


@app.command("sync")
def sync_provider(
    provider: str,
    begin: Annotated[bool, typer.Option("--begin", help="read the account now, and wait for the end")] = False,
    unknown: Annotated[bool, typer.Option("--unknown", help="only what is not known to be complete")] = False,
    as_json: AsJson = False,
) -> None:
    """How complete the inventory of an account is: each region and kind of thing, the age of its facts, what failed."""
    if begin:
        follow(call("POST", f"{PATH}/{provider}/sync")["operation"]["id"], quiet=as_json)
    found = call("GET", f"{PATH}/{provider}/sync")
    scopes = [each for each in found["scopes"] if each["state"] == "unknown" or not unknown]
    if as_json:
        show({**found, "scopes": scopes}, as_json=True)
        return
    show({"items": [_scope(each) for each in scopes]}, as_json=False, columns=SCOPE_COLUMNS)
    lacking = sum(each["state"] == "unknown" for each in found["scopes"])
    say(f"{len(found['scopes'])} scopes, {lacking} of them unknown; the oldest facts: {_age(found['oldest_age_s'])}")


def _scope(scope: dict[str, Any]) -> dict[str, Any]:
    """A scope on one line: why it was not read to its end, where it was not."""
    error = scope["error"]
    why = "" if error is None else f"{error['code']} ({error['failures']} times): {error['detail']}"
    return {**scope, "age": _age(scope["age_s"]), "error": why}


def _age(seconds: float | None) -> str:
    return "never read to the end" if seconds is None else f"{seconds:.0f} s"


@app.command("trust")
def show_trust(cloud: Annotated[str, typer.Option(help="aws, azure, gcp")], as_json: AsJson = False) -> None:
    """What your cloud has to trust for an account without a secret of yours: external id, issuer, subject."""
    show(call("GET", f"{PATH}/trust", query={"provider_name": cloud}), as_json=as_json)


@app.command("remove")
def remove_provider(provider: str, as_json: AsJson = False) -> None:
    """Refused while active resources exist."""
    show(call("DELETE", f"{PATH}/{provider}"), as_json=as_json)
