"""What of the simulated clouds survives a kill, and where is it?

One SQLite file in WAL mode. What a call changed and its line of the ledger are written in one transaction before the
call is answered: whoever has an answer finds it again after `kill -9`. A row is one thing: saving costs what changed.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.local.clouds.world.things import Thing

SCHEMA = """
CREATE TABLE IF NOT EXISTS things (provider TEXT, account TEXT, kind TEXT, id TEXT, document TEXT NOT NULL,
    PRIMARY KEY (provider, account, kind, id));
CREATE TABLE IF NOT EXISTS ledger (sequence INTEGER PRIMARY KEY, line TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS calls (provider TEXT, account TEXT, region TEXT, action TEXT, count INTEGER NOT NULL,
    PRIMARY KEY (provider, account, region, action));
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value REAL NOT NULL);
"""

CallKey = tuple[str, str, str, str]
"""Provider, account, region, action."""


class Storage:
    """The SQLite file of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(data_dir / "world.sqlite")
        # NORMAL: a killed process loses nothing; only a lost machine may cost the last writes.
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + SCHEMA)

    def write(
        self,
        things: Mapping[tuple[str, str, str, str], Thing | None],
        ledger: list[dict[str, Any]],
        calls: Mapping[CallKey, int],
        facts: Mapping[str, float],
    ) -> None:
        """Writes all of it or nothing; a thing that is None is deleted."""
        kept = [(*key, json.dumps(asdict(thing))) for key, thing in things.items() if thing is not None]
        with self._connection as connection:
            connection.executemany("INSERT OR REPLACE INTO things VALUES (?, ?, ?, ?, ?)", kept)
            connection.executemany(
                "DELETE FROM things WHERE provider = ? AND account = ? AND kind = ? AND id = ?",
                [key for key, thing in things.items() if thing is None],
            )
            connection.executemany(
                "INSERT INTO ledger VALUES (?, ?)", [(line["sequence"], json.dumps(line)) for line in ledger]
            )
            connection.executemany(
                "INSERT OR REPLACE INTO calls VALUES (?, ?, ?, ?, ?)",
                [(*key, count) for key, count in calls.items()],
            )
            connection.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", list(facts.items()))

    def things(self) -> list[Thing]:
        """In the order in which they were made."""
        rows = self._connection.execute("SELECT document FROM things").fetchall()
        read = [Thing(**json.loads(document)) for (document,) in rows]
        for thing in read:
            thing.steps = [(due_s, state) for due_s, state in thing.steps]
        return sorted(read, key=lambda thing: thing.number)

    def ledger(self, since: int, limit: int) -> list[dict[str, Any]]:
        """Lines with a sequence greater than `since`, oldest first."""
        rows = self._connection.execute(
            "SELECT line FROM ledger WHERE sequence > ? ORDER BY sequence LIMIT ?", (since, limit)
        ).fetchall()
        return [json.loads(line) for (line,) in rows]

    def last_sequence(self) -> int:
        (last,) = self._connection.execute("SELECT coalesce(max(sequence), 0) FROM ledger").fetchone()
        return int(last)

    def calls(self) -> Counter[CallKey]:
        rows = self._connection.execute("SELECT provider, account, region, action, count FROM calls").fetchall()
        return Counter(
            {(provider, account, region, action): count for provider, account, region, action, count in rows}
        )

    def fact(self, name: str) -> float:
        """A number kept under this name, 0 when there is none."""
        row = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return float(row[0]) if row else 0.0

    def keep_fact(self, name: str, value: float) -> None:
        with self._connection as connection:
            connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def close(self) -> None:
        self._connection.close()
