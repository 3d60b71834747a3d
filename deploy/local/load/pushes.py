"""Which machines are pushed to which load, until when?"""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.local.load.series import PUSHABLE, Push

PERCENT = ("cpu", "memory", "disk", "error_rate")


def read_push(document: Any, now_s: float) -> tuple[str, Push]:
    """Machine and push of a JSON document (`instance_id`, values, `for_s`); raises ValueError, naming what is wrong."""
    if not isinstance(document, dict) or set(document) - {"instance_id", "for_s", *PUSHABLE}:
        raise ValueError(f"a push has instance_id, for_s and some of {', '.join(PUSHABLE)}")
    instance_id = document.get("instance_id")
    if not isinstance(instance_id, str) or not instance_id:
        raise ValueError("instance_id must be text")
    given = {name: value for name, value in document.items() if name != "instance_id" and value is not None}
    for name, value in given.items():
        highest = 100 if name in PERCENT else float("inf")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= highest:
            raise ValueError(f"{name} must be a number from 0 to {highest:g}")
    for_s = given.pop("for_s", None)
    if not given:
        raise ValueError("nothing to push to")
    return instance_id, Push(given, None if for_s is None else now_s + for_s)


class Pushes:
    """The pushes in force, kept in a file that is replaced whole: a restart goes on with the same load."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = json.loads(path.read_text()) if path.exists() else {}
        self._pushes = {instance_id: Push(**row) for instance_id, row in rows.items()}

    def of(self, instance_id: str) -> Push | None:
        with self._lock:
            return self._pushes.get(instance_id)

    def put(self, instance_id: str, push: Push) -> None:
        """Replaces what the machine was pushed to before."""
        with self._lock:
            self._pushes[instance_id] = push
            self._save()

    def take_back(self, instance_id: str) -> bool:
        """Lets the machine have its own load again; False when it was not pushed."""
        with self._lock:
            known = self._pushes.pop(instance_id, None) is not None
            if known:
                self._save()
            return known

    def listed(self, now_s: float) -> dict[str, Mapping[str, Any]]:
        """Those still in force, by machine."""
        with self._lock:
            return {machine: asdict(push) for machine, push in self._pushes.items() if push.holds(now_s)}

    def _save(self) -> None:
        draft = self._path.with_suffix(".draft")
        draft.write_text(json.dumps({machine: asdict(push) for machine, push in self._pushes.items()}))
        draft.replace(self._path)
