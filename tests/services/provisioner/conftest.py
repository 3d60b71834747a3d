"""What has a test of the provisioner? A running replica, a simulated cloud that moves when told, an account, requests."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import pytest

from shared.kit.errors import Conflict, TimedOut
from shared.kit.ids import new_id
from shared.messages.base import Mutation
from shared.messages.context import Context
from shared.messages.operations import Operation, OperationEvent, OperationFailed, OperationSucceeded
from shared.messages.providers import CreateProvider, Provider
from shared.messages.resources import AcceptedResource, CreateResource, GetResource, Resource
from tests.fixtures.clouds import SimulatedAws
from tests.fixtures.services import Running, Services, context, mutation, now


def key_ring(primary: str = "one", *others: str) -> str:
    """A key ring whose keys follow from their names."""
    keys = {name: base64.b64encode(name.encode().ljust(32, b".")).decode() for name in (primary, *others)}
    return json.dumps({"primary": primary, "keys": keys})


async def eventually(holds: Callable[[], Awaitable[bool]], timeout_s: float = 20) -> None:
    """Return when it holds: for what nobody announces. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not await holds():
            await asyncio.sleep(0.05)


class Accepted(Protocol):
    """What was accepted, and may be waited for."""

    operation: Operation


class Tenant:
    """One organization of the test and what it asks of the provisioner."""

    def __init__(self, services: Services, aws: SimulatedAws) -> None:
        self.services = services
        self.aws = aws
        self.context: Context = context()

    def envelope(self, key: str | None = None, **changes: Any) -> dict[str, Any]:
        return {**mutation(self.context, key), **changes}

    def question(self) -> dict[str, Any]:
        return dict(self.context.envelope(now()))

    def credentials(self, account: int = 0) -> dict[str, str]:
        return dict(self.aws.credentials(account))

    def create_provider(self, key: str | None = None, **fields: Any) -> CreateProvider:
        values = {
            "provider_name": "aws",
            "display_name": f"AWS {new_id()}",
            "regions": ["us-east-1", "us-west-2"],
            "credentials_config": self.credentials(),
        }
        return CreateProvider(**self.envelope(key), **{**values, **fields})

    async def add_provider(self, **fields: Any) -> Provider:
        provider: Provider = await self._insist(self.create_provider(**fields))
        return provider

    def create_resource(self, provider: Provider, key: str | None = None, **fields: Any) -> CreateResource:
        values: dict[str, Any] = {
            "provider_id": provider.id,
            "region": "us-east-1",
            "resource_name": "web-1",
            "resource_type": "compute",
            "resource_subtype": "ec2_instance",
            "configuration": {"instance_type": "t3.micro"},
            "environment": "production",
            "project": "wedding",
            "tags": {"team": "photos"},
        }
        return CreateResource(**self.envelope(key), **{**values, **fields})

    async def add_resource(self, provider: Provider, **fields: Any) -> AcceptedResource:
        accepted: AcceptedResource = await self._insist(self.create_resource(provider, **fields))
        return accepted

    async def _insist(self, request: Mutation) -> Any:
        """As clients do: when our owner was too slow to answer (a busy machine), ask again with the same key."""
        for _ in range(10):
            try:
                return await self.services.ask(request)
            except TimedOut as error:
                if error.code == "provider_unreachable":
                    raise
            except Conflict as error:
                if error.code != "in_flight":
                    raise
            await asyncio.sleep(0.5)
        return await self.services.ask(request)

    async def get(self, resource: Any) -> Resource:
        found: Resource = await self.services.ask(GetResource(**self.question(), resource=resource))
        return found

    def machines(self, accepted: AcceptedResource) -> list[dict[str, Any]]:
        """Every machine the cloud ever made for this resource, by its name tag."""
        name = accepted.resource.resource_name
        return [each for each in self.aws.machines() if each["tags"].get("Name") == name]

    async def done(self, accepted: Accepted, timeout_s: float = 60) -> Operation:
        """The operation's end, while time passes for the cloud."""
        return (await self.all_done([accepted], timeout_s))[0]

    async def all_done(self, accepted: Sequence[Accepted], timeout_s: float = 60) -> list[Operation]:
        """The ends of several operations, in their order."""
        moving = asyncio.create_task(self.move_time())
        try:
            return [await self._end(each, timeout_s) for each in accepted]
        finally:
            moving.cancel()

    async def _end(self, accepted: Accepted, timeout_s: float) -> Operation:
        ends = (OperationSucceeded, OperationFailed)
        event = await self.services.event(
            OperationEvent,
            lambda event: isinstance(event, ends) and event.operation.id == accepted.operation.id,
            timeout_s,
        )
        return event.operation

    async def move_time(self) -> None:
        while True:
            await asyncio.to_thread(self.aws.advance)
            await asyncio.sleep(0.1)

    async def running(self, provider: Provider, **fields: Any) -> Resource:
        """A resource that runs."""
        accepted = await self.add_resource(provider, resource_name=f"web-{new_id()}", **fields)
        operation = await self.done(accepted)
        assert operation.status == "succeeded", operation.error
        return await self.get(accepted.resource.id)


@pytest.fixture
def cloud_address(simulated_aws: SimulatedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployment's setting that says where AWS is."""
    monkeypatch.setenv("CANOPY_AWS_ENDPOINT_URL", simulated_aws.endpoint_url)
    monkeypatch.setenv("CANOPY_CLOUD_BUDGET_FIRST_PER_S", "500")
    monkeypatch.setenv("CANOPY_CLOUD_CALL_ATTEMPTS", "1")


StartReplica = Callable[..., Awaitable[Running]]


@pytest.fixture
def start_replica(services: Services, cloud_address: None) -> StartReplica:
    """`await start_replica(lease_s=1)`: a replica that asks the cloud often."""

    async def start(**settings: Any) -> Running:
        values = {
            "key_ring": key_ring(),
            "machine_poll_s": 0.1,
            "provider_check_every_s": 3600,
            "sync_check_every_s": 3600,
            **settings,
        }
        return await services.start("provisioner", **values)

    return start


@pytest.fixture
async def provisioner(start_replica: StartReplica) -> Running:
    return await start_replica()


@pytest.fixture
def tenant(services: Services, simulated_aws: SimulatedAws) -> Tenant:
    return Tenant(services, simulated_aws)


@pytest.fixture
def stranger(services: Services, simulated_aws: SimulatedAws) -> Tenant:
    """Another organization."""
    return Tenant(services, simulated_aws)
