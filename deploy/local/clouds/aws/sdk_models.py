"""How often are botocore's files read? Once a process: moto asks a new session for each of its questions."""

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader, Loader

_reader = JSONFileLoader()


class ReadOnce(JSONFileLoader):  # type: ignore[misc]
    """What all sessions share; none of them changes what it is given."""

    def load_file(self, file_path: str) -> Any:
        return _read(file_path)


@cache
def _read(file_path: str) -> Any:
    return _reader.load_file(file_path)


def read_once() -> None:
    """To be called before moto is imported: already its modules ask which regions there are, of EC2's whole model."""
    Loader.FILE_LOADER_CLASS = ReadOnce
