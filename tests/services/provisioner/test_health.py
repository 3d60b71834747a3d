"""The health of accounts: asked each minute, told on change, and a hanging account delays nobody."""

import time
from typing import Any

import pytest

from shared.messages.headers import message_headers
from shared.messages.providers import CheckProvider, GetProvider, Provider, ProviderHealthChanged, UpdateProvider
from tests.fixtures.services import Running, Services, context, now
from tests.services.provisioner.conftest import StartReplica, Tenant, eventually, key_ring

pytestmark = pytest.mark.anyio

WHO = {"action": "GetCallerIdentity"}


async def seen(services: Services, tenant: Tenant, provider: Provider) -> Provider:
    found: Provider = await services.ask(GetProvider(**tenant.question(), provider_id=provider.id))
    return found


async def check(services: Services, *accounts: Provider, streak: int | None = None) -> None:
    """What the minute's job sends, once the last check is not recent any more."""
    database = services.database("provisioner")
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("SET ROLE provisioner_system")
        for each in accounts:
            await connection.exec_driver_sql(
                "UPDATE cloud_providers SET regions_read_at = now(), last_health_check = now() - interval '1 hour', "
                f"health_streak = {'health_streak' if streak is None else streak} WHERE id = '{each.id}'"
            )
    await database.close()
    for each in accounts:
        command = CheckProvider(**context(each.organization_id).about(each.id, 1, now()))
        await services.bus.publish(command.subject(), command.to_bytes(), message_headers(command, "test"))


async def checked(services: Services, tenant: Tenant, provider: Provider, **expected: Any) -> Provider:
    """The provider once it was checked; it is then as expected."""
    await check(services, provider)
    since = now()

    async def is_checked() -> bool:
        found = await seen(services, tenant, provider)
        return found.last_health_check is not None and found.last_health_check >= since

    await eventually(is_checked)
    found = await seen(services, tenant, provider)
    assert {name: getattr(found, name) for name in expected} == expected
    return found


async def test_silence_has_to_last_and_each_change_is_told_once_with_cause_and_time(
    services: Services, tenant: Tenant, provisioner: Running
) -> None:
    provider = await tenant.add_provider()
    assert provider.health_since is not None
    tenant.aws.fault(match=WHO, status=500, code="InternalFailure")
    first = await checked(services, tenant, provider, health_status="healthy", version=1)
    assert "InternalFailure" in str(first.health_reason)
    degraded = await checked(services, tenant, provider, health_status="degraded", version=2)
    assert degraded.health_since == degraded.last_health_check
    again = await checked(services, tenant, provider, health_status="degraded", version=2)
    assert again.health_since == degraded.health_since
    tenant.aws.clear_faults()
    await checked(services, tenant, provider, health_status="degraded", version=2)
    await checked(services, tenant, provider, health_status="healthy", health_reason=None, version=3)
    told = await services.events_of(ProviderHealthChanged, 2, lambda event: event.aggregate_id == provider.id)
    assert [each.provider.health_status for each in told] == ["degraded", "healthy"]


async def test_an_account_that_is_not_active_is_not_asked_and_its_health_is_unknown(
    services: Services, tenant: Tenant, provisioner: Running
) -> None:
    provider = await tenant.add_provider()

    async def update(**fields: Any) -> Provider:
        found: Provider = await services.ask(UpdateProvider(**tenant.envelope(), provider_id=provider.id, **fields))
        return found

    assert (await update(is_active=False)).health_status == "unknown"
    changed = await update(display_name="still asleep")
    assert (changed.health_status, changed.health_reason) == ("unknown", "it is not active: nobody asks it")
    assert (await update(is_active=True)).health_reason == "it has not been asked yet"
    await checked(services, tenant, provider, health_status="healthy")


async def test_credentials_whose_key_is_gone_are_unknown_not_refused(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    first = await start_replica()
    provider = await tenant.add_provider()
    await first.stop()
    await start_replica(key_ring=key_ring("two"), rotation_every_s=3600)
    await checked(services, tenant, provider, health_status="unknown")


async def test_accounts_that_hang_delay_no_others(
    services: Services, tenant: Tenant, start_replica: StartReplica
) -> None:
    """Six that did not answer the last time could hold six of eight workers; they hold the one place of their lane."""
    await start_replica(command_concurrency=8, cloud_answer_s=2)
    hanging = [await Tenant(services, tenant.aws).add_provider() for _ in range(6)]
    fine = await tenant.add_provider(credentials_config=tenant.credentials(1))
    tenant.aws.fault(match={**WHO, "account": str(hanging[0].account_id)}, latency_ms=2500)
    await check(services, *hanging, streak=1)
    began_s = time.monotonic()
    await checked(services, tenant, fine, health_status="healthy")
    assert time.monotonic() - began_s < 2 * len(hanging) / 2
