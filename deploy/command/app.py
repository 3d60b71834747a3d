"""Which words does `canopy` know? One file per noun; heavy modules are imported only by the word that needs them."""

import sys

import typer

from deploy.command import alerts, costs, dead, deployment, operations, providers, resources
from deploy.command.output import complain
from deploy.command.rest import Problem, Unreachable
from shared.kit.errors import CanopyError, TimedOut, Unavailable

app = typer.Typer(
    name="canopy", help="Operate a Canopy deployment, and use it.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(providers.app, name="providers", help="Accounts at clouds.")
app.add_typer(resources.app, name="resources", help="What runs at them.")
app.add_typer(alerts.app, name="alerts", help="What needs attention.")
app.add_typer(costs.app, name="costs", help="What it costs.")
app.add_typer(operations.app, name="operations", help="Long work, with live progress.")
app.add_typer(dead.app, name="dead", help="Messages that could not be processed.")
deployment.add_to(app)


def main() -> None:
    """Exit status 1 for an answer that is an error, 2 for a wrong call, 3 when nobody answers."""
    try:
        app()
    except Problem as problem:
        complain(str(problem))
        sys.exit(1)
    except Unreachable as failure:
        complain(str(failure))
        sys.exit(3)
    except CanopyError as refusal:  # said by the bus or by an owner that was asked over it
        complain(f"{refusal.code}: {refusal.detail}")
        sys.exit(3 if isinstance(refusal, Unavailable | TimedOut) else 1)
