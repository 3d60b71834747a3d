"""How does an application prove itself by a certificate? By an assertion that it signs (RFC 7523)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from shared.clouds.private_keys import read_private_key

_LIFE = timedelta(minutes=10)
_AUTHORITY = "https://login.microsoftonline.com"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The private key, and the thumbprint by which Entra finds the public one."""

    key: RSAPrivateKey = field(repr=False)
    thumbprint: str

    @classmethod
    def read(cls, pem: str) -> Self:
        """Raises ValueError with what is wrong, never with what was read."""
        try:
            certificate = load_pem_x509_certificate(pem.encode())
        except Exception:  # noqa: BLE001 - whatever the parser dislikes
            raise ValueError("has no certificate in PEM") from None
        try:
            key = read_private_key(pem)
        except Exception:  # noqa: BLE001 - as above
            raise ValueError("has no private key in PEM without a password") from None
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("has no RSA key")  # noqa: TRY004 - pydantic shows ValueError
        if key.public_key() != certificate.public_key():
            raise ValueError("is the certificate of another key")
        return cls(key, _encoded(certificate.fingerprint(SHA256())))

    def assertion(self, tenant_id: str, client_id: str, now: datetime) -> str:
        """Source: learn.microsoft.com/entra/identity-platform/certificate-credentials (PS256, x5t#S256)."""
        claims = {
            "aud": f"{_AUTHORITY}/{tenant_id}/oauth2/v2.0/token",
            "iss": client_id,
            "sub": client_id,
            "jti": str(uuid4()),
            "nbf": int(now.timestamp()),
            "iat": int(now.timestamp()),
            "exp": int((now + _LIFE).timestamp()),
        }
        return jwt.encode(claims, self.key, algorithm="PS256", headers={"x5t#S256": self.thumbprint})


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
