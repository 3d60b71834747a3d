"""How does a database get its tables? One Alembic environment for all, migrations in each service's storage."""

import argparse
import os
from pathlib import Path

from alembic import command
from alembic.config import Config

from shared.db.revisions import driver_url, migrations_of

ENVIRONMENT = Path(__file__).parent / "environment"


def configuration(service: str, owner_url: str = "") -> Config:
    """The Alembic configuration of one service; nothing is read from files."""
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(migrations_of(service)))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = driver_url(owner_url)
    config.attributes["service"] = service
    return config


def upgrade(service: str, owner_url: str, revision: str = "head") -> None:
    """Bring the database to a revision; at head it only looks. Raises what Alembic raises."""
    command.upgrade(configuration(service, owner_url), revision)


def downgrade(service: str, owner_url: str, revision: str) -> None:
    command.downgrade(configuration(service, owner_url), revision)


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
