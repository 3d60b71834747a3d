"""Do the pinned requirements hold what pyproject.toml asks for? Offline; `make requirements` mends what is found here."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
SETS = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))


def asked_for(extra: str) -> list[Requirement]:
    """The project's own dependencies and those of an extra, with the extras that it names."""
    found = [Requirement(line) for line in PROJECT["dependencies"]]
    for line in EXTRAS[extra]:
        requirement = Requirement(line)
        if requirement.name == PROJECT["name"]:
            found += [inner for name in requirement.extras for inner in asked_for(name)]
        else:
            found.append(requirement)
    return found


def pinned(name: str) -> dict[str, str]:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    lines = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==([^\s;]+)", text, re.MULTILINE)
    return {canonicalize_name(package): version for package, version in lines}


def test_each_service_and_each_image_has_its_own_set() -> None:
    assert set(SETS) == set(EXTRAS) - {"aws", "azure", "gcp", "libcloud", "clouds", "command"}


@pytest.mark.parametrize("name", SETS)
def test_every_dependency_is_pinned_in_the_range_that_is_asked_for(name: str) -> None:
    versions = pinned(name)
    wanted = asked_for(name)
    assert len(wanted) >= len(PROJECT["dependencies"])
    wrong = [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", SETS)
def test_every_pin_has_a_hash_and_no_index_is_named(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "index-url" not in text
