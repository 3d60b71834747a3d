"""How does Azure remember that a token was used, also when its machine is gone?

A deleted machine leaves nothing at Azure, and its name is free again: a repeated create would make a second one. So
each create first writes a receipt of the same name, an SSH public key resource (free, and a machine made from an image
needs such a key anyway): with the token, the spec's fingerprint and, from the moment the machine was accepted, when.
It stays. The private key is forgotten where it is made, once a process: nobody enters a machine of ours by it.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.clouds.azure import names
from shared.clouds.azure.client import AzureClient
from shared.clouds.errors import NotFound
from shared.clouds.models import TOKEN_TAG, CapacityType, MachineSpec

_SPEC_TAG, _SIZE_TAG, _IMAGE_TAG, _ZONE_TAG, _MADE_TAG = (
    f"canopy:{name}" for name in ("spec", "size", "image", "zone", "made-at")
)
_VALUE_CHARACTERS_MAX = 256
_KEY_BITS = 2048


@dataclass(frozen=True, slots=True)
class Receipt:
    """`made_at` is when Azure accepted the machine, None while nobody knows that it did."""

    name: str
    token: str
    fingerprint: str
    instance_type: str
    image: str
    zone: str | None
    public_key: str
    made_at: datetime | None
    tags: Mapping[str, str]


def fingerprint_of(spec: MachineSpec) -> str:
    """The same for the same spec; its token is the name that this stands under."""
    spot = (spec.capacity_type,) if spec.capacity_type is CapacityType.SPOT else ()
    wanted = (
        spec.instance_type, sorted(spec.tags.items()), spec.image, spec.zone, spec.subnet_id,
        list(spec.security_groups), spec.root_volume_gib, *spot,
    )  # fmt: skip
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


@functools.cache
def new_public_key() -> str:
    """An RSA key in OpenSSH's form, whose private half is not kept. Azure documents `ssh-rsa` of 2048 bits at least for
    keys that are given to it (models.SshPublicKeyResourceProperties). One for all accounts of a process.
    """
    public = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS).public_key()
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


class AzureReceipts:
    def __init__(self, client: AzureClient, *, make_public_key: Callable[[], str] = new_public_key) -> None:
        self._client = client
        self._make_public_key = make_public_key
        self._public_key: str | None = None

    async def find(self, region: str, name: str) -> Receipt | None:
        try:
            answer = await self._client.call(
                "compute", "ssh_public_keys.get", names.group_of(region), name, region=region
            )
        except NotFound:
            return None
        return _receipt(answer)

    async def write(self, region: str, spec: MachineSpec, *, image: str, zone: str | None) -> Receipt:
        """Two at the same time: the later one's key stays, and the create of the machine decides."""
        name = names.name_of(spec.token)
        if self._public_key is None:
            self._public_key = await asyncio.to_thread(self._make_public_key)
        body = {
            "location": region,
            "tags": {
                TOKEN_TAG: spec.token,
                _SPEC_TAG: fingerprint_of(spec),
                _SIZE_TAG: spec.instance_type,
                **({_IMAGE_TAG: image} if len(image) <= _VALUE_CHARACTERS_MAX else {}),
                **({_ZONE_TAG: zone} if zone else {}),
            },
            "properties": {"publicKey": self._public_key},
        }
        group = names.group_of(region)
        answer = await self._client.call("compute", "ssh_public_keys.create", group, name, body, region=region)
        return _receipt(answer)

    async def mark_made(self, region: str, receipt: Receipt, made_at: str) -> None:
        """`made_at` is Azure's own time (ISO 8601). What another create wrote over the receipt meanwhile is undone: the
        one that made the machine is right.
        """
        if receipt.made_at is None:
            group, body = names.group_of(region), {"tags": {**receipt.tags, _MADE_TAG: made_at}}
            await self._client.call("compute", "ssh_public_keys.update", group, receipt.name, body, region=region)


def _receipt(answer: Mapping[str, Any]) -> Receipt:
    tags = answer.get("tags") or {}
    made_at = tags.get(_MADE_TAG)
    return Receipt(
        name=answer["name"],
        token=tags.get(TOKEN_TAG, ""),
        fingerprint=tags.get(_SPEC_TAG, ""),
        instance_type=tags.get(_SIZE_TAG, ""),
        image=tags.get(_IMAGE_TAG, ""),
        zone=tags.get(_ZONE_TAG),
        public_key=(answer.get("properties") or {}).get("publicKey", ""),
        made_at=None if made_at is None else datetime.fromisoformat(made_at),
        tags=tags,
    )
