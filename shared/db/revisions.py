"""At which revision is a database, and which ones does this code know? Without Alembic: a service only looks."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import psycopg

_REVISION = re.compile(r'^revision = "([a-z0-9_]+)"$', re.MULTILINE)


def driver_url(url: str) -> str:
    """`postgresql://…` for SQLAlchemy's psycopg 3 dialect."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def migrations_of(service: str) -> Path:
    """The folder of a service's migrations. Raises LookupError when the service is not here."""
    package = importlib.util.find_spec(f"services.{service}")
    if package is None or package.origin is None:
        raise LookupError(f"there is no service {service!r} here")
    return Path(package.origin).parent / "storage" / "migrations"


def known(service: str) -> list[str]:
    """The revisions of this code, the newest last: their files are numbered in the order of their descent.

    Raises LookupError when there is none.
    """
    found = [_REVISION.search(path.read_text()) for path in sorted(migrations_of(service).glob("[0-9]*.py"))]
    revisions = [revision[1] for revision in found if revision is not None]
    if not revisions:
        raise LookupError(f"there are no migrations of {service!r} here")
    return revisions


def current(url: str) -> str | None:
    """The revision the database is at, or None when it has never been migrated. Raises psycopg's errors."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
        if row is None or row[0] is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return None if row is None else str(row[0])
