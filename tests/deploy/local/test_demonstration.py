"""Can a shell read what the embedded deployment writes down?"""

import subprocess
from pathlib import Path

import pytest

from deploy.local.demonstration import Demonstration, read_variables, write_variables

VARIABLES = {"CANOPY_URL": "http://127.0.0.1:1", "CANOPY_TOKEN": 'it\'s $HOME `x` "y"', "CANOPY_EMPTY": ""}


def test_a_shell_reads_the_values_unchanged(tmp_path: Path) -> None:
    file = write_variables(tmp_path / "demo.env", VARIABLES)
    shown = subprocess.check_output(["/bin/sh", "-c", '. "$1"; printf %s "$CANOPY_TOKEN"', "sh", file], text=True)
    assert shown == VARIABLES["CANOPY_TOKEN"]


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    assert read_variables(write_variables(tmp_path / "demo.env", VARIABLES)) == VARIABLES


def test_the_file_with_the_token_is_for_its_owner_only(tmp_path: Path) -> None:
    assert write_variables(tmp_path / "demo.env", VARIABLES).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", [None, "", "CANOPY_TOKEN=only\n"])
def test_a_folder_without_a_finished_demonstration_has_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "demo.env").write_text(text)
    assert Demonstration.kept(tmp_path) is None
