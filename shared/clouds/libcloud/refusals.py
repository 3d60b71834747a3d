"""What is refused before the provider is asked, because it was read that it must be?"""

from __future__ import annotations

from shared.clouds.errors import Conflict, FieldProblem, InvalidRequest, NotFound, StillWorking, Unsupported
from shared.clouds.models import Machine, MachineSpec


def invalid(field: str, detail: str, *, provider: str, operation: str) -> InvalidRequest:
    """One field is wrong."""
    return InvalidRequest(
        f"invalid_{field}".partition(".")[0],
        f"{field} {detail}",
        provider=provider,
        operation=operation,
        problems=(FieldProblem(field, detail),),
    )


def tags_not_kept(kind: str, why: str, *, provider: str, operation: str) -> Unsupported:
    """Of a kind whose tags only our own inventory keeps."""
    detail = f"of a {kind} are not kept there: {why}"
    return Unsupported(
        "unsupported_tags", f"tags {detail}", provider=provider, operation=operation,
        problems=(FieldProblem("tags", detail),),
    )  # fmt: skip


def not_found(what: str, *, provider: str, operation: str) -> NotFound:
    return NotFound("not_found", f"There is no {what}", provider=provider, operation=operation)


def wrong_state(
    error: type[Conflict | StillWorking], machine: Machine, *, provider: str, operation: str
) -> Conflict | StillWorking:
    """`IncorrectState` or `StillWorking`: the machine's state does not allow it, for good or for now."""
    return error("wrong_state", f"{machine.id} is {machine.state}", provider=provider, operation=operation)


def made_for(machine: Machine, spec: MachineSpec, *, provider: str, operation: str) -> Machine:
    """The machine, when it is what the spec with its token asks for; else raises `Conflict`."""
    if machine.instance_type == spec.instance_type and spec.image in {None, machine.image}:
        return machine
    raise Conflict(
        "token_used", f"The token made {machine.id} of another type or image", provider=provider, operation=operation
    )
