"""With which credentials may this service call a provider? Ciphertext from the KV bucket, opened in memory.

The provisioner writes the bucket through its outbox; monitor and recovery read it here. A read is one direct get
of the key's last value, so that new credentials are used at the next call; it is opened again only when it has changed.
"""

import json
from typing import Any
from uuid import UUID

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from shared.bus.connection import Bus
from shared.kit.errors import NotFound, Unavailable
from shared.messages.subjects import CREDENTIALS_STREAM, credentials_subject
from shared.security.envelope import KeyRing

FIELD = "credentials_config"
"""The field that sealed credentials are bound to (shared/security/envelope.py)."""
OPERATION_HEADER = "KV-Operation"
PURGE = {OPERATION_HEADER: "PURGE", "Nats-Rollup": "sub"}
"""Headers of the marker that removes a key and its history."""


def seal_credentials(key_ring: KeyRing, organization: UUID, provider_id: UUID, credentials: dict[str, Any]) -> bytes:
    """Encrypt a provider's credentials for its row and for the bucket."""
    plaintext = json.dumps(credentials, separators=(",", ":"), sort_keys=True).encode()
    return key_ring.seal(plaintext, organization=organization, record=provider_id, field=FIELD)


def open_credentials(key_ring: KeyRing, organization: UUID, provider_id: UUID, sealed: bytes) -> dict[str, Any]:
    """Decrypt what `seal_credentials` made. Raises shared.security.envelope.CannotDecrypt."""
    plaintext = key_ring.open_sealed(sealed, organization=organization, record=provider_id, field=FIELD)
    opened: dict[str, Any] = json.loads(plaintext)
    return opened


class CredentialStore:
    """The credentials of providers for services that call their clouds. Plaintext stays in this process's memory."""

    def __init__(self, bus: Bus, key_ring: KeyRing) -> None:
        self._bus = bus
        self._key_ring = key_ring
        self._opened: dict[UUID, tuple[bytes, dict[str, Any]]] = {}

    async def get(self, organization: UUID, provider_id: UUID) -> dict[str, Any]:
        """The credential fields of a provider.

        Raises NotFound (never stored, or the provider was removed), Unavailable (the bus is away) and CannotDecrypt
        (the key left the ring, or the value is not this provider's).
        """
        subject = credentials_subject(organization, provider_id)
        try:
            message = await self._bus.jetstream.get_last_msg(CREDENTIALS_STREAM, subject, direct=True)
        except NotFoundError:
            raise self._gone(provider_id) from None
        except (NatsError, OSError, TimeoutError) as error:
            raise Unavailable("the credentials cannot be read now", retry_after_s=2) from error
        if (message.headers or {}).get(OPERATION_HEADER) is not None or message.data is None:
            raise self._gone(provider_id)
        known = self._opened.get(provider_id)
        if known is None or known[0] != message.data:
            opened = open_credentials(self._key_ring, organization, provider_id, message.data)
            known = self._opened[provider_id] = (message.data, opened)
        return dict(known[1])

    def _gone(self, provider_id: UUID) -> NotFound:
        self._opened.pop(provider_id, None)
        return NotFound("there are no credentials of this provider", code="no_credentials")
