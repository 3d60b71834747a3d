"""How is one child process started so that it dies with us, and how is it stopped?"""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LONGEST_LOG_BYTES = 50_000_000
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class StartFailed(RuntimeError):
    """A child ended or did not become ready in time; the text names its log file and the log's last lines."""


def unprivileged_account() -> pwd.struct_passwd | None:
    """The account a server that refuses to be root runs as; None when we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        others = [account for account in pwd.getpwall() if account.pw_uid != 0]
        if not others:
            raise StartFailed("PostgreSQL does not run as root and this machine has no other account") from None
        return max(others, key=lambda account: account.pw_uid)


def _die_with(parent: int, death_signal: int) -> Callable[[], None]:
    def prepare() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            if os.getppid() != parent:  # the parent died before the request took effect
                os._exit(1)

    return prepare


class Process:
    """One child: `start` it, `wait_ready`, see whether it is `alive`, `stop` it in peace or `kill` it.

    It is ready when `ready_url` answers with a 2xx; without one, as soon as it runs.

    The kernel sends `stop_signal` when the *thread* that called `start` ends, so start children from a thread that
    lives as long as they should (the main thread). Children get their own session: Ctrl-C reaches only the supervisor,
    which then stops them in order.
    """

    stop_signal: signal.Signals = signal.SIGTERM

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        account: pwd.struct_passwd | None = None,
        ready_url: str | None = None,
    ) -> None:
        self.name = name
        self.command = [str(part) for part in command]
        self.log = log
        self.environment = None if environment is None else dict(environment)
        self._account = account
        self.ready_url = ready_url
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return None if self._child is None else self._child.pid

    @property
    def returncode(self) -> int | None:
        return None if self._child is None else self._child.poll()

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        """Start the child; its output is appended to the log file, a very long one is put aside first."""
        if self.alive:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LONGEST_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".earlier.log"))
        account = self._account
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd="/" if account is not None else None,  # it may not enter the folder we are in
                user=None if account is None else account.pw_uid,
                group=None if account is None else account.pw_gid,
                extra_groups=None if account is None else [],
                start_new_session=True,
                preexec_fn=_die_with(os.getpid(), self.stop_signal),  # noqa: PLW1509 - only calls prctl
            )

    def terminate(self) -> None:
        """Ask the child to end; returns at once."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(self.stop_signal)

    def stop(self, grace_s: float = 10.0) -> None:
        """Ask the child to end and wait; after the grace time it is killed with whatever it started."""
        self.terminate()
        if self._child is not None:
            try:
                self._child.wait(grace_s)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """SIGKILL the child and its process group, and reap it."""
        if self._child is not None and self._child.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def signal(self, number: int) -> None:
        """Send any other signal (SIGSTOP, SIGCONT…) to the child."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(number)

    def wait_ready(self, timeout_s: float = 60.0) -> None:
        """Wait until the child says it is ready; raises StartFailed with the end of its log."""
        self.wait_until(self.is_ready, timeout_s)

    def is_ready(self) -> bool:
        return self.alive and (self.ready_url is None or answers(self.ready_url))

    def wait_done(self, timeout_s: float = 60.0) -> None:
        """Wait for a child that has an end; raises StartFailed when it fails or takes too long."""
        if self._child is None:
            raise StartFailed(f"{self.name} has not been started")
        try:
            outcome = self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise StartFailed(f"{self.name} took more than {timeout_s:g} s; {self.log}:\n{self.last_lines()}") from None
        if outcome != 0:
            raise StartFailed(f"{self.name} failed with {outcome}; {self.log}:\n{self.last_lines()}")

    def wait_until(self, ready: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Poll `ready` until it is true; raises StartFailed when the child ends first or time is up."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.alive:
                raise StartFailed(f"{self.name} ended with {self.returncode}; {self.log}:\n{self.last_lines()}")
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.name} was not ready in {timeout_s:g} s; {self.log}:\n{self.last_lines()}")
            time.sleep(0.02)

    def last_lines(self, count: int = 15) -> str:
        """The end of the log, for an error message."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 16_384))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-count:])


def answers(url: str, timeout_s: float = 2.0) -> bool:
    """True when a GET of this loopback address gives a 2xx."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as response:
            return bool(200 <= response.status < 300)
    except (urllib.error.URLError, OSError, ValueError):
        return False
