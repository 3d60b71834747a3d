"""With which keys is a call signed? An access key's own, or those of a role that is assumed and assumed again in time.

botocore has fetchers of its own for this (AssumeRoleCredentialFetcher). They are not used: their errors come out of
whatever call happened to be signed, so that a role that may not be assumed would look like a machine that may not be
started, and their credentials cannot be given to a client without a session that reads this machine's files.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from shared.clouds.aws.errors import PROVIDER
from shared.clouds.errors import AuthFailed, CloudError, PermissionDenied
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings
from shared.clouds.workload import external_id, identity_token

SESSION_S = 3600
"""An hour: the longest that every role allows."""
_RENEWED_BEFORE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Keys:
    """What a request is signed with; both None for the one that needs no signature."""

    access_key_id: str | None
    secret_access_key: str | None = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


Ask = Callable[[Keys, str, Mapping[str, Any]], dict[str, Any]]
"""One call of STS in this thread: `ask(keys, operation, parameters)`; raises our errors."""


class Sessions(Protocol):
    """Where keys come from. `current` is called in a thread and may ask STS."""

    def current(self, ask: Ask) -> Keys: ...

    def secrets(self) -> tuple[str, ...]:
        """What must not be seen in any message."""
        ...


class AccessKey:
    """The keys that a tenant gave."""

    def __init__(self, access_key_id: str, secret_access_key: str) -> None:
        self._keys = Keys(access_key_id, secret_access_key)

    def current(self, _ask: Ask) -> Keys:
        return self._keys

    def secrets(self) -> tuple[str, ...]:
        return str(self._keys.secret_access_key), str(self._keys.access_key_id)


class Role:
    """The keys of an assumed role: one session for all threads of an account, renewed before it ends."""

    def __init__(
        self, credentials: Credentials, settings: CloudSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._role_arn = credentials["role_arn"]
        self._organization_id = credentials["organization_id"]
        self._is_web_identity = credentials.get("method") == "web_identity"
        self._base = _base(credentials, settings)
        self._settings = settings
        self._now = now
        self._renewing = threading.Lock()
        self._keys: Keys | None = None
        self._ends: datetime = datetime.min.replace(tzinfo=UTC)

    def current(self, ask: Ask) -> Keys:
        """Raises `AuthFailed` when the role may not be assumed. An outage of STS is none while a session lives."""
        with self._renewing:
            now = self._now()
            if self._keys is None or now >= self._ends - _RENEWED_BEFORE:
                try:
                    self._keys, self._ends = self._assume(ask)
                except CloudError as error:
                    if self._keys is None or not error.retryable or now >= self._ends:
                        raise
            return self._keys

    def secrets(self) -> tuple[str, ...]:
        known = (self._base, self._keys)
        return tuple(
            secret
            for keys in known
            if keys is not None
            for secret in (keys.session_token, keys.secret_access_key, keys.access_key_id)
            if secret
        )

    def _assume(self, ask: Ask) -> tuple[Keys, datetime]:
        parameters: dict[str, Any] = {
            "RoleArn": self._role_arn,
            "RoleSessionName": f"canopy-{self._organization_id}",
            "DurationSeconds": SESSION_S,
        }
        try:
            if self._is_web_identity:
                token = identity_token(self._settings, self._organization_id, PROVIDER)
                answer = ask(Keys(None, None), "AssumeRoleWithWebIdentity", {**parameters, "WebIdentityToken": token})
            else:
                answer = ask(self._base_keys(), "AssumeRole",
                             {**parameters, "ExternalId": external_id(self._organization_id)})  # fmt: skip
        except PermissionDenied as error:
            message = "The role may not be assumed: its trust does not name us, or asks for another external id"
            raise AuthFailed(error.code, message, provider=PROVIDER, operation=error.operation) from None
        found = answer["Credentials"]
        keys = Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
        return keys, found["Expiration"]

    def _base_keys(self) -> Keys:
        if self._base is None:
            message = "This deployment has no access key of its own that could assume the role"
            raise AuthFailed("no_base_credentials", message, provider=PROVIDER, operation="AssumeRole")
        return self._base


def sessions_of(
    credentials: Credentials, settings: CloudSettings, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Sessions:
    """Where the keys of an account come from."""
    if "role_arn" in credentials:
        return Role(credentials, settings, now)
    return AccessKey(credentials["access_key_id"], credentials["secret_access_key"])


def _base(credentials: Credentials, settings: CloudSettings) -> Keys | None:
    if "access_key_id" in credentials:
        return Keys(credentials["access_key_id"], credentials["secret_access_key"])
    if settings.aws_base_access_key_id is None or settings.aws_base_secret_access_key is None:
        return None
    return Keys(settings.aws_base_access_key_id, settings.aws_base_secret_access_key.get_secret_value())
