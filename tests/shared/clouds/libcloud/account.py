"""How do the tests of a cloud with a token reach an account and make things go wrong there?"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import httpx

from shared.clouds.capabilities import Cloud
from shared.clouds.errors import CloudError
from shared.clouds.models import Credentials
from shared.clouds.registry import catalog_of, open_cloud
from tests.fixtures.clouds import SimulatedCloud
from tests.fixtures.tls import TLS


class TokenAccount:
    """One of our simulated clouds as `tests.shared.clouds.account_under_test.AccountUnderTest`."""

    provider: ClassVar[str]
    region: ClassVar[str]
    other_region: ClassVar[str]
    instance_type: ClassVar[str]
    other_instance_type: ClassVar[str]
    unknown_machine_id: ClassVar[str]
    compute: ClassVar[tuple[str, str]]
    create_action: ClassVar[str]
    list_action: ClassVar[str]
    capture_action: ClassVar[str]
    volume_action: ClassVar[str] = "volumes.create"
    page_size: ClassVar[int]
    refusals: ClassVar[Mapping[type[CloudError], tuple[int, str]]]
    forgets_terminated: ClassVar[bool] = True
    images_are_everywhere: ClassVar[bool] = False
    permissions: ClassVar[Mapping[str, str]] = {}  # "not authorized" is all that these clouds say

    def __init__(self, simulated: SimulatedCloud) -> None:
        self.simulated = simulated
        self.credentials = simulated.credentials()
        self.reader, self.lapsed = simulated.credentials(2), simulated.credentials(3)
        self.catalog = catalog_of(self.provider)
        self.cloud = self.open_with(self.credentials)

    def open_with(self, credentials: Credentials) -> Cloud:
        return open_cloud(self.provider, credentials, self.simulated.settings())

    def settle(self) -> None:
        self.simulated.advance()

    def lose_answer_of_create(self) -> None:
        self.lose_answer_of(self.create_action)

    def lose_answer_of(self, action: str) -> None:
        """The next call of an action happens, and its answer is lost on the way."""
        self._fault(match={"action": action}, reset=True, after=True, count=1)

    def refuse_create(self, error: type[CloudError]) -> None:
        status, code = self.refusals[error]
        self._fault(match={"action": self.create_action}, status=status, code=code)

    def throttle(self, retry_after_s: float | None) -> None:
        self._fault(status=429, **({} if retry_after_s is None else {"retry_after_s": retry_after_s}))

    def lose_region(self, region: str) -> None:
        self._fault(match={"region": region}, status=503)

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        """What somebody else does at the provider, past our code."""
        return self._ask("POST", path, json=body)

    def get(self, path: str) -> dict[str, Any]:
        """What the provider itself says."""
        return self._ask("GET", path)

    def end_faults(self) -> None:
        self.simulated.clear_faults()

    def machines_with(self, token: str) -> Sequence[str]:
        return [each["id"] for each in self.simulated.machines() if each["token"] == token]

    def snapshots_with(self, token: str) -> Sequence[str]:
        return [each["id"] for each in self.simulated.snapshots() if each["token"] == token]

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.credentials['token']}"}
        url = f"{self.simulated.endpoint_url}{path}"
        answer = httpx.request(method, url, headers=headers, trust_env=False, verify=TLS, **options)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _fault(self, *, match: Mapping[str, str] | None = None, **fault: object) -> None:
        self.simulated.fault(match={**(match or {}), "service": self.provider}, **fault)
