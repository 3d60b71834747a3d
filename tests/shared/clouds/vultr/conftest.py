"""How do the tests of Vultr reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

import pytest

from shared.clouds.assets import Assets
from shared.clouds.errors import CloudError, NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.conformance_assets import Sample
from tests.shared.clouds.libcloud.account import TokenAccount

UNKNOWN = "cb676a46-66fd-4dfb-b839-443f2e6c0b60"


CREATES = {
    "vpc": "vpcs.create",
    "volume": "blocks.create",
    "load_balancer": "load_balancers.create",
    "dns_domain": "domains.create",
    "managed_database": "databases.create",
    "object_storage": "object_storages.create",
    "cdn_pull_zone": "pull_zones.create",
}
"""Of each subtype: the call that makes it."""
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

    def keeps_tags(self, assets: Assets) -> bool:
        return assets.resource_subtype != "dns_domain"

    def assets_with(self, assets: Assets, token: str) -> Sequence[str]:
        kind = "group" if assets.resource_subtype == "vpc" else assets.resource_subtype  # walls are networks there, too
        known = [each for each in self.simulated.assets() if each["kind"] == kind]
        found = self.simulated.volumes() if assets.resource_subtype == "volume" else known
        return [each["id"] for each in found if each["token"] == token]

    def lose_next_answer(self, assets: Assets) -> None:
        self.lose_answer_of(CREATES[assets.resource_subtype])

    def refuse_next(self, assets: Assets, error: type[CloudError]) -> None:
        status, code = self.refusals[error]
        self._fault(match={"action": CREATES[assets.resource_subtype]}, status=status, code=code, retry_after_s=60)

    def _vpc(self, number: int) -> Sample:
        return Sample({"ip_range": f"10.{number % 200}.0.0/20"} if number % 2 else {}, UNKNOWN, {})

    def _volume(self, number: int) -> Sample:
        body = {"region": self.region, "plan": self.instance_type, "os_id": 2284}
        machine = self.post("/v2/instances", body)["instance"]["id"] if number % 2 else None
        return Sample({"size_gib": 20} if number % 2 else {}, UNKNOWN, {"size_gib": 40, "machine_id": machine})

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

    def _dns_domain(self, number: int) -> Sample:
        records = [
            {"name": "@", "type": "MX", "values": ["10 mail.example.com", "20 mail2.example.com"], "ttl_s": 300},
            {"name": "www", "type": "A", "values": ["192.0.2.1", "192.0.2.2"], "ttl_s": 60},
        ]
        changed = [
            {"name": "@", "type": "CAA", "values": ["0 issue letsencrypt.org"], "ttl_s": 300},
            {**records[0], "ttl_s": 600},
            {"name": "_sip._tcp", "type": "SRV", "values": ["10 5 5060 sip.example.com"], "ttl_s": 300},
            {"name": "www", "type": "CNAME", "values": ["example.com"], "ttl_s": 60},
            {"name": "www2", "type": "AAAA", "values": ["2001:db8::1"], "ttl_s": 60},
            {"name": "www2", "type": "TXT", "values": ["a; b", "x" * 300], "ttl_s": 60},
        ]
        given = {"zone_name": f"wedding-{number}.example", "records": records if number % 2 else []}
        return Sample(given, "never-made.example", {"records": changed, "dnssec": bool(number % 2)})

    def _managed_database(self, number: int) -> Sample:
        network = self.post("/v2/vpcs", {"region": self.region})["vpc"]["id"]
        given = {"engine": "mysql", "network_id": network, "trusted_ips": ["192.0.2.1/32"]} if number % 2 else {}
        trusted = [] if number % 2 else ["0.0.0.0/0"]
        return Sample(given, UNKNOWN, {"instance_type": "vultr-dbaas-startup-cc-1-55-2", "trusted_ips": trusted})

    def _object_storage(self, number: int) -> Sample:
        return Sample({"cluster_id": 9, "tier_id": 3} if number % 2 else {}, UNKNOWN, {})

    def _cdn_pull_zone(self, number: int) -> Sample:
        change = {
            "origin_domain": f"new-{number}.example.com", "origin_scheme": "http", "cors": True, "gzip": False,
            "block_ai": True, "block_bad_bots": False,
        }  # fmt: skip
        return Sample({"origin_domain": f"origin-{number}.example.com"}, UNKNOWN, change)


@pytest.fixture
async def account(simulated_world: dict[str, SimulatedCloud]) -> AsyncIterator[VultrAccount]:
    simulated = simulated_world["vultr"]
    simulated.clear_faults()
    account = VultrAccount(simulated)
    yield account
    await account.cloud.close()
    simulated.clear_faults()
