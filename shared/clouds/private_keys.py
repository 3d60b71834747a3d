"""How is a tenant's private key read? Its numbers are checked once a process, however often its account is opened."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_REMEMBERED = 10_000


class PrivateKeys:
    """Remembers hashes of the keys that passed, never a key.

    A check of RSA's primes takes 35 ms of CPU (2048 bits; 0.01 ms without it), and an account's credentials are read
    again at each step of a saga. What has not been checked may be made to hang OpenSSL, so nothing is spared it.
    """

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._limit = remembered
        self._checked: OrderedDict[bytes, None] = OrderedDict()

    def read(self, pem: str) -> PrivateKeyTypes:
        """Raises whatever the parser dislikes: its messages may quote the key, so show none of them."""
        content = pem.encode()
        digest = hashlib.sha256(content).digest()
        key = load_pem_private_key(content, None, unsafe_skip_rsa_key_validation=digest in self._checked)
        self._checked.pop(digest, None)  # threads of several accounts read at once: none relies on what it just saw
        self._checked[digest] = None
        if len(self._checked) > self._limit:
            self._checked.popitem(last=False)
        return key


read_private_key = PrivateKeys().read
"""The one of this process."""
