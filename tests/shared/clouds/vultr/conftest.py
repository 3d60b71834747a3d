"""How do the tests of Vultr reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

import pytest

from shared.clouds.assets import Assets
from shared.clouds.errors import CloudError, NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from shared.clouds.models import TOKEN_TAG
from shared.clouds.vultr.labels import tags_of
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.conformance_assets import Sample
from tests.shared.clouds.libcloud.account import TokenAccount

UNKNOWN = "cb676a46-66fd-4dfb-b839-443f2e6c0b60"


LISTS = {
    "vpc": ("/v2/vpcs", "vpcs", "description"),
    "load_balancer": ("/v2/load-balancers", "load_balancers", "label"),
}
"""Of each subtype: where it is listed, under which name, and the text that its tags are in."""


CHECK = {
    "protocol": "http", "port": 8080, "path": "/ready", "interval_s": 10, "timeout_s": 4, "unhealthy_threshold": 3,
    "healthy_threshold": 2,
}  # fmt: skip


class VultrAccount(TokenAccount):
    provider = "vultr"
    region = "ewr"
    other_region = "fra"
    instance_type = "vc2-1c-1gb"
    other_instance_type = "vc2-2c-4gb"
    unknown_machine_id = UNKNOWN
    compute = ("compute", "vultr_instance")
    create_action = "instances.create"
    list_action = "instances.list"
    capture_action = "snapshots.create"
    volume_action = "blocks.create"
    images_are_everywhere = True
    page_size = 5
    refusals: ClassVar = {
        NoCapacity: (400, "no_capacity"),
        QuotaExceeded: (400, "quota"),
        RateLimited: (429, ""),
        PermissionDenied: (403, ""),
    }

    def sample(self, assets: Assets, number: int) -> Sample:
        make = getattr(self, f"_{assets.resource_subtype}")
        sample: Sample = make(number)
        return sample

    def assets_with(self, assets: Assets, token: str) -> Sequence[str]:
        path, name, text = LISTS[assets.resource_subtype]
        found = self.get(f"{path}?per_page=500")[name]
        return [each["id"] for each in found if tags_of(each[text]).get(TOKEN_TAG) == token]

    def lose_next_answer(self, assets: Assets) -> None:
        self.lose_answer_of(self._creates(assets))

    def refuse_next(self, assets: Assets, error: type[CloudError]) -> None:
        status, code = self.refusals[error]
        self._fault(match={"action": self._creates(assets)}, status=status, code=code)

    def _creates(self, assets: Assets) -> str:
        _, name, _ = LISTS[assets.resource_subtype]
        return f"{name}.create"

    def _vpc(self, number: int) -> Sample:
        return Sample({"ip_range": f"10.{number % 200}.0.0/20"} if number % 2 else {}, UNKNOWN, {})

    def _load_balancer(self, number: int) -> Sample:
        body = {"region": self.region, "plan": self.instance_type, "os_id": 2284}
        machines = [self.post("/v2/instances", body)["instance"]["id"] for _ in range(number % 2)]
        network = self.post("/v2/vpcs", {"region": self.region})["vpc"]["id"]
        tcp = {"protocol": "tcp", "port": 443, "target_port": 8443}
        given = {"network_id": network, "machines": machines, "forwarding_rules": [tcp]} if machines else {}
        change = {
            "forwarding_rules": [{"protocol": "http", "port": 80, "target_port": 8080}, tcp],
            "balancing_algorithm": "leastconn",
            "proxy_protocol": True,
            "health_check": {**CHECK, "protocol": "tcp", "port": 8443, "path": None} if machines else CHECK,
            "nodes": 3,
            "machines": [],
        }
        return Sample(given, UNKNOWN, change)


@pytest.fixture
async def account(simulated_world: dict[str, SimulatedCloud]) -> AsyncIterator[VultrAccount]:
    simulated = simulated_world["vultr"]
    simulated.clear_faults()
    account = VultrAccount(simulated)
    yield account
    await account.cloud.close()
    simulated.clear_faults()
