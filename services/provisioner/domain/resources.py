"""What is to be decided about a resource: which change its state allows, who may force it, which tags it carries."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from shared.clouds.models import TOKEN_TAG, CapacityType
from shared.kit.errors import Conflict, FieldError, InvalidInput, PermissionDenied
from shared.security.permissions import Permission
from shared.security.roles import ROLE_PERMISSIONS, Role

COMPUTE, STORAGE, DNS = "compute", "storage", "dns"

PROVISIONING, RUNNING, AVAILABLE, STOPPED, STOPPING, STARTING, ERROR, TERMINATED = (
    "provisioning", "running", "available", "stopped", "stopping", "starting", "error", "terminated",
)  # fmt: skip
SERVING = frozenset({RUNNING, AVAILABLE})
"""What provisioning leads to."""

_INTERMEDIATE: Mapping[tuple[str, str], str] = {
    ("stop", RUNNING): STOPPING,
    ("stop", ERROR): STOPPING,
    ("start", STOPPED): STARTING,
    ("start", ERROR): STARTING,
    ("scale", RUNNING): STOPPING,
    ("scale", STOPPED): STOPPED,
    ("change", RUNNING): STARTING,
    ("change", AVAILABLE): STARTING,
    ("terminate", RUNNING): STOPPING,
    ("terminate", AVAILABLE): STOPPING,
    ("terminate", STOPPED): STOPPING,
    ("terminate", ERROR): STOPPING,
}
"""(action, status) -> the status while the action is at work. What is not here is not allowed."""

# docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html: 50 tags, 128 characters in a key, 256
# in a value. Four tags are ours (Name, Environment, Project, the token); the strictest provider's limits hold for all.
TAGS_MAX = 40
TAG_KEY_CHARACTERS_MAX = 128
TAG_VALUE_CHARACTERS_MAX = 256
_RESERVED_TAGS = frozenset({"name", "environment", "project"})
_RESERVED_PREFIXES = ("aws:", TOKEN_TAG.partition(":")[0] + ":")
_TAG_CHARACTERS = re.compile(r"[\w .:/=+\-@]*")

DEPENDENTS_TOLD = 10

_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge")


def next_status(action: str, status: str) -> str:
    """The status while `action` (stop, start, scale, terminate) is at work. Raises Conflict when it forbids that."""
    following = _INTERMEDIATE.get((action, status))
    if following is None:
        code = "already_terminated" if status == TERMINATED else "wrong_state"
        raise Conflict(f"a resource that is {status} cannot be asked to {action}", code=code)
    return following


def noun_of(resource_type: str) -> str:
    """What a thing of this type is called in the names of steps: `create machine`, `create bucket`."""
    return {COMPUTE: "machine", STORAGE: "bucket", DNS: "zone"}.get(resource_type, resource_type.replace("_", " "))


def check_changeable(resource_subtype: str, *, is_offered: bool) -> None:
    """Raise Conflict for what is in the inventory but cannot be made, and so not changed or removed, through it."""
    if not is_offered:
        raise Conflict(f"a {resource_subtype} is only seen here, not changed", code="not_changeable")


def check_stoppable(resource_subtype: str, *, can_stop: bool) -> None:
    """Raise Conflict for what never stands still, such as a bucket."""
    if not can_stop:
        raise Conflict(f"a {resource_subtype} cannot be stopped and started", code="not_stoppable")


def check_spot_stops(configuration: Mapping[str, Any], *, can_stop: bool) -> None:
    """Raise Conflict for a spot machine that has no way back once it stands still."""
    if is_spot(configuration) and not can_stop:
        reason = "this cloud's spot machines cannot be stopped, and so not get another type: only a new one can be"
        raise Conflict(reason, code="spot_not_stoppable")


def is_spot(configuration: Mapping[str, Any]) -> bool:
    """Whether a machine's provider may take it back."""
    return configuration.get("capacity_type") == CapacityType.SPOT


def check_machine(resource_type: str) -> None:
    """Raise Conflict for what has no sizes to go through."""
    if resource_type != COMPUTE:
        raise Conflict(f"a resource of type {resource_type} is changed by its configuration", code="not_scalable")


def check_idle(operation_id: object | None) -> None:
    """Raise Conflict while another operation works on the resource: one at a time."""
    if operation_id is not None:
        raise Conflict(f"operation {operation_id} is at work on this resource", code="operation_in_progress")


def check_force(*, critical: bool, force: bool, role: str) -> None:
    """A critical resource is stopped or removed by `force` only, and only by who may force. Raises Conflict, 403."""
    if not critical:
        return
    if not force:
        raise Conflict("the resource is critical: this needs force", code="critical_resource")
    _check_may_force(role, "a critical resource")


def check_dependents(names: Sequence[str], *, force: bool, role: str) -> None:
    """What others cannot do without is stopped or removed by `force` only, as a critical one is. Raises Conflict, 403.

    `names` are the living things that hang on it through hard edges; the first few are told.
    """
    if not names:
        return
    if not force:
        more = len(names) - DEPENDENTS_TOLD
        told = ", ".join(names[:DEPENDENTS_TOLD]) + (f" and {more} more" if more > 0 else "")
        raise Conflict(f"others cannot do without it: {told}. This needs force", code="has_dependents")
    _check_may_force(role, "a resource that others cannot do without")


def _check_may_force(role: str, what: str) -> None:
    if role not in set(Role) or Permission.RESOURCES_FORCE not in ROLE_PERMISSIONS[Role(role)]:
        raise PermissionDenied(f"force on {what} needs a manager or above")


def check_tags(tags: Mapping[str, str]) -> None:
    """Raise InvalidInput with a pointer for each tag that a provider would refuse or that is ours."""
    problems = [
        FieldError(f"/tags/{key.replace('~', '~0').replace('/', '~1')}", detail)
        for key, value in tags.items()
        for detail in _tag_problems(key, value)
    ]
    if len(tags) > TAGS_MAX:
        problems.append(FieldError("/tags", f"has {len(tags)} tags; at most {TAGS_MAX} are possible"))
    if problems:
        raise InvalidInput("the tags are not valid", errors=problems)


def _tag_problems(key: str, value: str) -> list[str]:
    problems = []
    if not 1 <= len(key) <= TAG_KEY_CHARACTERS_MAX:
        problems.append(f"a key has 1 to {TAG_KEY_CHARACTERS_MAX} characters")
    if key.lower() in _RESERVED_TAGS or key.lower().startswith(_RESERVED_PREFIXES):
        problems.append("the key is reserved")
    if len(value) > TAG_VALUE_CHARACTERS_MAX:
        problems.append(f"a value has at most {TAG_VALUE_CHARACTERS_MAX} characters")
    if not (_TAG_CHARACTERS.fullmatch(key) and _TAG_CHARACTERS.fullmatch(value)):
        problems.append("letters, digits, spaces and . : / = + - @ _ are possible")
    return problems


def cloud_tags(resource_name: str, environment: str, project: str, tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that the thing carries at the cloud: the client's and the three that everything has."""
    return {**tags, "Name": resource_name, "Environment": environment, "Project": project}


def check_tag_text(values: Mapping[str, str | None]) -> None:
    """Raise InvalidInput for a name or project that cannot be a tag's value at the cloud."""
    problems = [
        FieldError(f"/{field}", "letters, digits, spaces and . : / = + - @ _ are possible")
        for field, value in values.items()
        if value is not None and not _TAG_CHARACTERS.fullmatch(value)
    ]
    if problems:
        raise InvalidInput("the name must be possible as a tag", errors=problems)


def size_category(configuration: Mapping[str, Any]) -> str | None:
    """`t3.micro` is micro, `m5.2xlarge` xlarge; what has another size is custom, what has no type has none."""
    instance_type = configuration.get("instance_type")
    if not isinstance(instance_type, str):
        return None
    size = instance_type.rpartition(".")[2]
    if size in _SIZES:
        return size
    return "xlarge" if re.fullmatch(r"\d+xlarge", size) else "custom"
