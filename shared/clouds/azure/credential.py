"""How is a token got where the deployment sets the endpoint?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Self

import httpx
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from shared.clouds.azure.errors import PROVIDER, from_answer
from shared.clouds.errors import Unreachable

_OPERATION = "token"
_RENEWED_BEFORE_S = 300


class EndpointCredential:
    """The client credentials grant (RFC 6749 4.4) at `{endpoint}/{tenant}/oauth2/v2.0/token`, kept until shortly before
    its end.

    Only for an endpoint that the deployment sets: azure-identity refuses an authority of plain http
    (`normalize_authority`), and asks Microsoft's own address when it is not told one. Without such a setting
    azure-identity's `ClientSecretCredential` is used.
    """

    def __init__(
        self,
        endpoint_url: str,
        tenant_id: str,
        client_id: str,
        client_secret: str,
        *,
        timeout: httpx.Timeout,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._url = f"{endpoint_url}/{tenant_id}/oauth2/v2.0/token"
        self._secrets = (client_secret, client_id, tenant_id)
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._http = httpx.AsyncClient(timeout=timeout, follow_redirects=False)
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
        try:
            response = await self._http.post(self._url, data={**self._form, "scope": scope})
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
            operation=_OPERATION, secrets=self._secrets, otherwise="The token endpoint's answer is not one",
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
