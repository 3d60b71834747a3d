"""What does somebody who tries the embedded deployment need to know? Kept in files that a shell can read."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.stack import Stack


@dataclass(frozen=True)
class Demonstration:
    """The seeded organization and an API key of its owner."""

    organization: str
    token: str

    @classmethod
    def kept(cls, home: Path) -> "Demonstration | None":
        """That of an earlier start; None when there was none that got so far."""
        known = read_variables(home / "demo.env")
        try:
            return cls(known["CANOPY_ORGANIZATION"], known["CANOPY_TOKEN"])
        except KeyError:
            return None

    def write(self, stack: Stack) -> Path:
        """Write `demo.env`: this, and where everything is now. Returns the file."""
        second = stack.accounts[1]
        variables = {
            "CANOPY_URL": stack.url,
            "CANOPY_TOKEN": self.token,
            "CANOPY_ORGANIZATION": self.organization,
            "CANOPY_AWS_ACCESS_KEY_ID": second.access_key_id,
            "CANOPY_AWS_SECRET_ACCESS_KEY": second.secret_access_key,
            "CANOPY_SIMULATOR_URL": stack.simulator_url,
            "CANOPY_LOAD_URL": stack.load_url,
            "CANOPY_SINKS_URL": stack.sinks_url,
            "CANOPY_SLACK_WEBHOOK_URL": f"{stack.sinks_url}/slack/demo",
            "CANOPY_WEBHOOK_URL": f"{stack.sinks_url}/webhook/demo",
            "CANOPY_SMTP_HOST": "127.0.0.1",
            "CANOPY_SMTP_PORT": str(stack.smtp_port),
            **_other_clouds(stack),
        }
        return write_variables(stack.home / "demo.env", variables)


def _other_clouds(stack: Stack) -> dict[str, str]:
    """Of every other simulated cloud its address and, as `credentials_config` takes them, an account's credentials."""
    accounts = {each.provider: each.credentials for each in reversed(stack.other_accounts) if each.may_be_used}
    urls = stack.cloud_urls
    return {
        f"CANOPY_{name.upper()}_{what}": value
        for name, credentials in sorted(accounts.items())
        for what, value in (("CREDENTIALS", json.dumps(dict(credentials))), ("SIMULATOR_URL", urls[name]))
    }


def read_variables(file: Path) -> dict[str, str]:
    """The variables of a file that `write_variables` wrote; none when there is no such file."""
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines())
    return {name: "".join(shlex.split(value)) for name, _, value in pairs if name}


def write_variables(file: Path, variables: Mapping[str, str]) -> Path:
    """Write lines that a shell can source, readable by their owner only, as a whole or not at all."""
    unfinished = file.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.writelines(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    return unfinished.replace(file)
