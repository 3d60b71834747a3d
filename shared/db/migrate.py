"""How does a database get its tables? One Alembic environment for all, migrations in each service's storage."""

import argparse
import importlib.util
import os
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

ENVIRONMENT = Path(__file__).parent / "environment"


def configuration(service: str, owner_url: str = "") -> Config:
    """The Alembic configuration of one service; nothing is read from files."""
    package = importlib.util.find_spec(f"services.{service}")
    if package is None or package.origin is None:
        raise LookupError(f"there is no service {service!r} here")
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(Path(package.origin).parent / "storage" / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = driver_url(owner_url)
    config.attributes["service"] = service
    return config


def driver_url(url: str) -> str:
    """`postgresql://…` for SQLAlchemy's psycopg 3 dialect."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def upgrade(service: str, owner_url: str, revision: str = "head") -> None:
    """Bring the database to a revision; at head it only looks. Raises what Alembic raises."""
    command.upgrade(configuration(service, owner_url), revision)


def downgrade(service: str, owner_url: str, revision: str) -> None:
    command.downgrade(configuration(service, owner_url), revision)


def head(service: str) -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(configuration(service)).get_current_head()


def current(owner_url: str) -> str | None:
    """The revision the database is at, or None when it has never been migrated."""
    engine = create_engine(driver_url(owner_url))
    try:
        with engine.connect() as connection:
            if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
                return None
            row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
            return None if row is None else str(row[0])
    finally:
        engine.dispose()


def main() -> None:
    """`python -m shared.db.migrate --service costs [--revision head]`, as the owner role."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--service", required=True)
    parser.add_argument("--revision", default="head")
    parser.add_argument("--down", action="store_true")
    arguments = parser.parse_args()
    url = os.environ["CANOPY_DATABASE_OWNER_URL"]
    move = downgrade if arguments.down else upgrade
    move(arguments.service, url, arguments.revision)


if __name__ == "__main__":
    main()
