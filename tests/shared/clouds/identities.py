"""Who signs identity tokens in a test, and what do the simulated clouds have to be told of them?"""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from shared.clouds.settings import ORGANIZATION

ISSUER = "https://tokens.canopy.example"
MINE = "0198f2a0-7c11-7d3e-9a44-0123456789ab"
THEIRS = "0198f2a0-7c11-7d3e-9a44-ba9876543210"


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def issuer() -> dict[str, str]:
    """What a cloud is told of the issuer: `/_sim/issuers`."""
    public = (
        key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return {"issuer": ISSUER, "public_key": public.decode()}


def subject_of(organization: str) -> str:
    return f"organization:{organization}"


def token(organization: str, *audiences: str) -> str:
    now = datetime.now(UTC)
    claims = {"iss": ISSUER, "sub": subject_of(organization), "aud": list(audiences), "iat": now,
              "exp": now + timedelta(hours=1)}  # fmt: skip
    return jwt.encode(claims, key(), algorithm="RS256")


def token_files(folder: Path, *audiences: str) -> str:
    """The setting for tokens of both organizations, as a deployment puts them there."""
    for organization in (MINE, THEIRS):
        (folder / organization).write_text(token(organization, *audiences) + "\n")
    return f"{folder}/{ORGANIZATION}"


@cache
def certificate() -> tuple[str, str]:
    """An application's certificate: with its key, as the tenant gives it; and without, as Entra has it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "canopy")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key(), hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM).decode()
    private = key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode() + public, public
