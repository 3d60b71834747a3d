"""What was received, in which order, and how is it found again after a kill?"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CHANNELS = ("slack", "webhook", "email")


@dataclass(frozen=True)
class Message:
    """One attempt to deliver. `status` is what was answered; `accepted` is false for what a fault or a check refused.

    `path` is the URL's path or the recipients; `document` is the JSON of a webhook, or subject and text of a mail.
    """

    sequence: int
    channel: str
    time: str
    path: str
    headers: Mapping[str, str]
    body: str
    document: Any
    status: int
    accepted: bool


@dataclass
class Messages:
    """An append-only file of JSON lines and the same in memory. A line is written before the sender gets its answer."""

    path: Path
    kept: list[Message] = field(default_factory=list)
    _sequence: int = 0

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_bytes().splitlines() if self.path.exists() else []
        for line in lines:
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            row = json.loads(line)
        except ValueError:  # the last line of a killed process; its sender got no answer
            return
        if "cleared" in row:
            self.kept.clear()
        else:
            self.kept.append(Message(**row))
        self._sequence = max(self._sequence, int(row.get("sequence", 0)))

    def _append(self, row: Mapping[str, Any]) -> None:
        # Starting with a line break ends whatever half a line a kill left behind.
        with self.path.open("ab") as file:
            file.write(b"\n" + json.dumps(row).encode())

    def add(
        self, channel: str, path: str, headers: Mapping[str, str], body: str, document: Any, status: int
    ) -> Message:
        """Keeps one attempt and returns it with its number, which never repeats."""
        self._sequence += 1
        now = dt.datetime.now(dt.UTC).isoformat()
        accepted = status < 300
        message = Message(self._sequence, channel, now, path, dict(headers), body, document, status, accepted)
        self._append(asdict(message))
        self.kept.append(message)
        return message

    def clear(self) -> int:
        """Forgets all messages, and says how many they were; the numbers go on."""
        forgotten = len(self.kept)
        self._append({"cleared": forgotten, "sequence": self._sequence})
        self.kept.clear()
        return forgotten

    def listed(self, channel: str | None, *, refused: bool) -> list[dict[str, Any]]:
        """Messages of one channel or of all, oldest first; those that were refused only when asked for."""
        return [
            asdict(message)
            for message in self.kept
            if channel in (None, message.channel) and (refused or message.accepted)
        ]
