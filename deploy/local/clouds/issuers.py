"""Whose identity tokens does a simulated cloud believe? Those of issuers that it was shown, as it cannot ask theirs.

A real cloud reads an issuer's keys at the issuer's own address; `POST /_sim/issuers` hands them over instead. What is
checked is the rest: signature, time, audience, and what the trust says of the subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jwt

ALGORITHMS = ["RS256"]


class NotTrusted(Exception):
    """The token is not one that this cloud takes; the message says why, as a cloud would."""


class Issuers:
    """Keys by issuer."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def add(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Believe an issuer: `{"issuer": …, "public_key": PEM}`. Raises TypeError for another shape."""
        issuer, key = document.get("issuer"), document.get("public_key")
        if not isinstance(issuer, str) or not isinstance(key, str):
            raise TypeError("an issuer has the texts issuer and public_key")
        self._keys[issuer] = key
        return {"issuer": issuer}

    def claims_of(self, token: str) -> dict[str, Any]:
        """What a token says, once its issuer's key and its time are right. Raises NotTrusted."""
        try:
            unverified: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
            key = self._keys[unverified["iss"]]
            found: dict[str, Any] = jwt.decode(
                token, key, algorithms=ALGORITHMS,
                options={"require": ["exp", "sub", "aud"], "verify_aud": False},
            )  # fmt: skip
        except KeyError:
            raise NotTrusted("No issuer of this name is known") from None
        except jwt.PyJWTError as error:
            raise NotTrusted(str(error)) from error
        return found


def audiences_of(claims: Mapping[str, Any]) -> list[str]:
    found = claims.get("aud")
    return [str(each) for each in found] if isinstance(found, list) else [str(found)]
