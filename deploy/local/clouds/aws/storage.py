"""What of the simulated AWS survives a kill, and where is it?

One SQLite file in WAL mode. The state of every changed backend and the ledger lines of the calls that changed it are
written in one transaction, before those calls are answered: whoever has an answer finds it again after `kill -9`.
"""

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS backends (service TEXT, account TEXT, region TEXT, state BLOB NOT NULL,
    PRIMARY KEY (service, account, region));
CREATE TABLE IF NOT EXISTS ledger (sequence INTEGER PRIMARY KEY, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS calls (account TEXT, region TEXT, service TEXT, action TEXT, count INTEGER NOT NULL,
    PRIMARY KEY (account, region, service, action));
CREATE TABLE IF NOT EXISTS seeded (account TEXT, region TEXT, id TEXT, document TEXT NOT NULL,
    PRIMARY KEY (account, region, id));
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value REAL NOT NULL);
"""

BackendKey = tuple[str, str, str]
CallKey = tuple[str, str, str, str]
SeededKey = tuple[str, str, str]
"""Account, region, instance id."""


@dataclass(frozen=True)
class Changes:
    """Everything that one transaction writes."""

    backends: dict[BackendKey, bytes]
    ledger: list[tuple[int, str]]
    calls: dict[CallKey, int]
    seeded: dict[SeededKey, str]


class Storage:
    """The SQLite file of one data folder; one connection, used by one thread at a time."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self.folder = data_dir
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(data_dir / "cloud.sqlite", check_same_thread=False)
        # NORMAL: a killed process loses nothing; only a lost machine may cost the last writes.
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)

    def write(self, changes: Changes) -> None:
        """Writes all of it or nothing."""
        with self._lock, self._connection as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO backends VALUES (?, ?, ?, ?)",
                [(*key, state) for key, state in changes.backends.items()],
            )
            connection.executemany("INSERT INTO ledger VALUES (?, ?)", changes.ledger)
            connection.executemany(
                "INSERT OR REPLACE INTO calls VALUES (?, ?, ?, ?, ?)",
                [(*key, count) for key, count in changes.calls.items()],
            )
            connection.executemany(
                "INSERT OR REPLACE INTO seeded VALUES (?, ?, ?, ?)",
                [(*key, document) for key, document in changes.seeded.items()],
            )

    def backends(self) -> list[tuple[BackendKey, bytes]]:
        with self._lock:
            rows = self._connection.execute("SELECT service, account, region, state FROM backends").fetchall()
        return [((service, account, region), state) for service, account, region, state in rows]

    def seeded(self) -> list[str]:
        """The documents of the seeded machines."""
        with self._lock:
            return [document for (document,) in self._connection.execute("SELECT document FROM seeded").fetchall()]

    def ledger(self, since: int, limit: int) -> list[dict[str, Any]]:
        """Lines with a sequence greater than `since`, oldest first."""
        with self._lock:
            rows: Iterable[tuple[str]] = self._connection.execute(
                "SELECT line FROM ledger WHERE sequence > ? ORDER BY sequence LIMIT ?", (since, limit)
            ).fetchall()
        return [json.loads(line) for (line,) in rows]

    def last_sequence(self) -> int:
        with self._lock:
            (last,) = self._connection.execute("SELECT coalesce(max(sequence), 0) FROM ledger").fetchone()
        return int(last)

    def calls(self) -> Counter[CallKey]:
        with self._lock:
            rows = self._connection.execute("SELECT account, region, service, action, count FROM calls").fetchall()
        return Counter({(account, region, service, action): count for account, region, service, action, count in rows})

    def fact(self, name: str) -> float:
        """A number kept under this name, 0 when there is none."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return float(row[0]) if row else 0.0

    def keep_fact(self, name: str, value: float) -> None:
        with self._lock, self._connection as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def close(self) -> None:
        with self._lock:
            self._connection.close()
