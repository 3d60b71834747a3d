"""Whose credentials are these?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Account:
    """One set of credentials at one provider; several may belong to one `account_id`.

    `credentials` are what a client is configured with (Canopy's field names). `scope` is `full` or `read`; `expires_s`
    (seconds since 1970) is when the provider stops to accept them.
    """

    provider: str
    account_id: str
    credentials: Mapping[str, str] = field(repr=False)
    note: str = ""
    scope: str = "full"
    expires_s: float | None = None

    @property
    def may_write(self) -> bool:
        return self.scope == "full"

    @property
    def may_be_used(self) -> bool:
        """Whether it may do everything, for ever."""
        return self.may_write and self.expires_s is None

    def is_expired(self, now_s: float) -> bool:
        return self.expires_s is not None and now_s >= self.expires_s


NewAccounts = Callable[[], list[Account]]
"""The accounts that a provider's first start makes."""


def load_accounts(data_dir: Path, makers: Mapping[str, NewAccounts]) -> list[Account]:
    """The accounts of `accounts.json`; a provider that has none there yet gets its own, and the file is written again.

    Raises ValueError for a file of another shape. It is replaced whole: a kill must not leave half a file.
    """
    path = data_dir / "accounts.json"
    accounts = parse_accounts(path.read_text()) if path.exists() else []
    known = {account.provider for account in accounts}
    made = [account for name, make in makers.items() if name not in known for account in make()]
    if made:
        accounts += made
        draft = path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({"accounts": [asdict(account) for account in accounts]}, indent=2) + "\n")
        draft.replace(path)
    return accounts


def parse_accounts(text: str) -> list[Account]:
    """The accounts of a JSON document; raises ValueError for one of another shape."""
    try:
        return [Account(**row) for row in json.loads(text)["accounts"]]
    except (KeyError, TypeError) as error:
        raise ValueError("this is not a list of accounts") from error
