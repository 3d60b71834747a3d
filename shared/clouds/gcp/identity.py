"""How does an account get its access tokens?

A service account by a signed assertion (RFC 7523); a workload by this organization's identity token (RFC 8693); and
either may then become a service account. All at this deployment's addresses. google-auth's own credentials are not
used: they ask the addresses that stand in the key or in a configuration, repeat by themselves, and hide a Retry-After.
"""

from __future__ import annotations

import json
import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from google.auth import jwt
from google.auth.credentials import Credentials as GoogleCredentials
from google.auth.crypt import RSASigner

from shared.clouds.gcp.errors import PROVIDER, TokenRefused
from shared.clouds.models import Credentials
from shared.clouds.private_keys import read_private_key
from shared.clouds.settings import CloudSettings
from shared.clouds.workload import identity_token

_AUDIENCE = "https://oauth2.googleapis.com/token"
"""What an assertion is made out to, wherever it is sent; Google accepts no other."""

_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
_EXCHANGE_URL = "https://sts.googleapis.com"
_IMPERSONATION_URL = "https://iamcredentials.googleapis.com"
_EXCHANGE_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type
_SUBJECT_TOKEN = "urn:ietf:params:oauth:token-type:jwt"  # noqa: S105 - the name of a type
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LIFE = timedelta(hours=1)


class Identity(GoogleCredentials):
    """What the SDK signs its calls with. One token for all threads of an account, renewed before it ends."""

    email: str

    def __init__(self, timeout_s: float, now: Callable[[], datetime]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._timeout_s = timeout_s
        self._now = now
        self._renewing = threading.Lock()

    def refresh(self, request: Any) -> None:
        """Called by google-auth in a thread; raises TokenRefused, or TransportError without an answer."""
        old = self.token
        with self._renewing:
            if self.token != old and self.valid:
                return  # another thread was faster
            self.token, life = self._ask(request)
            self.expiry = (self._now() + life).astimezone(UTC).replace(tzinfo=None)  # google-auth's times have no zone

    def secrets(self) -> tuple[str, ...]:
        """What must not be seen in any message."""
        return () if self.token is None else (str(self.token),)

    @abstractmethod
    def _ask(self, request: Any) -> tuple[str, timedelta]:
        """A new token and how long it lives."""

    def _post(
        self, request: Any, url: str, body: bytes, headers: Mapping[str, str], token_field: str
    ) -> tuple[str, Mapping[str, Any]]:
        answer = request(url=url, method="POST", body=body, headers=dict(headers), timeout=self._timeout_s)
        document = _document(answer.data)
        token = document.get(token_field)
        if answer.status != 200 or not isinstance(token, str):
            status = answer.status if answer.status >= 400 else 502
            raise TokenRefused(status, document, answer.headers.get("retry-after"))
        return token, document

    def _exchange(self, request: Any, url: str, form: Mapping[str, str]) -> tuple[str, timedelta]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        token, document = self._post(request, url, urlencode(form).encode(), headers, "access_token")
        return token, timedelta(seconds=float(document.get("expires_in", _LIFE.total_seconds())))


class ServiceAccount(Identity):
    """By its key."""

    def __init__(self, key: Mapping[str, str], token_url: str, timeout_s: float, now: Callable[[], datetime]) -> None:
        super().__init__(timeout_s, now)
        self.email = key["client_email"]
        self._key = key
        private_key = read_private_key(key["private_key"])  # google-auth's own reader would check it once more
        self._signer = RSASigner(private_key, key["private_key_id"])  # type: ignore[no-untyped-call]
        self._token_url = token_url

    def secrets(self) -> tuple[str, ...]:
        return self._key["private_key"], str(self.token or self._key["private_key_id"])

    def _ask(self, request: Any) -> tuple[str, timedelta]:
        return self._exchange(request, self._token_url, {"grant_type": _GRANT, "assertion": self._assertion()})

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


class Workload(Identity):
    """By an identity token that the project's workload identity pool trusts."""

    def __init__(
        self,
        audience: str,
        token_url: str,
        subject_token: Callable[[], str],
        timeout_s: float,
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(timeout_s, now)
        self.email = audience
        self._audience = audience
        self._token_url = token_url
        self._subject_token = subject_token
        self._shown: str | None = None

    def secrets(self) -> tuple[str, ...]:
        return (*super().secrets(), *(() if self._shown is None else (self._shown,)))

    def _ask(self, request: Any) -> tuple[str, timedelta]:
        self._shown = self._subject_token()
        form = {
            "grant_type": _EXCHANGE_GRANT,
            "audience": self._audience,
            "scope": _SCOPE,
            "requested_token_type": _ACCESS_TOKEN,
            "subject_token_type": _SUBJECT_TOKEN,
            "subject_token": self._shown,
        }
        return self._exchange(request, self._token_url, form)


class Impersonation(Identity):
    """A service account that another identity may become; the other needs no role but that one."""

    def __init__(self, source: Identity, email: str, url: str, timeout_s: float, now: Callable[[], datetime]) -> None:
        super().__init__(timeout_s, now)
        self.email = email
        self._source = source
        self._url = url

    def secrets(self) -> tuple[str, ...]:
        return (*super().secrets(), *self._source.secrets())

    def _ask(self, request: Any) -> tuple[str, timedelta]:
        if not self._source.valid:
            self._source.refresh(request)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._source.token}"}
        body = json.dumps({"scope": [_SCOPE], "lifetime": f"{_LIFE.total_seconds():.0f}s"}).encode()
        token, document = self._post(request, self._url, body, headers, "accessToken")
        return token, datetime.fromisoformat(str(document["expireTime"])) - self._now()


def identity_of(credentials: Credentials, settings: CloudSettings, now: Callable[[], datetime]) -> Identity:
    """Who the account's calls are made as."""
    endpoint = None if settings.gcp_endpoint_url is None else str(settings.gcp_endpoint_url).rstrip("/")
    timeout_s = settings.cloud_read_timeout_s
    source: Identity
    if "service_account_key" in credentials:
        key = json.loads(credentials["service_account_key"])
        source = ServiceAccount(key, f"{endpoint}/token" if endpoint else _TOKEN_URL, timeout_s, now)
    else:
        organization = credentials["organization_id"]
        url = f"{endpoint or _EXCHANGE_URL}/v1/token"
        subject_token = partial(identity_token, settings, organization, PROVIDER)
        source = Workload(credentials["audience"], url, subject_token, timeout_s, now)
    email = credentials.get("impersonated_service_account")
    if email is None:
        return source
    url = f"{endpoint or _IMPERSONATION_URL}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"
    return Impersonation(source, email, url, timeout_s, now)


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
