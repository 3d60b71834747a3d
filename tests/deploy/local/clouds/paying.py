"""How does a test see the bills of a simulated cloud at a day of its choosing? In its own process: a clock cannot go back."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from deploy.local.clouds.azure import identity
from deploy.local.clouds.gcp import tokens
from deploy.local.clouds.world.accounts import Account
from deploy.local.clouds.world.application import Application
from deploy.local.clouds.world.controls import Controls
from deploy.local.clouds.world.provider import Call, HttpRequest, Provider
from deploy.local.clouds.world.settings import Settings
from deploy.local.clouds.world.storage import Storage
from deploy.local.clouds.world.world import World

NOW = dt.datetime(2026, 8, 10, 12, tzinfo=dt.UTC)
"""After a whole July and a whole January of the estates, which begin in November 2025."""
MACHINES = 40


class Payer:
    """A cloud with an estate of MACHINES, and its accounts: full, another's, one that may only read, an expired one."""

    def __init__(self, provider: Provider, storage: Storage, folder: Path) -> None:
        self.accounts = provider.new_accounts()
        self.world = World(storage, Settings(folder, state_seconds=30.0), NOW.timestamp)
        self._application = Application(
            provider, self.accounts, self.world, Controls(self.world, {provider.name: provider}, self.accounts)
        )
        self.headers: Callable[[Account], Mapping[str, str]] = lambda account: {
            "authorization": f"Bearer {account.credentials['token']}"
        }

    @property
    def now_s(self) -> float:
        return self.world.clock.now_s()

    def ask(self, method: str, url: str, document: Any = None, account: int = 0) -> tuple[int, Any]:
        """Status and document of a call over the wire's own way: account, region, action."""
        return self.send(method, url, b"" if document is None else json.dumps(document).encode(),
                         self.headers(self.accounts[account]))  # fmt: skip

    def get(self, url: str) -> Any:
        status, document = self.ask("GET", url)
        assert status == 200, document
        return document

    def send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, Any]:
        parts, sent = urlsplit(url), []

        async def receive() -> dict[str, Any]:
            return {"body": body}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "method": method, "scheme": "http", "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
            "headers": [(b"host", b"cloud.test"), *((k.encode(), v.encode()) for k, v in headers.items())],
        }  # fmt: skip
        asyncio.run(self._application(scope, receive, send))
        return sent[0]["status"], json.loads(b"".join(each["body"] for each in sent[1:]) or b"null")

    def call(self, account: Account | None = None) -> Call:
        """For asking the simulator's own functions; the first account's unless another is given."""
        request = HttpRequest("GET", "/", {}, {}, b"", "http://cloud.test")
        return Call(request, account or self.accounts[0], "global", {}, self.world.things, self.now_s, 30.0)


def sign_in_at_azure(payer: Payer) -> None:
    """By Entra's tokens, one for each account that asks; empty for one whose secret has expired."""
    known: dict[str, str] = {}

    def headers(account: Account) -> Mapping[str, str]:
        keys = account.credentials
        if keys["client_id"] not in known:
            form = {
                "grant_type": "client_credentials", "client_id": keys["client_id"],
                "client_secret": keys["client_secret"], "scope": "https://management.azure.com/.default",
            }  # fmt: skip
            _, answer = payer.send("POST", f"/{identity.TENANT}/oauth2/v2.0/token", urlencode(form).encode(), {})
            known[keys["client_id"]] = answer.get("access_token", "")
        return {"authorization": f"Bearer {known[keys['client_id']]}"}

    payer.headers = headers


def sign_in_at_google(payer: Payer) -> None:
    """By access tokens of the day at which the cloud's clock stands: an assertion is signed by the real one."""

    def headers(account: Account) -> Mapping[str, str]:
        issued = tokens.issue(payer.call(account), NOW.timestamp())
        return {"authorization": f"Bearer {issued.document['access_token']}"}

    payer.headers = headers


@contextmanager
def paying(provider: Provider, folder: Path, machines: int = MACHINES) -> Iterator[Payer]:
    storage = Storage(folder)
    payer = Payer(provider, storage, folder)
    status, planted = payer.send(
        "POST", "/_sim/seed", json.dumps({"seed": 3, "machines": machines, "provider": provider.name}).encode(), {}
    )
    assert (status, planted) == (200, {"planted": {provider.name: machines}})
    yield payer
    storage.close()
