"""`canopy up, status, bootstrap, migrate, topology, rotate-keys, grant`: the life of a deployment."""

import asyncio
import json
import os
import sys
import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import httpx
import typer

from deploy.command.dead import with_bus
from deploy.command.environment import home, operator_variables
from deploy.command.output import complain, say, show
from shared.bus.connection import Bus

AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs")]
Services = Annotated[list[str] | None, typer.Option("--service", help="only these (default: all that are here)")]
IDLE_ROUNDS = 10
"""Rotations in a row that sealed nothing although something remains; what is only on its way arrives meanwhile."""
AGAIN_S = 0.5
DATABASES = ("gateway", "provisioner", "monitor", "costs", "recovery")


def add_to(app: typer.Typer) -> None:
    """Add the words of this file to the command."""
    app.command("up")(start_embedded)
    app.command("status")(show_status)
    app.command("bootstrap")(bootstrap)
    app.command("migrate")(migrate)
    app.command("topology")(reconcile_topology)
    app.command("rotate-keys")(rotate_keys)
    app.command("grant")(grant)


def start_embedded() -> None:
    """Start everything on this machine, with a simulated cloud; Ctrl-C stops it."""
    os.execv(sys.executable, [sys.executable, "-m", "deploy.local", "up"])


def show_status(as_json: AsJson = False) -> None:
    """The processes of the embedded deployment and whether each can work; exit status 1 when one cannot."""
    file = home() / "state.json"
    if not file.exists():
        complain(f"no embedded deployment is in {home()}")
        raise typer.Exit(1)
    processes = json.loads(file.read_text())["processes"]
    items = [_probe(name, process) for name, process in processes.items()]
    show({"items": items}, as_json=as_json, columns=("name", "pid", "url", "ready", "missing"))
    if not all(item["ready"] for item in items):
        raise typer.Exit(1)


def _probe(name: str, process: dict[str, object]) -> dict[str, object]:
    """Ask a process for its readiness; a server without the question is ready when it runs."""
    url = process.get("ready_url")
    found: dict[str, object] = {"name": name, "pid": process.get("pid"), "url": url}
    if not isinstance(url, str):
        return found | {"ready": _runs(process.get("pid")), "missing": None}
    try:
        answer = httpx.get(url, timeout=3)
    except httpx.HTTPError as error:
        return found | {"ready": False, "missing": type(error).__name__}
    body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    return found | {"ready": answer.is_success, "missing": ", ".join(body.get("missing", [])) or None}


def _runs(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def bootstrap(
    organization: Annotated[str, typer.Option(help="its name")],
    slug: Annotated[str, typer.Option(help="its name in tags and links")],
    owner_email: Annotated[str, typer.Option()],
    owner_name: Annotated[str, typer.Option()] = "Owner",
    as_json: AsJson = False,
) -> None:
    """The first organization and its owner on an empty deployment; the password is asked for or read from stdin."""
    from shared.messages.context import Context  # noqa: PLC0415 - `canopy --help` stays fast
    from shared.messages.organizations import BootstrapDeployment  # noqa: PLC0415

    ask = typer.prompt("owner's password", hide_input=True, confirmation_prompt=True) if sys.stdin.isatty() else None
    request = BootstrapDeployment(
        **Context.background().envelope(datetime.now(UTC)),
        organization_name=organization,
        slug=slug,
        owner_email=owner_email,
        owner_name=owner_name,
        owner_password=ask or sys.stdin.readline().strip(),
    )
    made = with_bus(lambda bus: bus.ask_for(request))
    say("the key is shown once") if not as_json else None
    show(json.loads(made.model_dump_json()), as_json=as_json)


def migrate(service: Services = None, revision: str = "head") -> None:
    """Bring databases to a revision. Needs CANOPY_<SERVICE>_OWNER_URL, or CANOPY_DATABASE_OWNER_URL for one service."""
    from shared.db.migrate import upgrade  # noqa: PLC0415
    from shared.db.revisions import current  # noqa: PLC0415

    variables = operator_variables()
    for name in service or DATABASES:
        url = variables.get(f"CANOPY_{name.upper()}_OWNER_URL")
        if url is None and service is not None and len(service) == 1:
            url = variables.get("CANOPY_DATABASE_OWNER_URL")
        if url is None:
            complain(f"CANOPY_{name.upper()}_OWNER_URL is not set")
            raise typer.Exit(2)
        upgrade(name, url, revision)
        say(f"{name}: {current(url)}")


def reconcile_topology(
    service: Services = None,
    replicas: Annotated[
        int | None, typer.Option(envvar="CANOPY_NATS_REPLICAS", help="copies in a NATS cluster (default: as they are)")
    ] = None,
) -> None:
    """Make streams and consumers what the code says. Needs the topology user's CANOPY_NATS_TOPOLOGY_PASSWORD."""
    from shared.bus.topology import TopologySettings, apply, present_services  # noqa: PLC0415

    variables = operator_variables()
    settings = TopologySettings(
        nats_replicas=replicas,
        nats_url=variables.get("CANOPY_NATS_URL", "nats://127.0.0.1:4222"),
        nats_user="topology",
        nats_password=variables.get("CANOPY_NATS_TOPOLOGY_PASSWORD", ""),
    )
    names = service or present_services()
    asyncio.run(apply(settings, names))
    say(f"streams and consumers stand: {', '.join(names)}")


def rotate_keys() -> None:
    """Seal stored credentials again under the key ring's primary key; ends when none remains, and may be broken off."""
    from shared.messages.channels import RotateChannelSecrets  # noqa: PLC0415
    from shared.messages.context import Context  # noqa: PLC0415
    from shared.messages.providers import RotateCredentials, Rotation  # noqa: PLC0415

    async def rotate(bus: Bus) -> Rotation:
        """Of everybody who keeps something sealed: the providers' credentials, the channels' secrets."""
        envelope = Context.background().envelope
        asked = [request(**envelope(datetime.now(UTC))) for request in (RotateCredentials, RotateChannelSecrets)]
        found = [Rotation.model_validate(await bus.ask_for(each)) for each in asked]
        return Rotation(rotated=sum(one.rotated for one in found), remaining=sum(one.remaining for one in found))

    idle_rounds = 0
    while True:
        rotation = with_bus(rotate)
        say(f"sealed again: {rotation.rotated}, remaining: {rotation.remaining}")
        if not rotation.remaining:
            return
        idle_rounds = 0 if rotation.rotated else idle_rounds + 1
        if idle_rounds == IDLE_ROUNDS:
            complain("what remains does not open: put its key back into the key ring, or remove those providers")
            raise typer.Exit(1)
        time.sleep(AGAIN_S)


def grant(name: str, organization: Annotated[UUID, typer.Option()]) -> None:
    """A NATS user that reads one organization's events and nothing else (docs/how-to/subscribe-to-events.md)."""
    if (home() / "state.json").exists():
        from deploy.local.strangers import grant as grant_embedded  # noqa: PLC0415

        for variable, value in grant_embedded(home(), name, organization).items():
            say(f"{variable}={value}")
        return
    from secrets import token_urlsafe  # noqa: PLC0415

    from shared.bus.permissions import render, stranger_user  # noqa: PLC0415

    say("add to the users of the NATS configuration, then reload the server:")
    print(render([stranger_user(name, organization, token_urlsafe(32))]))
