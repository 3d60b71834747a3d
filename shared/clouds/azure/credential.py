"""How is a token got where the deployment sets the endpoint?"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

import httpx
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared.clouds.azure.certificate import Certificate
from shared.clouds.azure.errors import PROVIDER, from_answer
from shared.clouds.errors import Unreachable
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings
from shared.clouds.workload import identity_token

_OPERATION = "token"
_RENEWED_BEFORE_S = 300


Proof = Callable[[], Mapping[str, str]]
"""What an application shows of itself: the fields of its secret, or of an assertion made for this request."""

_trusted = functools.cache(httpx.create_ssl_context)
"""One for all accounts: to read a hundred authorities takes 20 ms of CPU."""

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def proof_of(credentials: Credentials, settings: CloudSettings) -> Proof:
    """By secret, by an assertion that the certificate signs, or by the organization's identity token.

    The proof raises `AuthFailed` when the deployment has no token for the organization.
    """
    if "client_secret" in credentials:
        return lambda: {"client_secret": credentials["client_secret"]}
    assertion = assertion_of(credentials, settings)
    return lambda: {"client_assertion_type": _ASSERTION_TYPE, "client_assertion": assertion()}


def assertion_of(credentials: Credentials, settings: CloudSettings) -> Callable[[], str]:
    """Makes an assertion each time a token is needed."""
    if "client_certificate" in credentials:
        certificate = Certificate.read(credentials["client_certificate"])
        return lambda: certificate.assertion(credentials["tenant_id"], credentials["client_id"], datetime.now(UTC))
    return lambda: identity_token(settings, credentials["organization_id"], PROVIDER)


class EndpointCredential:
    """The client credentials grant (RFC 6749 4.4) at `{endpoint}/{tenant}/oauth2/v2.0/token`, kept until shortly before
    its end.

    Only for an endpoint that the deployment sets: azure-identity refuses an authority of plain http
    (`normalize_authority`), and asks Microsoft's own address when it is not told one. Without such a setting
    azure-identity's `ClientSecretCredential` and `ClientAssertionCredential` are used.
    """

    def __init__(
        self,
        endpoint_url: str,
        tenant_id: str,
        client_id: str,
        proof: Proof,
        *,
        timeout: httpx.Timeout,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._url = f"{endpoint_url}/{tenant_id}/oauth2/v2.0/token"
        self._names = (client_id, tenant_id)
        self._client_id = client_id
        self._proof = proof
        self._http = httpx.AsyncClient(timeout=timeout, follow_redirects=False, verify=_trusted())
        self._now_s = now_s
        self._tokens: dict[str, AccessToken] = {}
        self._asking = asyncio.Lock()

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """Raises our errors: `AuthFailed`, `RateLimited`, `Unreachable`, `ProviderFault`."""
        scope = " ".join(scopes)
        async with self._asking:
            known = self._tokens.get(scope)
            if known is None or known.expires_on - _RENEWED_BEFORE_S < self._now_s():
                known = self._tokens[scope] = await self._ask(scope)
            return known

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _ask(self, scope: str) -> AccessToken:
        asked_s = int(self._now_s())
        proof = self._proof()
        form = {"grant_type": "client_credentials", "client_id": self._client_id, "scope": scope, **proof}
        try:
            response = await self._http.post(self._url, data=form)
        except (httpx.HTTPError, RuntimeError) as error:
            # RuntimeError: the client was closed while the call waited for its turn.
            raise Unreachable(
                type(error).__name__, "No answer from the token endpoint", provider=PROVIDER, operation=_OPERATION
            ) from None
        try:
            document = response.json()
            if response.status_code == 200:
                return AccessToken(str(document["access_token"]), asked_s + int(document["expires_in"]))
        except (ValueError, KeyError, TypeError):
            document = None
        raise from_answer(
            response.status_code if response.status_code != 200 else 502, document, response.headers,
            operation=_OPERATION, secrets=(*proof.values(), *self._names),
            otherwise="The token endpoint's answer is not one",
        )  # fmt: skip


class BearerPolicy(SansIOHTTPPolicy[Any, Any]):
    """Azure's own policy refuses to send a token over plain http; a deployment that sets such an endpoint wants it."""

    def __init__(self, credential: EndpointCredential, scope: str) -> None:
        super().__init__()
        self._credential = credential
        self._scope = scope

    async def on_request(self, request: PipelineRequest[Any]) -> None:
        token = await self._credential.get_token(self._scope)
        request.http_request.headers["Authorization"] = f"Bearer {token.token}"
