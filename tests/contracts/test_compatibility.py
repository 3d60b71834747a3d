"""Would a stranger's program survive this change? Differences to the last release are classified, and breaking ones fail."""

import json
import subprocess
from pathlib import Path

import pytest

from deploy.compatibility import classify

ROOT = Path(__file__).parents[2]
OLD = {"type": "object", "properties": {"id": {"type": "string"}, "cpu": {"type": "number"}}, "required": ["id", "cpu"]}


def changed(**fields: object) -> dict:
    properties = {name: schema for name, schema in {**OLD["properties"], **fields}.items() if schema is not None}
    return {**OLD, "properties": properties, "required": [name for name in OLD["required"] if name in properties]}


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (OLD, "equal"),
        ({**OLD, "title": "Other words"}, "equal"),
        (changed(zone={"type": "string"}), "additive"),
        (changed(cpu=None), "breaking"),
        (changed(cpu={"type": "string"}), "breaking"),
        (changed(cpu={"type": "number", "enum": [1, 2]}), "breaking"),
        ({**OLD, "required": ["id"]}, "breaking"),
    ],
    ids=["same", "words", "new field", "removed field", "other type", "narrower", "no longer said"],
)
def test_a_difference_is_classified(new: dict, verdict: str) -> None:
    assert classify(OLD, new)[0] == verdict


def test_a_difference_is_found_behind_a_reference() -> None:
    old = {"properties": {"thing": {"$ref": "#/$defs/Thing"}}, "$defs": {"Thing": {"type": "string"}}}
    new = {"properties": {"thing": {"$ref": "#/$defs/Other"}}, "$defs": {"Other": {"type": "integer"}}}
    assert classify(old, new) == ("breaking", ["/thing: type 'string' became 'integer'"])


def git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_nothing_breaks_what_the_last_release_promised() -> None:
    """From the first tag `v…` on; before it there is nobody to break."""
    tags = git("tag", "--list", "v*", "--sort=-creatordate").split()
    released = git("ls-tree", "-r", "--name-only", tags[0], "docs/contracts").split() if tags else []
    broken = {}
    for name in released:
        if name.endswith(".schema.json"):
            now = json.loads((ROOT / name).read_text()) if (ROOT / name).exists() else {}
            verdict, reasons = classify(json.loads(git("show", f"{tags[0]}:{name}")), now)
            if verdict == "breaking":
                broken[name] = reasons
    assert broken == {}
