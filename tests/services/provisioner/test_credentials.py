"""Other keys of the ring, other credentials of an account: both while everybody works on, also after a kill."""

import asyncio
import signal
import subprocess
import sys

import psycopg
import pytest

from deploy.local.clouds.aws.accounts import KEY_LETTERS
from shared.bus.credentials import CredentialStore
from shared.clouds.aws.client import AwsClient
from shared.clouds.models import Credentials
from shared.kit.errors import NotFound
from shared.messages.context import Context
from shared.messages.providers import Provider, RotateCredentials, Rotation, TestConnection, UpdateProvider
from shared.security.envelope import CannotDecrypt, KeyRing
from tests.fixtures.services import Services, now
from tests.services.provisioner.conftest import StartReplica, Tenant, eventually, key_ring

pytestmark = pytest.mark.anyio

# One batch for each line that it is sent; it dies with whoever kills it.
ROTATION = """
import asyncio, sys
from services.provisioner.storage.credentials import rotate
from shared.db.engine import Database, create_engine
from shared.security.envelope import KeyRing

async def main(url, ring):
    database, after = Database(create_engine(url, pool_size=1), "provisioner"), None
    for _ in sys.stdin:
        batch = await rotate(database, KeyRing.parse(ring), 2, after)
        after = batch.after
        print(batch.sealed, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


async def rotated(services: Services) -> Rotation:
    """The last answer to `canopy rotate-keys`: none remains."""
    found = Rotation(rotated=0, remaining=-1)

    async def is_done() -> bool:
        nonlocal found
        found = await services.ask(RotateCredentials(**Context.background().envelope(now())))
        return found.remaining == 0

    await eventually(is_done)
    return found


def keys_of(services: Services) -> list[str]:
    """Which key each stored credential is under, by the row and by the sealed value itself."""
    with psycopg.connect(services.database_of("provisioner").app_url) as connection:
        connection.execute("SET ROLE provisioner_system")
        rows = connection.execute("SELECT key_id, credentials_config FROM cloud_providers").fetchall()
    assert all(key_id.encode() == sealed[2 : 2 + sealed[1]] for key_id, sealed in rows)
    return sorted(key_id for key_id, _ in rows)


async def test_a_rotation_that_is_killed_goes_on_and_the_old_key_can_go(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    first = await start_replica()
    tenants = [tenant, *(Tenant(services, tenant.aws) for _ in range(2))]
    accounts = [await each.add_provider() for each in tenants]
    await first.stop()
    url, ring = services.database_of("provisioner").app_url, key_ring("two", "one")
    with subprocess.Popen(
        [sys.executable, "-c", ROTATION, url, ring], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as rotation:
        assert rotation.stdin is not None
        assert rotation.stdout is not None
        print(file=rotation.stdin, flush=True)
        assert await asyncio.to_thread(rotation.stdout.readline) == "2\n"
        rotation.send_signal(signal.SIGKILL)
    assert keys_of(services) == ["one", "two", "two"]

    both = await start_replica(key_ring=ring, rotation_every_s=3600)
    for each, account in zip(tenants, accounts, strict=True):  # half way everything opens
        assert (await services.ask(TestConnection(**each.question(), provider_id=account.id))).ok
    await rotated(services)
    assert keys_of(services) == ["two"] * 3
    await both.stop()

    await start_replica(key_ring=key_ring("two"))
    for each, account in zip(tenants, accounts, strict=True):
        assert (await services.ask(TestConnection(**each.question(), provider_id=account.id))).ok
        assert await CredentialStore(services.bus, KeyRing.parse(key_ring("two"))).get(
            account.organization_id, account.id
        )


async def test_a_key_that_left_too_early_stops_nobody_elses_rotation_and_is_counted(
    services: Services, tenant: Tenant, stranger: Tenant, start_replica: StartReplica
) -> None:
    replica = await start_replica(key_ring=key_ring("lost"))
    await tenant.add_provider()
    await replica.stop()
    replica = await start_replica(key_ring=key_ring("one"), rotation_every_s=3600)
    await stranger.add_provider()
    await replica.stop()
    await start_replica(key_ring=key_ring("two", "one"), rotation_every_s=3600)

    async def only_the_lost_one_remains() -> bool:
        return (await services.ask(RotateCredentials(**Context.background().envelope(now())))).remaining == 1

    await eventually(only_the_lost_one_remains)
    assert keys_of(services) == ["lost", "two"]


async def test_new_credentials_of_an_account_are_used_at_once_and_everywhere(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    """A second access key of the same account, as AWS has it rotated: made, handed over, and the old one ended."""
    await start_replica()
    provider = await tenant.add_provider()
    iam = AwsClient(Credentials(tenant.credentials()), tenant.aws.settings())
    name = f"canopy-{provider.id}"
    await iam.call("iam", "us-east-1", "CreateUser", UserName=name)
    made = (await iam.call("iam", "us-east-1", "CreateAccessKey", UserName=name))["AccessKey"]
    await iam.close()
    assert set(made["AccessKeyId"]) <= set(KEY_LETTERS)
    fresh = {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}
    changed: Provider = await services.ask(
        UpdateProvider(**tenant.envelope(), provider_id=provider.id, credentials_config=fresh)
    )
    assert (changed.account_id, changed.health_status) == (provider.account_id, "healthy")
    assert (await services.ask(TestConnection(**tenant.question(), provider_id=provider.id))).ok
    store = CredentialStore(services.bus, KeyRing.parse(key_ring()))

    async def is_there() -> bool:
        return (await store.get(provider.organization_id, provider.id))["access_key_id"] == fresh["access_key_id"]

    await eventually(is_there)
    with pytest.raises((CannotDecrypt, NotFound)):
        await CredentialStore(services.bus, KeyRing.parse(key_ring("other"))).get(provider.organization_id, provider.id)
