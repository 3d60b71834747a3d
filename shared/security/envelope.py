"""How is a secret kept at rest? AES-256-GCM under a data key per organization, bound to the field it belongs to.

Layout of a sealed value (version 1)::

    1 byte   version (1)
    1 byte   length n of the key id
    n bytes  key id, ASCII
    12 bytes nonce, random and fresh for every seal
    rest     ciphertext and the 16 byte tag

The header, the organization, the record and the field are authenticated: a sealed value that is moved to another row,
column or organization, or that claims another key, does not open.
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Mapping
from typing import Final, NamedTuple, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION: Final = 1
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DATA_KEY_PURPOSE: Final = b"canopy/envelope/v1/"
_PURPOSE: Final = b"canopy/derived/v1/"


class CannotDecrypt(Exception):
    """The sealed value does not open: damaged, moved elsewhere, or its key has left the ring. It does not say which."""

    def __init__(self) -> None:
        super().__init__("The sealed value cannot be opened")


class InvalidKeyRing(ValueError):
    """The key ring's text is not usable; the message names the fault and never the key."""


class _Sealed(NamedTuple):
    """The parts of a sealed value; `header` is everything before the nonce."""

    header: bytes
    key_id: str
    nonce: bytes
    ciphertext: bytes


class KeyRing:
    """The deployment's master keys: the primary seals, all open. Neither `repr` nor an error shows a key."""

    __slots__ = ("_keys", "primary")

    def __init__(self, primary: str, keys: Mapping[str, bytes]) -> None:
        """Take `keys` (id -> 32 bytes) and the id of the one that seals. Raises InvalidKeyRing."""
        for key_id, key in keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise InvalidKeyRing("A key id must be 1 to 64 letters, digits, dots, dashes or underscores")
            if len(key) != KEY_BYTES:
                raise InvalidKeyRing(f"Key {key_id!r} must have {KEY_BYTES} bytes, it has {len(key)}")
        if primary not in keys:
            raise InvalidKeyRing("The primary key id is not among the keys")
        self.primary: Final = primary
        self._keys: Final = dict(keys)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read CANOPY_KEY_RING, `{"primary": id, "keys": {id: base64 of 32 bytes}}`. Raises InvalidKeyRing."""
        # `from None` throughout: the causes quote the text that they could not read, and that text holds keys.
        try:
            document = json.loads(text)
        except ValueError:
            raise InvalidKeyRing("The key ring is not JSON") from None
        if not isinstance(document, dict) or set(document) != {"primary", "keys"}:
            raise InvalidKeyRing('The key ring must be an object with exactly "primary" and "keys"')
        primary, keys = document["primary"], document["keys"]
        if not isinstance(primary, str) or not isinstance(keys, dict):
            raise InvalidKeyRing('"primary" must be a text and "keys" an object')
        return cls(primary, {key_id: _decode_key(key_id, key) for key_id, key in keys.items()})

    def __repr__(self) -> str:
        return f"KeyRing(primary={self.primary!r}, keys={sorted(self._keys)}, ****)"

    def seal(self, plaintext: bytes, *, organization: UUID, record: UUID, field: str) -> bytes:
        """Encrypt `plaintext` under the primary key for exactly this field of this record of this organization."""
        key_id = self.primary.encode("ascii")
        header = bytes((VERSION, len(key_id))) + key_id
        nonce = os.urandom(NONCE_BYTES)
        cipher = AESGCM(_data_key(self._keys[self.primary], organization))
        return header + nonce + cipher.encrypt(nonce, plaintext, _bound_to(header, organization, record, field))

    def open_sealed(self, sealed: bytes, *, organization: UUID, record: UUID, field: str) -> bytes:
        """Return the plaintext. Raises CannotDecrypt for every fault alike, so that an error teaches nothing."""
        parts = _split(sealed)
        key = self._keys.get(parts.key_id)
        if key is None:
            raise CannotDecrypt
        cipher = AESGCM(_data_key(key, organization))
        try:
            return cipher.decrypt(parts.nonce, parts.ciphertext, _bound_to(parts.header, organization, record, field))
        except InvalidTag:
            raise CannotDecrypt from None

    def derived(self, purpose: str) -> dict[str, bytes]:
        """Return a 32 byte key per key id for another use than sealing (RFC 5869): one secret to deploy, many uses."""
        return {key_id: _derive(key, _PURPOSE + purpose.encode()) for key_id, key in self._keys.items()}


def _decode_key(key_id: str, encoded: object) -> bytes:
    if not isinstance(encoded, str):
        raise InvalidKeyRing(f"Key {key_id!r} must be base64 text")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidKeyRing(f"Key {key_id!r} is not base64") from None


def _data_key(master: bytes, organization: UUID) -> bytes:
    """The organization's own key: one that leaks opens no other organization's secrets."""
    return _derive(master, _DATA_KEY_PURPOSE + organization.bytes)


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(master)


def _bound_to(header: bytes, organization: UUID, record: UUID, field: str) -> bytes:
    """Additional authenticated data. Header and ids know their lengths, so no two places share the same bytes."""
    return header + organization.bytes + record.bytes + field.encode()


def _split(sealed: bytes) -> _Sealed:
    if len(sealed) < 2 or sealed[0] != VERSION:
        raise CannotDecrypt
    header_end = 2 + sealed[1]
    nonce_end = header_end + NONCE_BYTES
    if len(sealed) < nonce_end + TAG_BYTES:
        raise CannotDecrypt
    try:
        key_id = sealed[2:header_end].decode("ascii")
    except UnicodeDecodeError:
        raise CannotDecrypt from None
    return _Sealed(sealed[:header_end], key_id, sealed[header_end:nonce_end], sealed[nonce_end:])
