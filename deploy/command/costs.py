"""`canopy costs`: the overview and the budgets."""

from typing import Annotated

import typer

from deploy.command.output import show
from deploy.command.rest import call

app = typer.Typer(no_args_is_help=True)
PATH = "/api/cloud/costs"
BUDGETS = ("id", "budget_name", "budget_scope", "budget_amount", "currency", "current_spend", "forecast_spend")
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs")]


@app.command("overview")
def show_overview(as_json: AsJson = False) -> None:
    """Month to date, projection, and where it goes."""
    show(call("GET", f"{PATH}/overview"), as_json=as_json)


@app.command("budgets")
def list_budgets(as_json: AsJson = False) -> None:
    """Limits and how much of them is spent."""
    show(call("GET", f"{PATH}/budgets"), as_json=as_json, columns=BUDGETS)
