"""The life of an account: tried before it is stored, tested, changed, watched, removed; and its credentials unseen."""

import json
from typing import Any

import psycopg
import pytest
from nats.js.api import ConsumerConfig, DeliverPolicy

from shared.bus.credentials import CredentialStore
from shared.clouds.aws.client import AwsClient
from shared.kit.errors import CanopyError, Conflict, InvalidInput, NotFound, Stale, TimedOut, Unavailable
from shared.kit.ids import new_id
from shared.messages.base import SYSTEM
from shared.messages.context import Context
from shared.messages.headers import message_headers
from shared.messages.operations import OperationAccepted
from shared.messages.providers import (
    CheckProvider,
    GetProvider,
    GetTrust,
    ListProviderInventory,
    ListProviders,
    ListRegions,
    ProviderAdded,
    ProviderHealthChanged,
    ProviderRemoved,
    ProviderUpdated,
    RemoveProvider,
    TestConnection,
    UpdateProvider,
)
from shared.messages.resources import DeleteResource
from shared.messages.subjects import CREDENTIALS_STREAM
from shared.security.envelope import KeyRing
from tests.fixtures.services import Running, Services, now
from tests.services.provisioner.conftest import StartReplica, Tenant, eventually, key_ring

pytestmark = pytest.mark.anyio


async def test_an_account_is_tried_stored_and_told(services: Services, tenant: Tenant, provisioner: Running) -> None:
    provider = await tenant.add_provider(cost_budget=1000)
    assert (provider.health_status, provider.is_active, provider.version) == ("healthy", True, 1)
    assert provider.capabilities["compute"] is True
    assert provider.account_id
    added = await services.event(ProviderAdded, lambda event: event.aggregate_id == provider.id)
    assert added.provider == provider
    assert await services.ask(GetProvider(**tenant.question(), provider_id=provider.id)) == provider
    assert (await services.ask(ListProviders(**tenant.question(), q="AWS"))).items == [provider]
    regions = (await services.ask(ListRegions(**tenant.question(), provider_id=provider.id))).items
    assert [region.region_code for region in regions] == ["us-east-1", "us-west-2"]
    assert "us-east-1a" in regions[0].availability_zones
    assert regions[0].geographic_location["country"] == "United States"


async def test_wrong_credentials_are_refused_and_nothing_is_stored(
    services: Services, tenant: Tenant, provisioner: Running
) -> None:
    wrong = {**tenant.credentials(), "secret_access_key": "wrong" * 8}
    with pytest.raises(InvalidInput, match="Invalid cloud provider credentials") as refused:
        await tenant.add_provider(credentials_config=wrong)
    assert refused.value.code == "invalid_credentials"
    assert (await services.ask(ListProviders(**tenant.question()))).items == []
    assert not [event for event in services.events if event.organization == tenant.context.organization]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"credentials_config": {"access_key_id": "AKIAEXAMPLE"}}, "/credentials_config/secret_access_key"),
        ({"credentials_config": {"access_key_id": 5, "secret_access_key": "x"}}, "/credentials_config/access_key_id"),
        ({"regions": ["us-east-1", "moon-1"]}, "/regions/1"),
        ({"provider_name": "vultr"}, "/credentials_config/token"),  # an AWS key is no token
    ],
)
async def test_bad_input_names_its_field(
    services: Services, tenant: Tenant, provisioner: Running, fields: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await tenant.add_provider(**fields)
    assert pointer in [error.pointer for error in refused.value.errors]
    assert (await services.ask(ListProviders(**tenant.question()))).items == []


async def test_a_role_is_opened_by_the_organizations_own_external_id(
    services: Services, tenant: Tenant, stranger: Tenant, provisioner: Running
) -> None:
    told = await services.ask(GetTrust(**tenant.question(), provider_name="aws"))
    assert told.external_id == f"canopy-{tenant.context.organization}"
    assert (told.methods, told.principal, told.subject) == (["access_key", "assume_role"], None, None)
    iam = AwsClient(tenant.aws.credentials(1), tenant.aws.settings())
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": tenant.aws.accounts[0]["account_id"]},
        "Condition": {"StringEquals": {"sts:ExternalId": told.external_id}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    name = f"canopy-{new_id()}"
    made = await iam.call("iam", "us-east-1", "CreateRole", RoleName=name, AssumeRolePolicyDocument=document)
    await iam.close()
    role = {"method": "assume_role", "role_arn": made["Role"]["Arn"], **tenant.credentials()}
    provider = await tenant.add_provider(credentials_config=role, regions=["us-east-1"])
    assert provider.account_id == tenant.aws.accounts[1]["account_id"]
    assert (await services.ask(TestConnection(**tenant.question(), provider_id=provider.id))).ok
    with pytest.raises(InvalidInput) as theirs:
        await stranger.add_provider(credentials_config=role)
    assert theirs.value.code == "invalid_credentials"
    with pytest.raises(InvalidInput) as chosen:
        await stranger.add_provider(credentials_config={**role, "organization_id": str(tenant.context.organization)})
    assert [each.pointer for each in chosen.value.errors] == ["/credentials_config/organization_id"]


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ({"status": 503, "code": "Throttling"}, Unavailable),
        ({"status": 500}, Unavailable),
        ({"reset": True}, TimedOut),
    ],
)
async def test_a_cloud_that_is_away_is_no_wrong_credential(
    services: Services, tenant: Tenant, provisioner: Running, fault: dict[str, Any], problem: type[CanopyError]
) -> None:
    tenant.aws.fault(match={"action": "GetCallerIdentity"}, **fault)
    with pytest.raises(problem):
        await tenant.add_provider()
    assert (await services.ask(ListProviders(**tenant.question()))).items == []


async def test_names_and_accounts_are_unique_in_an_organization(
    tenant: Tenant, stranger: Tenant, provisioner: Running
) -> None:
    await tenant.add_provider(display_name="mine")
    with pytest.raises(Conflict) as refused:
        await tenant.add_provider(display_name="mine", credentials_config=tenant.credentials(1))
    assert refused.value.code == "name_taken"
    with pytest.raises(Conflict) as refused:
        await tenant.add_provider(display_name="other")
    assert refused.value.code == "account_taken"
    await stranger.add_provider(display_name="mine")


async def test_an_update_tries_new_credentials_first(services: Services, tenant: Tenant, provisioner: Running) -> None:
    provider = await tenant.add_provider()

    async def update(**fields: Any) -> Any:
        envelope = tenant.envelope(expected_version=fields.pop("version", None))
        return await services.ask(UpdateProvider(**envelope, provider_id=provider.id, **fields))

    with pytest.raises(InvalidInput) as wrong:
        await update(credentials_config={**tenant.credentials(), "secret_access_key": "wrong" * 8})
    assert wrong.value.code == "invalid_credentials"
    with pytest.raises(Conflict) as other:
        await update(credentials_config=tenant.credentials(1))
    assert other.value.code == "other_account"
    with pytest.raises(Stale):
        await update(display_name="new", version=7)
    with pytest.raises(InvalidInput):
        await update(regions=["moon-1"])
    changed = await update(display_name="new", regions=["eu-west-1"], credentials_config=tenant.credentials())
    assert (changed.display_name, changed.regions, changed.version) == ("new", ["eu-west-1"], 2)
    await services.event(ProviderUpdated, lambda event: event.aggregate_id == provider.id)


async def test_a_provider_is_removed_only_without_active_resources(
    services: Services, tenant: Tenant, provisioner: Running
) -> None:
    provider = await tenant.add_provider()
    resource = await tenant.running(provider)
    with pytest.raises(Conflict) as refused:
        await services.ask(RemoveProvider(**tenant.envelope(), provider_id=provider.id))
    assert refused.value.code == "active_resources"
    await tenant.done(await services.ask(DeleteResource(**tenant.envelope(), resource=resource.id)))

    store = CredentialStore(services.bus, KeyRing.parse(key_ring()))
    organization = provider.organization_id
    assert (await store.get(organization, provider.id))["access_key_id"] == tenant.credentials()["access_key_id"]
    await services.ask(RemoveProvider(**tenant.envelope(), provider_id=provider.id))
    await services.event(ProviderRemoved, lambda event: event.aggregate_id == provider.id)
    with pytest.raises(NotFound):
        await services.ask(GetProvider(**tenant.question(), provider_id=provider.id))

    async def purged() -> bool:
        try:
            await store.get(organization, provider.id)
        except NotFound:
            return True
        return False

    await eventually(purged)
    await tenant.add_provider()


async def test_a_connection_test_tells_and_keeps_the_health(
    services: Services, tenant: Tenant, provisioner: Running
) -> None:
    provider = await tenant.add_provider()
    tested = await services.ask(TestConnection(**tenant.question(), provider_id=provider.id))
    assert (tested.ok, tested.account) == (True, provider.account_id)
    assert tested.latency_ms > 0
    tenant.aws.fault(match={"action": "GetCallerIdentity"}, status=403, code="InvalidClientTokenId")
    refused = await services.ask(TestConnection(**tenant.question(), provider_id=provider.id))
    assert (refused.ok, refused.account) == (False, None)
    changed = await services.event(ProviderHealthChanged, lambda event: event.aggregate_id == provider.id)
    assert changed.provider.health_status == "critical"
    assert "InvalidClientTokenId" in str(changed.provider.health_reason)


async def test_the_check_discovers_every_region(services: Services, tenant: Tenant, provisioner: Running) -> None:
    provider = await tenant.add_provider()
    database = services.database("provisioner")
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("SET ROLE provisioner_system")
        await connection.exec_driver_sql("UPDATE cloud_providers SET last_health_check = NULL")
    await database.close()
    command = CheckProvider(**tenant.context.about(provider.id, 1, now()))
    await services.bus.publish(command.subject(), command.to_bytes(), message_headers(command, "test"))

    async def discovered() -> bool:
        regions = (await services.ask(ListRegions(**tenant.question(), provider_id=provider.id))).items
        return {"us-east-1", "us-west-2", "eu-central-1"} <= {region.region_code for region in regions}

    await eventually(discovered)


async def test_credentials_are_seen_nowhere(services: Services, tenant: Tenant, provisioner: Running) -> None:
    secrets = tenant.credentials()
    provider = await tenant.add_provider()
    await tenant.running(provider)
    await services.ask(TestConnection(**tenant.question(), provider_id=provider.id))
    with pytest.raises(InvalidInput):
        await tenant.add_provider(credentials_config={**secrets, "secret_access_key": "canary-" * 5})
    await services.event(OperationAccepted)
    seen = await _everything_published(services) + _everything_stored(services)
    assert provider.display_name.encode() in seen, "the search itself must find what is there"
    for canary in (secrets["secret_access_key"], "canary-canary", secrets["access_key_id"]):
        assert canary.encode() not in seen


async def test_credentials_that_the_bucket_has_lost_come_back(
    services: Services, tenant: Tenant, stranger: Tenant, start_replica: StartReplica
) -> None:
    await start_replica(bucket_check_every_s=0.2)
    mine, theirs = await tenant.add_provider(), await stranger.add_provider()
    await services.bus.jetstream.delete_stream(CREDENTIALS_STREAM)
    await services.prepare("provisioner")
    store = CredentialStore(services.bus, KeyRing.parse(key_ring()))

    async def readable() -> bool:
        try:
            found = [await store.get(each.organization_id, each.id) for each in (mine, theirs)]
        except NotFound:
            return False
        return all(each["access_key_id"] == tenant.credentials()["access_key_id"] for each in found)

    await eventually(readable)


async def test_the_inventory_has_the_providers_of_all(
    services: Services, tenant: Tenant, stranger: Tenant, provisioner: Running
) -> None:
    mine, theirs = await tenant.add_provider(), await stranger.add_provider()
    request = ListProviderInventory(**Context.background().envelope(now()), limit=200)
    assert request.organization == SYSTEM
    page = await services.ask(request)
    assert {mine.id, theirs.id} <= {item.id for item in page.items}


async def _everything_published(services: Services) -> bytes:
    """Headers and bodies of every message in every stream."""
    found = b""
    for stream in await services.bus.jetstream.streams_info():
        if not stream.state.messages:
            continue
        consumer = await services.bus.jetstream.subscribe(
            ">", stream=stream.config.name, ordered_consumer=True,
            config=ConsumerConfig(deliver_policy=DeliverPolicy.ALL),
        )  # fmt: skip
        for _ in range(stream.state.messages):
            message = await consumer.next_msg(timeout=5)
            found += message.data + repr(message.headers).encode()
        await consumer.unsubscribe()
    return found


def _everything_stored(services: Services) -> bytes:
    """Every row of every table, bytes as they are and as text."""
    found = b""
    with psycopg.connect(services.database_of("provisioner").app_url) as connection:
        connection.execute("SET ROLE provisioner_system")
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            if table == "alembic_version":
                continue
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                found += b"".join(bytes(cell) for cell in row if isinstance(cell, bytes)) + repr(row).encode()
    return found
