"""Which port does each process listen on? A free one, and the same again at the next start if it still is free."""

import json
import socket
from pathlib import Path

from deploy.local.processes import free_port


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
            taken = set(self._given.values())
            port = kept if kept is not None and kept not in taken and is_free(kept) else free_port()
            while port in taken:
                port = free_port()
            self._given[name] = port
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
            unfinished = self._file.with_suffix(".unfinished")
            unfinished.write_text(json.dumps(self._kept | self._given, indent=1, sort_keys=True))
            unfinished.replace(self._file)
        return self._given[name]


def is_free(port: int) -> bool:
    """True when a server could listen on this loopback port now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
