"""What is asked of Spaces: buckets, and the notes of ours that lie in them?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from libcloud.storage.base import Container

from shared.clouds.budget.limiter import AccountBudget
from shared.clouds.digitalocean.errors import PROVIDER
from shared.clouds.digitalocean.notes import from_note
from shared.clouds.digitalocean.spaces_driver import VOCABULARY, SpacesDriver, SpacesDrivers, drivers_maker
from shared.clouds.digitalocean.spaces_keys import SpacesKeys, WorkingKey
from shared.clouds.errors import AuthFailed, CloudError, NotFound, StillWorking
from shared.clouds.libcloud.client import LibcloudClient
from shared.clouds.settings import CloudSettings

_FOLDER = ".canopy/"
TAGS_NOTE, CDN_NOTE = "tags.json", "cdn.json"
"""Whose a bucket is, and whose the CDN endpoint before it: private objects, since neither has tags."""

_PARTING_S = 5.0

_Result = TypeVar("_Result")


class Spaces:
    """The account's door to Spaces. Its key is made when it is first needed, and dropped when the account is closed."""

    def __init__(self, keys: SpacesKeys, settings: CloudSettings, budget: AccountBudget) -> None:
        self._keys = keys
        self._settings = settings
        self._budget = budget
        self._lock = asyncio.Lock()
        self._key: WorkingKey | None = None
        self._client: LibcloudClient | None = None

    async def buckets(self, region: str) -> dict[str, str]:
        """When each bucket of the region was made, by its name."""

        def ask(driver: SpacesDriver) -> dict[str, str]:
            return {each.name: str(each.extra["creation_date"]) for each in driver.list_containers()}

        return await self._call("spaces.list_buckets", region, ask, reads=True)

    async def make(self, region: str, bucket: str) -> None:
        """Success too when it is ours already; `Conflict` when it is somebody else's."""

        def ask(driver: Any) -> None:
            driver.create_container(bucket)

        await self._call("spaces.put_bucket", region, ask)

    async def remove(self, region: str, bucket: str) -> None:
        """`Conflict` while anything lies in it."""

        def ask(driver: Any) -> None:
            driver.delete_container(Container(bucket, {}, driver))

        await self._call("spaces.delete_bucket", region, ask)

    async def is_versioned(self, region: str, bucket: str) -> bool:
        def ask(driver: SpacesDriver) -> bool:
            answer = driver.ask("GET", f"/{bucket}", {"versioning": ""})
            return any(each.text == "Enabled" for each in ([] if isinstance(answer, str) else answer))

        return await self._call("spaces.get_bucket", region, ask, reads=True)

    async def put_versioning(self, region: str, bucket: str, *, on: bool) -> None:
        state = "Enabled" if on else "Suspended"
        body = f"<VersioningConfiguration><Status>{state}</Status></VersioningConfiguration>"
        await self._call(
            "spaces.put_bucket", region, lambda driver: driver.ask("PUT", f"/{bucket}", {"versioning": ""}, body)
        )

    async def note(self, region: str, bucket: str, name: str) -> dict[str, str]:
        """Empty when there is none, or not the bucket."""
        try:
            text = await self._call(
                "spaces.get_object", region, lambda driver: driver.ask("GET", f"/{bucket}/{_FOLDER}{name}"), reads=True
            )
        except NotFound:
            return {}
        return from_note(str(text))

    async def put_note(self, region: str, bucket: str, name: str, tags: Mapping[str, str]) -> None:
        """`NotFound` without the bucket."""
        body = json.dumps(dict(tags))
        await self._call(
            "spaces.put_object", region, lambda driver: driver.ask("PUT", f"/{bucket}/{_FOLDER}{name}", body=body)
        )

    async def drop_note(self, region: str, bucket: str, name: str) -> None:
        """With all versions of it. Idempotent."""

        def ask(driver: SpacesDriver) -> None:
            answer = driver.ask("GET", f"/{bucket}", {"versions": "", "prefix": f"{_FOLDER}{name}"})
            for each in [*driver.texts(answer, "Version"), *driver.texts(answer, "DeleteMarker")]:
                driver.ask("DELETE", f"/{bucket}/{each['Key']}", {"versionId": each["VersionId"]})

        with suppress(NotFound):
            await self._call("spaces.delete_object", region, ask)

    async def holds_others(self, region: str, bucket: str) -> bool:
        """Whether there is anything but notes of ours."""
        ours = {f"{_FOLDER}{TAGS_NOTE}", f"{_FOLDER}{CDN_NOTE}"}

        def ask(driver: SpacesDriver) -> bool:
            found = driver.texts(driver.ask("GET", f"/{bucket}", {"max-keys": "3"}), "Contents")
            return any(each["Key"] not in ours for each in found)

        return await self._call("spaces.get_bucket", region, ask, reads=True)

    async def close(self) -> None:
        """A key that cannot be dropped now is swept away later."""
        async with self._lock:
            await self._forget()

    async def _call(
        self, operation: str, region: str, ask: Callable[[SpacesDriver], _Result], *, reads: bool = False
    ) -> _Result:
        """With a key that Spaces knows: one that somebody took away is replaced once."""

        def in_region(drivers: SpacesDrivers) -> _Result:
            return ask(drivers.of(region))

        for attempt in range(2):
            key, client = await self._opened()
            try:
                return await client.call(operation, in_region, region=region, reads=reads)
            except AuthFailed as error:
                if key.is_new(self._keys.now()):
                    raise StillWorking(
                        error.code, "Spaces does not know our new key yet", provider=PROVIDER, operation=operation
                    ) from None
                if attempt:
                    raise
                await self._replaced(key)
        raise AssertionError("two attempts")

    async def _opened(self) -> tuple[WorkingKey, LibcloudClient]:
        async with self._lock:
            if self._key is not None and self._key.is_old(self._keys.now()):
                await self._forget()
            if self._key is None or self._client is None:
                self._key = await self._keys.make()
                secret = self._key.secret
                maker = drivers_maker(secret, self._settings)
                self._client = LibcloudClient(
                    maker, VOCABULARY, self._settings, secrets=(secret["secret_key"],), budget=self._budget
                )
            return self._key, self._client

    async def _replaced(self, key: WorkingKey) -> None:
        """Unless another call was faster."""
        async with self._lock:
            if self._key is key:
                await self._forget()

    async def _forget(self) -> None:
        key, client, self._key, self._client = self._key, self._client, None, None
        if client is not None:
            await client.close()
        if key is not None:
            with suppress(CloudError, TimeoutError):
                async with asyncio.timeout(_PARTING_S):
                    await self._keys.drop(key.secret["access_key"])
