"""Which port does each process listen on? A free one, and the same again at the next start if it still is free."""

import errno
import fcntl
import functools
import json
import os
import secrets
import socket
import tempfile
from pathlib import Path

_PORTS = range(15_000, 30_000)
"""Below those that kernels give to outgoing connections (Linux: from 32768): none of them takes a port between two
lives of the process that listens there."""
_TRIES = 1_000
_given: set[int] = set()


class Ports:
    """Ports by name, kept in a file: an address that a user stored (of a local webhook sink) works after a restart."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kept: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}
        self._given: dict[str, int] = {}

    def of(self, name: str) -> int:
        """The port of this name; the same for as long as this object lives."""
        if name not in self._given:
            kept = self._kept.get(name)
            is_ours = kept is not None and kept not in self._given.values() and _take(kept)
            self._given[name] = kept if kept is not None and is_ours else free_port()
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
            unfinished = self._file.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(self._kept | self._given, indent=1, sort_keys=True))
            unfinished.replace(self._file)
        return self._given[name]


def free_port() -> int:
    """A loopback port on which nothing listens, and which no other stack or test of this user has been given.

    It stays ours until this process ends: two stacks that start together would otherwise find the same one free.
    Raises OSError (EADDRINUSE) when none is found.
    """
    for _ in range(_TRIES):
        port = secrets.choice(_PORTS)
        if port not in _given and _take(port):
            return port
    raise OSError(errno.EADDRINUSE, f"no free port found from {_PORTS.start} to {_PORTS.stop}")


def _take(port: int) -> bool:
    """Whether it is ours now; then `free_port` gives it to nobody else here, whose claims never exclude each other."""
    if not _claim(port) or not is_free(port):
        return False
    _given.add(port)
    return True


def _claim(port: int) -> bool:
    """Lock the byte of this port in a file that all processes of this user share; the kernel unlocks it at our end."""
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):  # POSIX leaves open which of the two
        return False
    return True


@functools.cache
def _claims() -> int:
    """The file's descriptor, open to the end: to close one of a file gives back all locks that a process has on it."""
    file = Path(tempfile.gettempdir()) / f"canopy-ports-{os.geteuid()}"
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def is_free(port: int) -> bool:
    """True when a server could listen on this loopback port now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
