"""Did this deployment make this? HMAC-SHA256 under keys that rotate; the signature names its key."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Self

from shared.security.envelope import KeyRing

MINIMUM_KEY_BYTES = 32
"""The output of SHA-256: RFC 7518 section 3.2 asks no less of HS256."""


class SigningKeys:
    """Keys of one purpose: the primary signs, all verify. `repr` shows none of them."""

    __slots__ = ("keys", "primary")

    def __init__(self, primary: str, keys: Mapping[str, bytes]) -> None:
        """Raise ValueError when the primary is not among the keys or a key is shorter than 32 bytes."""
        if primary not in keys:
            raise ValueError("The primary key id is not among the signing keys")
        if any(len(key) < MINIMUM_KEY_BYTES for key in keys.values()):
            raise ValueError(f"A signing key must have at least {MINIMUM_KEY_BYTES} bytes")
        self.primary = primary
        self.keys = dict(keys)

    @classmethod
    def of(cls, ring: KeyRing, purpose: str) -> Self:
        """The keys of `purpose`, derived from the gateway's key ring: no purpose can forge for another."""
        return cls(ring.primary, ring.derived(purpose))

    def __repr__(self) -> str:
        return f"SigningKeys(primary={self.primary!r}, keys={sorted(self.keys)}, ****)"

    def sign(self, message: bytes) -> str:
        """Return `<key id>:<hex of HMAC-SHA256>`."""
        return self._signature(self.primary, message)

    def verifies(self, message: bytes, signature: str | None) -> bool:
        """Whether `signature` is ours for `message`. None (nothing is stored) costs the same work and is never ours."""
        key_id = (signature or "").partition(":")[0]
        known = key_id if key_id in self.keys else self.primary
        expected = self._signature(known, message)
        return hmac.compare_digest(expected.encode(), (signature or "").encode())

    def _signature(self, key_id: str, message: bytes) -> str:
        return f"{key_id}:{hmac.new(self.keys[key_id], message, hashlib.sha256).hexdigest()}"
