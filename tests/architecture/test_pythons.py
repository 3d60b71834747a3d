"""Does every file at least compile on the Pythons that we promise, where they are installed?"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUPPORTED = ("3.11", "3.12", "3.13")
COMPILE = "import sys; [compile(open(name).read(), name, 'exec') for name in sys.argv[1:]]"


def interpreter(version: str) -> str | None:
    """One of pyenv's (whose shims on the PATH may refuse), else the one on the PATH."""
    kept = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python"))
    return str(kept[-1]) if kept else shutil.which(f"python{version}")


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_file_compiles(version: str) -> None:
    """Syntax of a newer Python lands easily and breaks the older ones at import."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed here")
    files = [
        str(path) for folder in ("shared", "services", "deploy", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    done = subprocess.run([python, "-W", "error", "-c", COMPILE, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
