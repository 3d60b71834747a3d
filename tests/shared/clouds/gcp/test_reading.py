"""What is read of Compute Engine's JSON has the names, and the states the words, that Google's own models have."""

import ast
import re
from pathlib import Path

from shared.clouds.gcp import images, instances, snapshots, volumes
from tests.fixtures.lazily import Lazily

compute_v1 = Lazily("google.cloud.compute_v1")
FOLDER = Path(instances.__file__).parent
IN_JSON = re.compile(r"(IP[A-Z])?[a-z]+([A-Z]+[a-z]*)*")
"""The SDK's own names, of what is sent, have underscores; values are in capitals."""

READ = {
    "images": ("Image",),
    "instances": ("Instance",),
    "machines": ("Instance",),
    "networks": ("Firewall",),
    "operations": ("Operation",),
    "regions": ("Region",),
    "snapshots": ("Snapshot", "Disk", "Operation"),
    "volumes": ("Disk", "Instance"),
}
"""The messages that each module reads."""


def names_read(module: str) -> set[str]:
    """Every constant by which something is looked up in an answer."""
    found = set()
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            found |= {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)}
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            found.add(node.slice.value)
    return {each for each in found if isinstance(each, str) and IN_JSON.fullmatch(each)}


def names_in(descriptor, seen: set[str]) -> set[str]:
    """The JSON names of a message's fields and of those inside them."""
    if descriptor.full_name in seen:
        return set()
    seen.add(descriptor.full_name)
    inner = [names_in(each.message_type, seen) for each in descriptor.fields if each.message_type is not None]
    return {each.json_name for each in descriptor.fields}.union(*inner)


def test_every_name_is_googles():
    for module, messages in READ.items():
        seen: set[str] = set()
        known = set().union(*(names_in(getattr(compute_v1, each).pb().DESCRIPTOR, seen) for each in messages))
        read = names_read(module)
        assert read
        assert read - known == set(), module


def test_every_state_that_google_has_is_known():
    for module, message in ((images, "Image"), (instances, "Instance"), (snapshots, "Snapshot"), (volumes, "Disk")):
        stated = {each.name for each in getattr(compute_v1, message).Status}
        assert stated - {"UNDEFINED_STATUS"} == set(module._STATES), message
