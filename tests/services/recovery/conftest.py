"""What has a test of recovery? A running replica, a machine in a simulated cloud whose time passes, and its plan."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.bus.credentials import seal_credentials
from shared.clouds.capabilities import Cloud, machines_of
from shared.clouds.models import Machine, MachineSpec, MachineState
from shared.clouds.registry import open_cloud
from shared.db.engine import Database
from shared.kit.ids import new_id
from shared.messages.backups import Backup, BackupCompleted
from shared.messages.context import Context
from shared.messages.drills import AcceptedDrill, Drill, DrillCompleted, DrillEvent, DrillFailed, StartDrill
from shared.messages.plans import CreatePlan, Plan
from shared.messages.providers import Provider, ProviderAdded
from shared.messages.resources import Resource, ResourceEvent, ResourceStarted
from shared.messages.subjects import credentials_subject
from shared.security.envelope import KeyRing
from tests.fixtures.clouds import SimulatedAws, SimulatedCloud
from tests.fixtures.services import Running, Services, context, mutation, now

EAST, WEST = "us-east-1", "us-west-2"
KEY_RING = json.dumps({"primary": "one", "keys": {"one": base64.b64encode(b"1" * 32).decode()}})


async def eventually(holds: Callable[[], Awaitable[bool]], timeout_s: float = 60) -> None:
    """Return when it holds: for what nobody announces. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not await holds():
            await asyncio.sleep(0.05)


@dataclass(frozen=True)
class Home:
    """Where a tenant's machine is, and where it is to be recovered."""

    provider_name: str
    region: str
    other_region: str
    instance_type: str
    resource_subtype: str


AT_AWS = Home("aws", EAST, WEST, "t3.micro", "ec2_instance")


class Tenant:
    """One organization with an account at a cloud and a machine there."""

    def __init__(
        self,
        services: Services,
        simulated: SimulatedAws | SimulatedCloud,
        cloud: Cloud,
        machine: Machine,
        home: Home = AT_AWS,
    ) -> None:
        self.services = services
        self.simulated = simulated
        self.cloud = cloud
        self.machine = machine
        self.home = home
        self.context: Context = context()
        self.provider_id = new_id()
        self.resource_id = new_id()

    async def start(self, **settings: Any) -> Running:
        """One replica that looks often."""
        values = {"key_ring": KEY_RING, "cloud_poll_s": 0.05, "cloud_settle_s": 0.1, "lease_s": 2, **settings}
        return await self.services.start("recovery", **values)

    @property
    def aws(self) -> SimulatedAws:
        assert isinstance(self.simulated, SimulatedAws)
        return self.simulated

    @property
    def organization(self) -> UUID:
        assert self.context.organization is not None
        return self.context.organization

    @property
    def database(self) -> Database:
        return self.services.database("recovery")

    def resource(self, **changes: Any) -> Resource:
        values = {
            "id": self.resource_id, "organization_id": self.organization, "provider_id": self.provider_id,
            "provider_name": self.home.provider_name, "region": self.home.region, "resource_id": self.machine.id,
            "resource_name": "web-1", "resource_type": "compute", "resource_subtype": self.home.resource_subtype,
            "configuration": {"instance_type": self.home.instance_type}, "resource_status": "running",
            "environment": "production", "project": "wedding", "created_at": now(), "updated_at": now(), "version": 1,
        }  # fmt: skip
        return Resource(**{**values, **changes})

    async def know(self) -> None:
        """Let recovery hear of the provider, its credentials and the machine."""
        sealed = seal_credentials(
            KeyRing.parse(KEY_RING), self.organization, self.provider_id, dict(self.simulated.credentials())
        )
        await self.services.bus.jetstream.publish(credentials_subject(self.organization, self.provider_id), sealed)
        provider = Provider(
            id=self.provider_id, organization_id=self.organization, provider_name=self.home.provider_name,
            provider_type="primary", display_name="the account", regions=[self.home.region, self.home.other_region],
            created_at=now(), updated_at=now(), version=1,
        )  # fmt: skip
        envelope = self.context.about(self.provider_id, 1, now())
        await self.services.publish(ProviderAdded(**envelope, provider=provider))
        await self.tell(ResourceStarted, self.resource())

    async def tell(self, cls: type[ResourceEvent], resource: Resource) -> None:
        """Say a resource's event, and wait until recovery has applied it."""
        envelope = self.context.about(resource.id, resource.version, now())
        await self.services.publish(cls(**envelope, resource=resource))

        async def applied() -> bool:
            statement = text("SELECT version FROM known_resource WHERE id = :id")
            async with self.database.work(Context.background()) as work:
                version = (await work.execute(statement, {"id": resource.id})).scalar()
            return version is not None and version >= resource.version

        await eventually(applied)

    def plan(self, **changes: Any) -> CreatePlan:
        values: dict[str, Any] = {
            "plan_name": f"web {new_id()}",
            "primary_region": {"provider_id": self.provider_id, "region_code": self.home.region},
            "disaster_recovery_regions": [{"provider_id": self.provider_id, "region_code": self.home.other_region}],
            "resources": [self.resource_id],
        }
        return CreatePlan(**mutation(self.context), **{**values, **changes})

    async def protect(self, **changes: Any) -> tuple[Plan, Backup]:
        """A plan, and the first backup that it has begun, completed."""
        plan: Plan = await self.services.ask(self.plan(**changes))
        return plan, await self.backed_up(plan)

    async def backed_up(self, plan: Plan) -> Backup:
        done = await self.services.event(BackupCompleted, lambda event: event.backup.plan_id == plan.id, 60)
        return done.backup

    async def drill(self, plan: Plan) -> AcceptedDrill:
        accepted: AcceptedDrill = await self.services.ask(StartDrill(**mutation(self.context), plan_id=plan.id))
        return accepted

    async def drilled(self, accepted: AcceptedDrill, timeout_s: float = 60) -> Drill:
        """The drill's report, whatever its verdict."""

        def ended(event: DrillEvent) -> bool:
            return isinstance(event, DrillCompleted | DrillFailed) and event.drill.id == accepted.drill.id

        return (await self.services.event(DrillEvent, ended, timeout_s)).drill

    async def ask_again(self, cls: Any, **payload: Any) -> Any:
        return await self.services.ask(cls(**self.context.envelope(now()), **payload))

    async def update(self, statement: str, **values: Any) -> None:
        """Change rows as time or an operator would."""
        async with self.database.work(Context.background()) as work:
            await work.execute(text(statement), values)

    async def value(self, query: str) -> Any:
        """The one value of a look at the tables."""
        async with self.database.work(Context.background()) as work:
            return (await work.execute(text(query))).scalar()

    def left_of(self, drill: Drill) -> list[str]:
        """The simulator's own list of what a drill has not removed."""
        mine = {"canopy:drill": str(drill.id)}
        machines = [each["id"] for each in self.aws.machines()
                    if mine.items() <= each["tags"].items() and each["state"] != "terminated"]  # fmt: skip
        volumes = [each["id"] for each in self.aws.volumes() if mine.items() <= each["tags"].items()]
        return machines + volumes

    def made(self, action: str, since: int = 0) -> list[dict[str, Any]]:
        """What the simulator's ledger says was done, once per thing."""
        return [each for each in self.aws.ledger()[since:] if each["action"] == action]


@pytest.fixture
async def passing_time(simulated_aws: SimulatedAws) -> AsyncIterator[None]:
    """The cloud's time passes: states arrive a moment after they were asked for."""

    async def pass_time() -> None:
        while True:
            await asyncio.to_thread(simulated_aws.advance)
            await asyncio.sleep(0.1)

    passing = asyncio.create_task(pass_time())
    yield
    passing.cancel()
    with suppress(asyncio.CancelledError):
        await passing


@pytest.fixture
async def tenant(
    services: Services, simulated_aws: SimulatedAws, passing_time: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Tenant]:
    """A tenant whose machine runs and is known to a replica of recovery; the machine is gone afterwards."""
    monkeypatch.setenv("CANOPY_AWS_ENDPOINT_URL", simulated_aws.endpoint_url)
    monkeypatch.setenv("CANOPY_CLOUD_BUDGET_FIRST_PER_S", "500")
    cloud = open_cloud("aws", simulated_aws.credentials(), simulated_aws.settings())
    machines = machines_of(cloud)
    machine = await machines.create(EAST, MachineSpec(str(new_id()), "t3.micro", {"Name": "web-1"}))

    async def runs() -> bool:
        return (await machines.get(EAST, machine.id)).state is MachineState.RUNNING

    await eventually(runs)
    services.ack_wait_s = 2
    tenant = Tenant(services, simulated_aws, cloud, machine)
    await services.prepare("recovery")
    await tenant.start()
    await tenant.know()
    yield tenant
    simulated_aws.clear_faults()
    await machines.terminate(EAST, machine.id)
    await cloud.close()
