"""Is every thing where a newcomer looks for it? The rules of the house, each with its reason."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter

from services.gateway.api import ROUTERS

ROOT = Path(__file__).parents[2]
SERVICES = ("gateway", "provisioner", "monitor", "costs", "recovery")
OURS = ("shared", "services", "deploy", "tests")
BANNED_NAMES = {"utils", "helpers", "common", "misc", "manager", "service", "util", "helper", "base_service"}
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60


def sources(*folders: str) -> list[Path]:
    return sorted(
        path for folder in folders or OURS for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts
    )


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_stay_small() -> None:
    """Every codebase we studied regrets one god-file, never a small one: a long file wants a second door."""
    long = {named(path): lines for path in sources() if (lines := len(path.read_text().splitlines())) > LINES_OF_A_FILE}
    assert long == {}


def test_functions_stay_small() -> None:
    """A function that does not fit a screen cannot be read as a sentence."""
    long = {
        f"{named(path)}:{node.name}": length
        for path in sources()
        for node in functions(path)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > LINES_OF_A_FUNCTION
    }
    assert long == {}


def test_no_file_is_named_after_nothing() -> None:
    """`utils` and `service` say nothing about what is inside, so everything lands there."""
    assert [named(path) for path in sources() if path.stem in BANNED_NAMES] == []


def test_every_file_says_what_question_it_answers() -> None:
    """A newcomer reads the first line of a file before the file."""
    silent = [
        named(path)
        for path in sources("shared", "services", "deploy")
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    """Knowing one service is knowing all of them."""
    folder = ROOT / "services" / service
    for file in ("__init__.py", "__main__.py", "main.py", "settings.py", "deps.py"):
        assert (folder / file).is_file(), f"services/{service}/{file}"
    for room in ("handlers", "jobs", "domain", "storage", "storage/migrations"):
        assert (folder / room).is_dir(), f"services/{service}/{room}"
    assert (folder / "api").is_dir() == (service == "gateway")


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_introduces_itself(service: str) -> None:
    """Purpose, what it owns, consumes and emits: the ten lines a stranger needs first."""
    text = (ROOT / "services" / service / "__init__.py").read_text().lower()
    for word in ("owns", "consumes", "emits"):
        assert word in text, word


def test_no_subject_is_written_by_hand() -> None:
    """Subjects derive from message classes; a literal elsewhere would not follow a rename."""
    literal = re.compile(r"""["']canopy\.(event|request|command|metrics|dead|replay|timer)\.""")
    found = [
        named(path)
        for path in sources("shared", "services")
        if "messages" not in path.parts and literal.search(_code(path))
    ]
    assert found == []


def _code(path: Path) -> str:
    """The source without its docstrings, which may show examples."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    literals = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]
    return "\n".join(f'"{text}' for text in literals)


def test_nothing_of_the_product_knows_a_simulator() -> None:
    """Endpoints are deployment settings; code that knows a simulation behaves differently on a real account."""
    word = re.compile(r"\b(moto|simulat\w*|_sim|localstack)\b", re.IGNORECASE)
    found = {
        named(path): word.findall(path.read_text())
        for path in sources("shared", "services")
        if word.search(path.read_text())
    }
    assert found == {}


def test_no_mock_is_patched_in() -> None:
    """A patched name tests the patch. Inject a fake through deps instead."""
    banned = re.compile(r"unittest\.mock|from unittest import mock|mocker\b")
    assert [named(path) for path in sources() if path != Path(__file__) and banned.search(path.read_text())] == []


DOORS = {"tokens", "stream", "schema"}
"""Routes that ask nobody: signing in, the live sockets, the contracts."""


@pytest.mark.parametrize("router", ROUTERS, ids=lambda router: router.tags[0] if router.tags else router.prefix)
def test_a_noun_has_the_same_file_name_in_every_room(router: APIRouter) -> None:
    """From a route to its message to its handler without a map."""
    noun = sys.modules[router.routes[0].endpoint.__module__].__name__.rpartition(".")[2]
    if noun in DOORS:
        return
    assert (ROOT / "shared" / "messages" / f"{noun}.py").is_file()
    assert [service for service in SERVICES if (ROOT / "services" / service / "handlers" / f"{noun}.py").is_file()]


def test_documents_name_only_paths_that_exist() -> None:
    """A document that names a dead path sends a newcomer away."""
    pattern = re.compile(r"`((?:shared|services|deploy|tests|docs)/[\w./-]*\w)`")
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    dead = [
        f"{named(document)}: {path}"
        for document in documents
        if document.exists()
        for path in pattern.findall(document.read_text())
        if "<" not in path and not (ROOT / path).exists()
    ]
    assert dead == []


def test_no_path_or_registry_of_a_developer_is_committed() -> None:
    """Addresses of registries and paths of one machine mean nothing on another."""
    pattern = "python" + "hosted|pypi" + r"\.org/simple|registry\.npm" + r"js|/work" + "/main|/work" + "/shared"
    found = subprocess.run(
        ["git", "grep", "-lIE", pattern], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    assert found == []
