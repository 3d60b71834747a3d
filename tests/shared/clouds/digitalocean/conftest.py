"""How do the tests of DigitalOcean reach an account and make things go wrong there?"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import ClassVar

import pytest

from shared.clouds.assets import Assets, AssetSpec
from shared.clouds.digitalocean.cloud import DigitalOceanCloud
from shared.clouds.digitalocean.spaces_driver import SpacesDriver, drivers_maker
from shared.clouds.errors import CloudError, NoCapacity, PermissionDenied, QuotaExceeded, RateLimited
from shared.clouds.libcloud.tokens import name_of
from shared.clouds.models import Credentials
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.account_under_test import new_token
from tests.shared.clouds.conformance_assets import Sample
from tests.shared.clouds.libcloud.account import TokenAccount

KINDS = {
    "vpc": ("vpc", "vpcs.create"),
    "load_balancer": ("load_balancer", "load_balancers.create"),
    "domain": ("domain", "domains.create"),
    "database_cluster": ("database", "databases.create"),
    "volume": ("volume", "volumes.create"),
    "spaces_bucket": ("object", "spaces.put_bucket"),
    "cdn_endpoint": ("object", "cdn_endpoints.create"),
}
"""Of each subtype: the simulator's word, and the call that makes it."""


def vpc(number: int) -> Sample:
    ip_range = f"172.{16 + number // 256 % 16}.{number % 256}.0/24"  # no two may overlap
    given = {"name": f"hall.{number}", "ip_range": ip_range} if number % 2 else {}
    return Sample(given, "5a4981aa-9653-4bd1-bef5-d6bff52042e4", {"name": f"renamed-{number}"})


def load_balancer(number: int) -> Sample:
    web = {"entry_protocol": "tcp", "entry_port": 25, "target_protocol": "tcp", "target_port": 2525}
    given = {"forwarding_rules": [web], "sticky_sessions": {}, "nodes": 2} if number % 2 else {}
    tls = {"entry_protocol": "https", "entry_port": 443, "target_protocol": "https", "target_port": 8443,
           "certificate_id": None, "tls_passthrough": True}  # fmt: skip
    check = {"protocol": "tcp", "port": 22, "path": None, "interval_s": 20, "timeout_s": 6, "healthy_threshold": 2,
             "unhealthy_threshold": 4}  # fmt: skip
    sticky = {"cookie_name": "HALL", "cookie_ttl_s": 60}
    change = {"nodes": 3, "forwarding_rules": [tls], "health_check": check, "sticky_sessions": sticky}
    return Sample(given, "4de7ac8b-495b-4884-9a69-1050c6793cd6", change)


def domain(number: int) -> Sample:
    records = [
        {"name": "@", "type": "MX", "values": ["10 mail.example.com"], "ttl_s": 300},
        {"name": "www", "type": "A", "values": ["192.0.2.1", "192.0.2.2"], "ttl_s": 60},
    ]
    changed = [
        {**records[0], "values": ["20 mail.example.com"], "ttl_s": 600},
        {"name": "_sip._tcp", "type": "SRV", "values": ["10 5 5060 sip.example.com"], "ttl_s": 60},
        {"name": "ca", "type": "CAA", "values": ["0 issue letsencrypt.org", "128 iodef mailto:a@b.c"], "ttl_s": 60},
        {"name": "www", "type": "CNAME", "values": ["example.com"], "ttl_s": 60},
        {"name": "www2", "type": "TXT", "values": ['say "yes"', "x" * 300], "ttl_s": 60},
    ]
    given = {"zone_name": f"wedding-{number}.example", "records": records if number % 2 else []}
    return Sample(given, "never-made.example", {"records": changed})


def database_cluster(number: int) -> Sample:
    given = {"engine": "mysql", "version": "8", "trusted_addresses": ["203.0.113.0/24"]} if number % 2 else {}
    change = {"instance_type": "db-s-2vcpu-4gb", "nodes": 2, "storage_gib": 80, "trusted_addresses": ["203.0.113.7"]}
    return Sample(given, "9cc10173-e9ea-4176-9dbc-a4cee4c4ff30", change)


def spaces_bucket(number: int) -> Sample:
    return Sample({"name": f"canopy-hall-{number}"} if number % 2 else {}, "never-made", {"versioning": True})


def volume(number: int) -> Sample:
    return Sample({"size_gib": 20} if number % 2 else {}, "506f78a4-e098-11e5-ad9f-000f53306ae1", {"size_gib": 40})


def cdn_endpoint(number: int) -> Sample:
    given = {"origin": f"canopy-front-{number}.nyc3.digitaloceanspaces.com", **({"ttl_s": 60} if number % 2 else {})}
    custom = {"custom_domain": f"static-{number}.example.com", "certificate_id": "needs-cloudflare-cert"}
    return Sample(given, "19f06b6a-3ace-4315-b086-499a0e521b76", {"ttl_s": 600, **custom})


SAMPLES: dict[str, Callable[[int], Sample]] = {
    "vpc": vpc,
    "load_balancer": load_balancer,
    "domain": domain,
    "database_cluster": database_cluster,
    "spaces_bucket": spaces_bucket,
    "volume": volume,
    "cdn_endpoint": cdn_endpoint,
}


class DigitalOceanAccount(TokenAccount):
    provider = "digitalocean"
    region = "nyc3"
    other_region = "ams3"
    instance_type = "s-1vcpu-1gb"
    other_instance_type = "s-2vcpu-4gb"
    unknown_machine_id = "3164494"
    compute = ("compute", "droplet")
    create_action = "droplets.create"
    list_action = "droplets.list"
    capture_action = "droplets.act"
    page_size = 5
    refusals: ClassVar = {
        NoCapacity: (422, "no_capacity"),
        QuotaExceeded: (422, "quota"),
        RateLimited: (429, ""),
        PermissionDenied: (403, ""),
    }

    _somebodys: ClassVar[dict[str, Credentials]] = {}

    def sample(self, assets: Assets, number: int) -> Sample:
        sample = SAMPLES[assets.resource_subtype](number)
        if assets.resource_subtype == "cdn_endpoint":
            self.spaces().create_container(sample.configuration["origin"].partition(".")[0])
        return sample

    def spaces(self) -> SpacesDriver:
        """What somebody else does in Spaces, past our code: with one key for all tests."""
        url, grants = self.simulated.endpoint_url, [{"bucket": "", "permission": "fullaccess"}]
        if url not in self._somebodys:
            key = self.post("/v2/spaces/keys", {"name": "somebody", "grants": grants})["key"]
            self._somebodys[url] = Credentials({name: key[name] for name in ("access_key", "secret_key")})
        return drivers_maker(self._somebodys[url], self.simulated.settings())().of(self.region)

    def assets_with(self, assets: Assets, token: str) -> Sequence[str]:
        kind, _ = KINDS[assets.resource_subtype]
        if kind == "volume":
            return [each["id"] for each in self.simulated.volumes() if each["token"] == token]
        found = [each["id"] for each in self.simulated.assets() if each["token"] == token and each["kind"] == kind]
        if kind != "object":
            return found
        notes = [
            each.partition("/") for each in found
        ]  # buckets, and what is before them, are known by what lies there
        if assets.resource_subtype == "spaces_bucket":
            return [bucket for bucket, _, name in notes if name.startswith(".canopy/tags.json")]
        before = {bucket for bucket, _, name in notes if name.startswith(".canopy/cdn.json")}
        endpoints = self.get("/v2/cdn/endpoints?per_page=200")["endpoints"]
        return [each["id"] for each in endpoints if each["origin"].partition(".")[0] in before]

    def lose_next_answer(self, assets: Assets) -> None:
        self.lose_answer_of(KINDS[assets.resource_subtype][1])

    def refuse_next(self, assets: Assets, error: type[CloudError]) -> None:
        status, code = self.refusals[error]
        self._fault(match={"action": KINDS[assets.resource_subtype][1]}, status=status, code=code, retry_after_s=60)

    def keeps_tags(self, assets: Assets) -> bool:
        """What a domain holds everybody can read."""
        return assets.resource_subtype != "domain"

    def lose_lists(self, region: str) -> None:
        """Each list is one for all regions."""
        del region
        self._fault(status=503, retry_after_s=60)

    def snapshots_with(self, token: str) -> Sequence[str]:
        """Also those that have their name and no tags yet."""
        return [each["id"] for each in self.simulated.snapshots() if each["name"] == name_of(token)]


@pytest.fixture
async def account(simulated_world: dict[str, SimulatedCloud]) -> AsyncIterator[DigitalOceanAccount]:
    simulated = simulated_world["digitalocean"]
    simulated.clear_faults()
    account = DigitalOceanAccount(simulated)
    yield account
    await account.cloud.close()
    simulated.clear_faults()


@pytest.fixture
def cloud(account: DigitalOceanAccount) -> DigitalOceanCloud:
    assert isinstance(account.cloud, DigitalOceanCloud)
    return account.cloud


@pytest.fixture
def spec(account: DigitalOceanAccount) -> Callable[..., AssetSpec]:
    def spec_of(assets: Assets, token: str = "", tags: Mapping[str, str] | None = None, **given: object) -> AssetSpec:
        configuration = account.catalog.configuration(assets.resource_type, assets.resource_subtype, given)
        return AssetSpec(token or new_token(), configuration, tags or {})

    return spec_of
