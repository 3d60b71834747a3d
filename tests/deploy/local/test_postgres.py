"""Does the embedded PostgreSQL keep what it says about roles, and come back after every kind of crash?"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deploy.local import postgres, process_table
from deploy.local.postgres import Postgres
from tests.fixtures.servers import DatabaseFactory


@pytest.fixture
def own_server(server_folder: Path, request: pytest.FixtureRequest) -> Iterator[Postgres]:
    server = Postgres(server_folder / request.node.name[:40], fsync=False)
    server.start()
    yield server
    server.stop()


def test_the_application_role_uses_tables_that_the_owner_makes(fresh_database: DatabaseFactory) -> None:
    database = fresh_database("costs")
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("CREATE TABLE thing (id bigserial PRIMARY KEY, name text)")
    with psycopg.connect(database.app_url) as app:
        app.execute("INSERT INTO thing (name) VALUES ('one')")
        app.execute("SET LOCAL ROLE costs_system")
        assert app.execute("SELECT id, name FROM thing").fetchall() == [(1, "one")]


def test_the_application_role_makes_no_tables(fresh_database: DatabaseFactory) -> None:
    with (
        psycopg.connect(fresh_database("costs").app_url) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        app.execute("CREATE TABLE thing (id int)")


def test_the_application_role_has_the_policies_of_the_system_role_only_after_it_becomes_it(
    fresh_database: DatabaseFactory,
) -> None:
    database = fresh_database("costs")
    with psycopg.connect(database.owner_url) as owner:
        owner.execute("CREATE TABLE thing (id int)")
        owner.execute("INSERT INTO thing VALUES (1)")
        owner.execute("ALTER TABLE thing ENABLE ROW LEVEL SECURITY")
        owner.execute("CREATE POLICY everything ON thing TO costs_system USING (true)")
    with psycopg.connect(database.app_url) as app:
        assert app.execute("SELECT count(*) FROM thing").fetchone() == (0,)
        app.execute("SET LOCAL ROLE costs_system")
        assert app.execute("SELECT count(*) FROM thing").fetchone() == (1,)


def test_a_service_cannot_enter_the_database_of_another(fresh_database: DatabaseFactory) -> None:
    costs, monitor = fresh_database("costs"), fresh_database("monitor")
    intruder = monitor.app_url.replace(f"/{monitor.name}", f"/{costs.name}")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(intruder)


def test_a_wrong_password_is_refused(fresh_database: DatabaseFactory, postgres_server: Postgres) -> None:
    database = fresh_database("costs")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_server.url(database.name, database.app_role, "wrong"))


def test_two_databases_of_one_service_share_nothing(fresh_database: DatabaseFactory) -> None:
    first, second = fresh_database("costs"), fresh_database("costs")
    with psycopg.connect(first.owner_url) as owner:
        owner.execute("CREATE TABLE only_here (id int)")
    with psycopg.connect(second.owner_url) as owner:
        assert owner.execute("SELECT to_regclass('only_here')").fetchone() == (None,)


def test_committed_rows_survive_a_killed_postmaster(own_server: Postgres) -> None:
    with psycopg.connect(own_server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    own_server.kill()
    own_server.start()
    with psycopg.connect(own_server.url()) as connection:
        assert connection.execute("SELECT id FROM kept").fetchall() == [(1,)]


def test_a_postmaster_left_behind_by_an_earlier_owner_is_replaced(own_server: Postgres) -> None:
    left_behind = own_server.pid
    successor = Postgres(own_server.home, fsync=False)
    successor.start()
    try:
        assert left_behind is not None
        assert not own_server.alive
        assert process_table.started_at(left_behind) is None
        psycopg.connect(successor.url()).close()
    finally:
        successor.stop()


def test_a_lock_file_with_a_pid_that_now_is_somebody_else_does_not_block(own_server: Postgres) -> None:
    own_server.stop()
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        (own_server.data / "postmaster.pid").write_text(f"{stranger.pid}\n{own_server.data}\n")
        own_server.start()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_lock_file_of_a_zombie_does_not_block(own_server: Postgres) -> None:
    own_server.stop()
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    (own_server.data / "postmaster.pid").write_text(f"{zombie.pid}\n{own_server.data}\n")
    own_server.start()
    assert own_server.alive
    zombie.wait()


def test_the_superuser_password_is_readable_only_by_its_owner(own_server: Postgres) -> None:
    assert (own_server.home / "superuser-password").stat().st_mode & 0o777 == 0o600


def test_data_is_placed_where_the_server_reaches_it_without_opening_a_folder_of_the_user(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres(closed / "postgres", fsync=False)
    server.start()
    try:
        psycopg.connect(server.url()).close()
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()
        server.remove()


def test_binaries_that_the_server_may_not_read_are_copied_to_where_it_may(
    tmp_path: Path, server_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = postgres._installed_package()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for installed in (package, package.with_name(f"{package.name}.libs")):
        (closed / installed.name).symlink_to(installed)
    copies = server_folder / "copies"
    copies.mkdir(mode=0o711)
    monkeypatch.setattr(postgres, "_installed_package", lambda: closed / package.name)
    monkeypatch.setattr(postgres, "_own_folder", lambda _name: copies)
    server = Postgres(server_folder / "copied", fsync=False)
    server.start()
    try:
        psycopg.connect(server.url()).close()
        expected = copies if os.geteuid() == 0 else closed
        assert server.binaries.is_relative_to(expected)
    finally:
        server.stop()


def test_killing_the_supervisor_takes_postgres_down(server_folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from deploy.local.postgres import Postgres\n"
        "server = Postgres(Path(sys.argv[1]), fsync=False); server.start()\n"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", script, str(server_folder / "orphan")], stdout=subprocess.PIPE, text=True
    )
    assert supervisor.stdout is not None
    postmaster = int(supervisor.stdout.readline())
    identity = process_table.started_at(postmaster)
    assert identity is not None
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    assert process_table.gone(postmaster, identity, within_s=20)
