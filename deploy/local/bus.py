"""How is the embedded nats-server configured? Users with least rights, generated from the code."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from deploy.local.environment import NOTIFIER, OPERATOR, ROOT, SERVICES, TOPOLOGY, base_environment
from deploy.local.processes import Process
from deploy.local.secrets import Secrets

USERS = (*SERVICES, NOTIFIER, TOPOLOGY, OPERATOR)


class BusConfiguration:
    """The configuration of nats-server below one folder, and whether its streams are already as the code says.

    Generating the users and reconciling the streams import every service, which takes seconds; both are skipped while
    code and settings are those of the last time.
    """

    def __init__(self, folder: Path, secrets: Secrets, settings: Mapping[str, str], log: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        self.file = folder / "nats.conf"
        self._users = folder / "users.conf"
        self._strangers = folder / "strangers.json"
        self._reconciled = folder / "reconciled"
        self._secrets = secrets
        self._settings = dict(settings)
        self._log = log
        self._fingerprint = _fingerprint(self._settings)

    def environment(self) -> dict[str, str]:
        """The passwords, for nats-server to read; quoted, because it takes a value as configuration text."""
        passwords = {f"CANOPY_NATS_{user.upper()}_PASSWORD": self._secrets.password(f"nats.{user}") for user in USERS}
        return base_environment() | {name: json.dumps(password) for name, password in passwords.items()}

    def write(self) -> None:
        """Write the configuration, generating the users anew when the code has changed."""
        stamp = f"# {self._fingerprint}\n"
        if not self.file.exists() or not self.file.read_text().startswith(stamp):
            _write_private(self._users, self._generated_users())
            self._merge()

    def add_stranger(self, name: str, organization: UUID) -> str:
        """A user that reads one organization's events; returns its password. The server must be told to reload."""
        known = self._known_strangers()
        if known.get(name) != str(organization):
            _write_private(self._strangers, json.dumps(known | {name: str(organization)}))
            self._merge()
        return self._secrets.password(f"nats.{name}")

    def is_reconciled(self) -> bool:
        return self._reconciled.exists() and self._reconciled.read_text() == self._fingerprint

    def note_reconciled(self) -> None:
        self._reconciled.write_text(self._fingerprint)

    def _known_strangers(self) -> dict[str, str]:
        return dict(json.loads(self._strangers.read_text())) if self._strangers.exists() else {}

    def _generated_users(self) -> str:
        output = self._log.with_name("permissions.log")
        output.unlink(missing_ok=True)
        command = [sys.executable, "-m", "shared.bus.permissions"]
        generator = Process("permissions", command, output, environment=base_environment() | self._settings)
        generator.start()
        generator.wait_done()
        return _between(output.read_text())

    def _merge(self) -> None:
        users = self._users.read_text() + "".join(self._rendered_strangers())
        limits = "jetstream { max_mem: 256MB, max_file: 16GB }\n"
        _write_private(self.file, f"# {self._fingerprint}\n{limits}authorization {{ users: [\n{users}] }}\n")

    def _rendered_strangers(self) -> list[str]:
        strangers = self._known_strangers()
        if not strangers:
            return []
        from shared.bus.permissions import render, stranger_user  # noqa: PLC0415 - a second of imports, rarely needed

        return [
            _between(render([stranger_user(name, UUID(organization), self._secrets.password(f"nats.{name}"))]))
            for name, organization in strangers.items()
        ]


def _between(block: str) -> str:
    """The entries of a rendered `users: [ … ]` block. Raises ValueError when it is something else."""
    head, opened, rest = block.partition("users: [\n")
    entries, closed, _ = rest.rpartition("]")
    if not opened or not closed:
        raise ValueError(f"not a list of users: {head or block!r}")
    return entries


def _fingerprint(settings: Mapping[str, str]) -> str:
    """Changes with any line of code of the services or of what they share, and with the settings."""
    digest = hashlib.sha256(json.dumps(sorted(settings.items())).encode())
    for folder in ("shared", "services"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _write_private(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write(text)
    unfinished.replace(path)
