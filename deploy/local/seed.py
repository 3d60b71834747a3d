"""How does the demonstration organization come to be? Through the doors that anybody uses, and only once."""

import secrets
import time
from http import HTTPStatus
from typing import Any

import httpx

from deploy.local.demonstration import Demonstration, write_variables
from deploy.local.environment import OPERATOR
from deploy.local.processes import StartFailed
from deploy.local.stack import Stack
from shared.kit.errors import Conflict

ORGANIZATION = "Demonstration"
SLUG = "demonstration"
OWNER = "owner@demo.example"
METRICS_PERIOD_S = 5
"""How often the load feeder measures; a real account has 60 (detailed) or 300 (basic)."""
_PATIENCE_S = 60.0
_AWAY = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)


def seed(stack: Stack) -> Demonstration:
    """The demonstration of an earlier start, or a new one; a start that was killed half way is continued.

    Raises StartFailed with the answer that was not expected.
    """
    with httpx.Client(base_url=stack.url, timeout=30, trust_env=False) as client:
        found = Demonstration.kept(stack.home)
        if found is None or not _opens(client, found.token):
            found = _new(stack, client)
    found.write(stack)
    write_variables(stack.home / "operator.env", stack.operator_environment())
    return found


def _opens(client: httpx.Client, token: str) -> bool:
    answer = client.get("/api/cloud/providers", headers={"X-API-Key": token})
    return answer.status_code != HTTPStatus.UNAUTHORIZED


def _new(stack: Stack, client: httpx.Client) -> Demonstration:
    from deploy.local.bootstrap import bootstrap  # noqa: PLC0415 - seconds of imports that only the first start needs

    password = stack.secrets.password("owner")
    try:
        made = bootstrap(stack.nats_environment(OPERATOR), ORGANIZATION, SLUG, OWNER, password)
        found = Demonstration(str(made.organization_id), made.key)
    except Conflict:  # an earlier start got this far and no further: the owner makes another key
        found = _sign_in(client, password)
    key = {"X-API-Key": found.token}
    if not _expect(client.get("/api/cloud/providers", params={"limit": 1}, headers=key))["items"]:
        _add_provider(stack, client, key)
    return found


def _sign_in(client: httpx.Client, password: str) -> Demonstration:
    session = _expect(client.post("/api/auth/token", json={"email": OWNER, "password": password}))
    bearer = {"Authorization": f"Bearer {session['access_token']}"}
    body = {"name": f"demonstration {secrets.token_hex(4)}", "role": "owner", "expires_at": None}
    key = _expect(client.post("/api/api-keys", json=body, headers=bearer))
    organizations = _expect(client.get("/api/organizations", headers=bearer))
    return Demonstration(organizations["items"][0]["id"], key["key"])


def _add_provider(stack: Stack, client: httpx.Client, key: dict[str, str]) -> None:
    account = stack.accounts[0]
    body = {
        "provider_name": "aws",
        "provider_type": "primary",
        "display_name": "AWS (simulated)",
        "regions": ["us-east-1", "us-west-2"],
        "credentials_config": {
            "access_key_id": account.access_key_id,
            "secret_access_key": account.secret_access_key,
        },
        "cost_budget": 10_000,
        "metrics_period_s": METRICS_PERIOD_S,
    }
    _expect(_post_until_answered(client, "/api/cloud/providers", body, key))


def _post_until_answered(
    client: httpx.Client, path: str, body: dict[str, Any], headers: dict[str, str]
) -> httpx.Response:
    """Ask again with the same key while somebody is away or slow, as a busy machine is just after a start."""
    repeatable = headers | {"Idempotency-Key": secrets.token_hex(16)}
    deadline = time.monotonic() + _PATIENCE_S
    while (answer := client.post(path, json=body, headers=repeatable)).status_code in _AWAY:
        if time.monotonic() > deadline:
            break
        time.sleep(float(answer.headers.get("Retry-After", 1)))
    return answer


def _expect(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise StartFailed(
            f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
        )
    return answer.json()
