"""Whose access key is this?"""

import json
import os
import secrets
import string
from dataclasses import asdict, dataclass
from pathlib import Path

NOTES = ("demonstration organization", "second account, no provider registered")
FULL, READER, DEACTIVATED = "full", "read", "none"
KEY_LETTERS = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class Account:
    """An access key of an account. `scope`: `full`, `read`, or `none` once it is deactivated (AWS's keys never end)."""

    account_id: str
    access_key_id: str
    secret_access_key: str
    note: str
    scope: str = FULL


def _new_account(note: str) -> Account:
    digits = "".join(secrets.choice(string.digits) for _ in range(11))
    return _new_key(secrets.choice("123456789") + digits, note)


def _new_key(account_id: str, note: str, scope: str = FULL) -> Account:
    key = "AKIA" + "".join(secrets.choice(KEY_LETTERS) for _ in range(16))
    return Account(account_id, key, secrets.token_urlsafe(30), note, scope)


def _new_accounts() -> list[Account]:
    """Of each account one key that may do everything; of the first one also a reader's and a deactivated one."""
    full = [_new_account(note) for note in NOTES]
    first = full[0].account_id
    return [*full, _new_key(first, "may read only", READER), _new_key(first, "deactivated", DEACTIVATED)]


def parse_accounts(text: str) -> list[Account]:
    """The accounts of a JSON document; raises ValueError for one of another shape."""
    try:
        rows = json.loads(text)["accounts"]
        return [
            Account(**{name: str(row[name]) for name in Account.__dataclass_fields__ if name != "scope" or name in row})
            for row in rows
        ]
    except (KeyError, TypeError) as error:
        raise ValueError("this is not a list of accounts") from error


def load_accounts(data_dir: Path) -> list[Account]:
    """The accounts of `accounts.json`; the first start writes it, from `CANOPY_AWS_ACCOUNTS` (the same JSON) if set.

    Raises ValueError for a document of another shape. The file is created whole or not at all: a kill in between
    must not leave half a file that the next start trips over.
    """
    path = data_dir / "accounts.json"
    if not path.exists():
        given = os.environ.get("CANOPY_AWS_ACCOUNTS")
        accounts = parse_accounts(given) if given else _new_accounts()
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps({"accounts": [asdict(account) for account in accounts]}, indent=2) + "\n")
        draft.chmod(0o600)
        draft.replace(path)
    return parse_accounts(path.read_text())
