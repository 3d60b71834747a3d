"""How often, and with which answer, is a sink to refuse what it is sent?"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass
class Fault:
    """Paths that match the pattern `path` get `status`, `count` times. `email` is the path of every mail.

    `latency_ms` waits first; `after` keeps the message and still answers with the error: the sender does not know.
    """

    path: str
    status: int
    count: int = 1
    retry_after_s: float | None = None
    latency_ms: float = 0.0
    after: bool = False


def read_fault(document: Any) -> Fault:
    """The fault of a JSON document; raises ValueError, naming what is wrong."""
    if not isinstance(document, dict) or set(document) - set(Fault.__dataclass_fields__):
        raise ValueError(f"a fault has {', '.join(Fault.__dataclass_fields__)}")
    path, status, count = document.get("path"), document.get("status"), document.get("count", 1)
    if not isinstance(path, str) or not path:
        raise ValueError("path must be text, for example /slack/*")
    if not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError("status must be 200 to 599")
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ValueError("count must be 1 or more")
    for name in ("retry_after_s", "latency_ms"):
        value = document.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise ValueError(f"{name} must be a number, 0 or more")
    return Fault(**document)


class Faults:
    """The faults in force, oldest first; a used up one is gone. In memory only: a restarted sink is a healthy one."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, document: Any) -> Fault:
        """Puts a fault in force; raises ValueError for one that makes no sense."""
        fault = read_fault(document)
        self._faults.append(fault)
        return fault

    def take(self, path: str) -> Fault | None:
        """The fault that concerns this path, one use of it spent."""
        fault = next((fault for fault in self._faults if fnmatchcase(path, fault.path)), None)
        if fault is not None:
            fault.count -= 1
            if fault.count == 0:
                self._faults.remove(fault)
        return fault

    def listed(self) -> list[Mapping[str, Any]]:
        return [asdict(fault) for fault in self._faults]

    def clear(self) -> None:
        self._faults.clear()
