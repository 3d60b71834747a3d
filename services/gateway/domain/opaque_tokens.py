"""How does a random token look that is found by its prefix and proven by its secret? `<kind>_<prefix>_<secret>`.

The prefix is stored as it is (unique, indexed) and may be shown; of the whole only a keyed hash is stored. The secret
has 256 random bits, so a fast keyed hash is enough: there is nothing to guess.
"""

import base64
import re
from dataclasses import dataclass, field
from enum import StrEnum

from services.gateway.domain.signatures import SigningKeys
from shared.kit.errors import Unauthenticated

PREFIX_BYTES = 7
SECRET_BYTES = 32
RANDOM_BYTES = PREFIX_BYTES + SECRET_BYTES
_TOKEN = re.compile(r"(cn[prt])_([a-z2-7]{12})_([a-z2-7]{52})")


class TokenKind(StrEnum):
    """The first characters say what it is, so that a leaked one is recognised and one is never taken for another."""

    API_KEY = "cnp"
    REFRESH = "cnr"
    TICKET = "cnt"


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """A token in memory: `text` is the secret and stays out of `repr`, `prefix` finds its row."""

    kind: TokenKind
    prefix: str
    text: str = field(repr=False)

    def digest(self, keys: SigningKeys) -> str:
        """What is stored in place of the token."""
        return keys.sign(self.text.encode())

    def matches(self, stored: str | None, keys: SigningKeys) -> bool:
        """Whether `stored` is the digest of this token, in constant time; None: no row had the prefix."""
        return keys.verifies(self.text.encode(), stored)


def mint(kind: TokenKind, randomness: bytes) -> OpaqueToken:
    """Make a token of 39 bytes from a cryptographic random source. Raises ValueError for any other number of bytes."""
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"A token is made of {RANDOM_BYTES} random bytes")
    prefix, secret = _base32(randomness[:PREFIX_BYTES]), _base32(randomness[PREFIX_BYTES:])
    return OpaqueToken(kind, prefix, f"{kind}_{prefix}_{secret}")


def parse(kind: TokenKind, text: str) -> OpaqueToken:
    """Read what a client presents. Raises Unauthenticated (`invalid_token`) when it is no token of this kind."""
    parts = _TOKEN.fullmatch(text)
    if parts is None or parts[1] != kind:
        raise Unauthenticated("the token is not valid", code="invalid_token")
    return OpaqueToken(kind, parts[2], text)


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode().rstrip("=").lower()
