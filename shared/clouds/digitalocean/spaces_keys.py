"""With which key do we ask Spaces: one that the account's token makes, for as long as we work?

Source: docs.digitalocean.com/products/spaces/reference/api/spaces-keys. Why so: ADR 0022.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared.clouds.digitalocean.lists import Document, pages_of
from shared.clouds.errors import CloudError, NotFound
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.models import Credentials

_PATH = "/v2/spaces/keys"
_NAME = re.compile(r"canopy-at-work-[0-9a-f]{32}")
KEY_LIFE = timedelta(hours=12)
"""After that we take another."""
_LEFT_BEHIND = timedelta(hours=24)
"""One of ours that is older was left by a process that ended without a word."""
KEY_SPREADS = timedelta(minutes=1)
"""How long Spaces may not know a new key yet."""


@dataclass(frozen=True, slots=True)
class WorkingKey:
    """`secret` holds `access_key` and `secret_key`; the latter is told once, when it is made."""

    secret: Credentials
    made_at: datetime

    def is_old(self, now: datetime) -> bool:
        return now - self.made_at > KEY_LIFE

    def is_new(self, now: datetime) -> bool:
        return now - self.made_at < KEY_SPREADS


class SpacesKeys:
    """Keys of ours that may do everything with buckets: a key of less makes and lists none."""

    def __init__(
        self,
        client: LibcloudClient,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        name: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        self._client = client
        self.now = now
        self._name = name

    async def make(self) -> WorkingKey:
        """A new one; those left behind go."""
        await self._sweep()
        name = f"canopy-at-work-{self._name()}"
        body = {"name": name, "grants": [{"bucket": "", "permission": "fullaccess"}]}
        answer = await self._client.request("spaces_keys.create", "POST", _PATH, document=body, wants=("key",))
        with self._client.reading("spaces_keys.create"):
            secret = Credentials({each: str(answer["key"][each]) for each in ("access_key", "secret_key")})
        return WorkingKey(secret, self.now())

    async def drop(self, access_key: str) -> None:
        """Idempotent."""
        with suppress(NotFound):
            await self._client.request("spaces_keys.delete", "DELETE", f"{_PATH}/{access_key}")

    async def _sweep(self) -> None:
        """As far as it goes: another process may be at it."""
        with suppress(CloudError):
            async for page in pages_of(self._client, "keys", _PATH, key="access_key"):
                with self._client.reading("spaces_keys.list"):
                    left = [str(each["access_key"]) for each in page if self._is_left_behind(each)]
                for access_key in left:
                    await self.drop(access_key)

    def _is_left_behind(self, key: Document) -> bool:
        age = self.now() - datetime.fromisoformat(key["created_at"]).astimezone(UTC)
        return _NAME.fullmatch(str(key["name"])) is not None and age > _LEFT_BEHIND
