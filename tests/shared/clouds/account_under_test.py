"""What must a cloud's tests bring to be held to the conformance suite?

The account is a real SDK's door to a simulated or, with credentials in the environment, a real provider; what one
without the faults cannot show (throttling on demand) its account says by raising `pytest.skip`.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol
from uuid import uuid4

import pytest

from shared.clouds.capabilities import (
    Catalog,
    Cloud,
    machines_of,
)
from shared.clouds.errors import (
    CloudError,
)
from shared.clouds.models import (
    Credentials,
    Machine,
    MachineSpec,
    MachineState,
)


class AccountUnderTest(Protocol):
    """One account at one cloud, and the power over what goes wrong there."""

    cloud: Cloud
    catalog: Catalog
    credentials: Credentials
    region: str
    other_region: str
    instance_type: str
    other_instance_type: str
    unknown_machine_id: str
    compute: tuple[str, str]  # resource type and subtype of a machine

    def open_with(self, credentials: Credentials) -> Cloud: ...

    def settle(self) -> None:
        """Everything under way (pending, stopping, snapshots) arrives."""

    def lose_answer_of_create(self) -> None:
        """The next creation of a machine happens, and its answer is lost on the way."""

    def refuse_create(self, error: type[CloudError]) -> None:
        """The next creation of a machine is refused as this cloud refuses for that reason."""

    def throttle(self, retry_after_s: float | None) -> None:
        """Every call is throttled until the faults are cleared."""

    def lose_region(self, region: str) -> None: ...

    def end_faults(self) -> None: ...

    def machines_with(self, token: str) -> Sequence[str]:
        """Ids of all machines with that token, from the cloud's own list, terminated ones included."""

    def snapshots_with(self, token: str) -> Sequence[str]: ...


def wrong_credentials(account: AccountUnderTest) -> Credentials:
    """Credentials of the right form that the cloud does not know.

    An account whose credentials have a form of their own (a key document) says by `wrong_credentials` which these are.
    """
    own: Credentials | None = getattr(account, "wrong_credentials", None)
    return own or Credentials({name: f"Wrong{value[5:]}" for name, value in account.credentials.items()})


def forgets_terminated(account: AccountUnderTest) -> bool:
    """Whether what was terminated is unknown at once, and its token free (AWS tells of it for an hour).

    An account of a cloud that forgets says so by `forgets_terminated = True`.
    """
    return bool(getattr(account, "forgets_terminated", False))


def new_token() -> str:
    return f"test:{uuid4()}"


class Conformance:
    """What the parts of the suite share."""

    pytestmark = pytest.mark.anyio

    def spec(self, account: AccountUnderTest, **changes: object) -> MachineSpec:
        return MachineSpec(**{"token": new_token(), "instance_type": account.instance_type, **changes})

    async def resized(self, account: AccountUnderTest, machine_id: str, instance_type: str) -> None:
        """Wait for a resize: some clouds call a machine stopped meanwhile. One account settles at once, others ask."""
        limit_s = time.monotonic() + getattr(account, "patience_s", 0.0)
        account.settle()
        while (await machines_of(account.cloud).get(account.region, machine_id)).instance_type != instance_type:
            assert time.monotonic() < limit_s, "the resize takes too long"
            await asyncio.sleep(1)

    async def running(self, account: AccountUnderTest, **changes: object) -> Machine:
        machines = machines_of(account.cloud)
        made = await machines.create(account.region, self.spec(account, **changes))
        account.settle()
        machine = await machines.get(account.region, made.id)
        assert machine.state is MachineState.RUNNING
        return machine
