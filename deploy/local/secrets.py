"""Which secrets does the embedded deployment have? Made at the first start, kept in a file for its owner only."""

import base64
import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, Field


def _token() -> str:
    return secrets.token_urlsafe(32)


class KeyRingText(BaseModel):
    """A key ring as the settings want it: base64 of 32 bytes by key id; new values are sealed under the primary."""

    primary: str = "local-1"
    keys: dict[str, str] = Field(
        default_factory=lambda: {"local-1": base64.b64encode(secrets.token_bytes(32)).decode()}, repr=False
    )


class Secrets(BaseModel):
    """Every password of the embedded deployment; names that are asked for and missing are made and stored."""

    file: Path = Field(exclude=True)
    key_ring: KeyRingText = Field(default_factory=KeyRingText)
    """Seals what tenants entrust to us: credentials of clouds, addresses of channels."""
    gateway_key_ring: KeyRingText = Field(default_factory=KeyRingText)
    """The gateway's own, for tokens and API keys: it never opens a credential."""
    passwords: dict[str, str] = Field(default_factory=dict, repr=False)

    @classmethod
    def kept(cls, file: Path) -> "Secrets":
        """Those of an earlier start, or new ones."""
        known = json.loads(file.read_text()) if file.exists() else {}
        found = cls(file=file, **known)
        found.store()
        return found

    def password(self, name: str) -> str:
        """The password of a database role or NATS user, always the same for one name."""
        if name not in self.passwords and self.file.exists():
            # `canopy grant` makes passwords in a process of its own: they must not be made, or lost, a second time.
            self.passwords = json.loads(self.file.read_text()).get("passwords", {}) | self.passwords
        if name not in self.passwords:
            self.passwords[name] = _token()
            self.store()
        return self.passwords[name]

    def store(self) -> None:
        """Replace the file as a whole: a kill in between leaves the earlier one."""
        unfinished = self.file.with_suffix(".unfinished")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.write(self.model_dump_json(indent=1))
        unfinished.replace(self.file)
