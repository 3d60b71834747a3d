"""Which service accounts does the simulated Google Cloud have, and with which keys?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.local.clouds.world.accounts import Account

PROVIDER = "gcp"
KEY_BITS = 2048


def new_accounts() -> list[Account]:
    """Full rights to `test-project`, full rights to `second-project`, read-only and expired ones of the first."""
    return [
        _account("canopy", "test-project", note="the demonstration's"),
        _account("canopy", "second-project", note="for a second provider"),
        _account("reader", "test-project", note="may only read", scope="read"),
        _account("former", "test-project", note="its key has expired", expires_s=1.0),
    ]


def _account(name: str, project: str, **more: Any) -> Account:
    credentials = {"project_id": project, "service_account_key": json.dumps(new_key(name, project))}
    return Account(PROVIDER, project, credentials, **more)


def new_key(name: str, project: str) -> dict[str, str]:
    """A service account's key in the form in which Google's console lets one download it."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    email = f"{name}@{project}.iam.gserviceaccount.com"
    return {
        "type": "service_account",
        "project_id": project,
        "private_key_id": sha256(pem.encode()).hexdigest()[:40],
        "private_key": pem,
        "client_email": email,
        "client_id": str(int(sha256(email.encode()).hexdigest()[:16], 16)),
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "client_x509_cert_url": f"https://www.googleapis.com/robot/v1/metadata/x509/{email.replace('@', '%40')}",
        "universe_domain": "googleapis.com",
    }


def key_of(account: Account) -> Mapping[str, str]:
    return _parsed(account.credentials["service_account_key"])


def public_key_of(account: Account) -> rsa.RSAPublicKey:
    return _public(key_of(account)["private_key"])


@lru_cache(maxsize=64)
def _parsed(text: str) -> Mapping[str, str]:
    found: dict[str, str] = json.loads(text)
    return found


@lru_cache(maxsize=64)
def _public(pem: str) -> rsa.RSAPublicKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("a service account's key is an RSA key")
    return key.public_key()
