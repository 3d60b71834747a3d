"""Does the script that compose mounts make every service's database, and say which password is missing?"""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from deploy.local.postgres import Postgres

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "postgres" / "init.sh"


def run_script(server: Postgres, **passwords: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{server.binaries}:{os.environ['PATH']}",
        "PGHOST": "127.0.0.1",
        "PGPORT": str(server.port),
        "PGUSER": "postgres",
        "PGPASSWORD": server.password,
        "CANOPY_SERVICES": "alpha beta",
    }
    return subprocess.run([SCRIPT], env=environment | passwords, capture_output=True, text=True, check=False)


PASSWORDS = {
    f"CANOPY_{service}_{role}_PASSWORD": f"{service} {role} 'quoted' $HOME"
    for service in ("ALPHA", "BETA")
    for role in ("OWNER", "APP")
}


@pytest.fixture
def _without_the_services(postgres_server: Postgres) -> None:
    with psycopg.connect(postgres_server.url(), autocommit=True) as administrator:
        for service in ("alpha", "beta"):
            administrator.execute(f"DROP DATABASE IF EXISTS {service}")


@pytest.mark.usefixtures("_without_the_services")
def test_each_service_gets_a_database_of_its_own_and_a_second_run_changes_nothing(postgres_server: Postgres) -> None:
    for _ in range(2):
        outcome = run_script(postgres_server, **PASSWORDS)
        assert (outcome.returncode, outcome.stderr) == (0, "")
    for service in ("alpha", "beta"):
        url = postgres_server.url(service, f"{service}_app", PASSWORDS[f"CANOPY_{service.upper()}_APP_PASSWORD"])
        psycopg.connect(url).close()


@pytest.mark.usefixtures("_without_the_services")
def test_a_missing_password_is_named_and_no_database_is_made_without_one(postgres_server: Postgres) -> None:
    outcome = run_script(postgres_server, **{name: text for name, text in PASSWORDS.items() if "BETA_APP" not in name})
    assert outcome.returncode != 0
    assert "CANOPY_BETA_APP_PASSWORD" in outcome.stderr
    with psycopg.connect(postgres_server.url()) as administrator:
        made = administrator.execute("SELECT datname FROM pg_database WHERE datname = 'beta'").fetchall()
    assert made == []
