"""How does a service account get its access tokens?

By a signed assertion (RFC 7523) at this deployment's token endpoint. google-auth's own service account credentials are
not used: they ask the address that stands in the key, repeat by themselves, and hide a Retry-After.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from google.auth import jwt
from google.auth.credentials import Credentials as GoogleCredentials
from google.auth.crypt import RSASigner

from shared.clouds.gcp.errors import TokenRefused

_AUDIENCE = "https://oauth2.googleapis.com/token"
"""What an assertion is made out to, wherever it is sent; Google accepts no other."""

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LIFE = timedelta(hours=1)


class ServiceAccount(GoogleCredentials):
    """What the SDK signs its calls with. One token for all threads of an account, renewed before it ends."""

    def __init__(self, key: Mapping[str, str], token_url: str, timeout_s: float, now: Callable[[], datetime]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.email = key["client_email"]
        self._signer = RSASigner.from_string(key["private_key"], key["private_key_id"])  # type: ignore[no-untyped-call]
        self._token_url = token_url
        self._timeout_s = timeout_s
        self._now = now
        self._renewing = threading.Lock()

    def refresh(self, request: Any) -> None:
        """Called by google-auth in a thread; raises TokenRefused, or TransportError without an answer."""
        old = self.token
        with self._renewing:
            if self.token != old and self.valid:
                return  # another thread was faster
            form = urlencode({"grant_type": _GRANT, "assertion": self._assertion()})
            answer = request(
                url=self._token_url,
                method="POST",
                body=form.encode(),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                timeout=self._timeout_s,
            )
            document = _document(answer.data)
            if answer.status != 200 or not isinstance(document.get("access_token"), str):
                status = answer.status if answer.status >= 400 else 502
                raise TokenRefused(status, document, answer.headers.get("retry-after"))
            life = timedelta(seconds=float(document.get("expires_in", _LIFE.total_seconds())))
            self.token = document["access_token"]
            self.expiry = (self._now() + life).astimezone(UTC).replace(tzinfo=None)  # google-auth's times have no zone

    def _assertion(self) -> str:
        now = self._now()
        claims = {
            "iss": self.email,
            "aud": _AUDIENCE,
            "scope": _SCOPE,
            "iat": int(now.timestamp()),
            "exp": int((now + _LIFE).timestamp()),
        }
        return bytes(jwt.encode(self._signer, claims)).decode()  # type: ignore[no-untyped-call]


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
