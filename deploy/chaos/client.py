"""How does a campaign speak to the deployment while parts of it are dead? REST, asked again with the same key."""

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

PROVIDERS = "/api/cloud/providers"
RESOURCES = "/api/cloud/resources"
RECOVERY = "/api/cloud/disaster-recovery"
PATIENCE_S = 120.0
AWAY = (429, 502, 503, 504)
BUSY = 409


class Refused(Exception):
    """The deployment's answer is no; `status` is 0 when it did not answer."""

    def __init__(self, detail: str, status: int = 0) -> None:
        super().__init__(detail)
        self.status = status


class Client:
    """One organization's REST API. A mutation keeps its idempotency key over all its repeats."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx.Client(base_url=url, headers={"X-API-Key": token}, timeout=30, trust_env=False)

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The document of a 2xx; raises Refused for any other final answer."""
        headers = {"Idempotency-Key": secrets.token_hex(16)} if method != "GET" else {}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._http.request(method, path, json=body, params=query, headers=headers)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise Refused(f"{method} {path}: {type(error).__name__}") from error
            else:
                if answer.is_success:
                    return answer.json() if answer.content else None
                if not _may_pass(answer) or time.monotonic() > deadline:
                    raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:500]}", answer.status_code)
            time.sleep(0.5)

    def items(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor = None
        while True:
            page = self.call("GET", path, limit=200, **query, **({} if cursor is None else {"cursor": cursor}))
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def close(self) -> None:
        self._http.close()


def _may_pass(answer: httpx.Response) -> bool:
    """Whoever should answer is away, or still at work on the first try with this key."""
    return answer.status_code in AWAY or (answer.status_code == BUSY and answer.json().get("code") == "in_flight")


def simulated(url: str, what: str, within: str) -> list[dict[str, Any]]:
    """A list of the simulated cloud's own: instances, snapshots, volumes, or the entries of its ledger."""
    answer = httpx.get(f"{url}/_sim/{what}", timeout=60, trust_env=False)
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()[within]
    return found


def instruct(url: str, what: str, document: Mapping[str, Any]) -> None:
    """Tell a simulated cloud what to do from now on."""
    httpx.post(f"{url}/_sim/{what}", json=dict(document), timeout=60, trust_env=False).raise_for_status()
