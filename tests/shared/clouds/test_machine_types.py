"""The sizes of all six clouds: what can be had is known, what is known can be had, and a family can be scaled."""

from collections.abc import Callable, Collection, Mapping

import pytest

from deploy.local.clouds.azure.areas import SIZES
from deploy.local.clouds.digitalocean import offers as droplets
from deploy.local.clouds.gcp.places import MACHINE_TYPES
from deploy.local.clouds.linode import offers as linodes
from deploy.local.clouds.vultr import offers as instances
from services.provisioner.domain.scaling import SCALE_DOWN, SCALE_UP, check_type, next_type
from shared.clouds.registry import catalog_of, list_prices_of, machine_types_of, provider_names
from shared.kit.errors import Conflict
from tests.fixtures.lazily import Lazily

moto_types = Lazily("moto.ec2.models.instance_types")

ACCEPTED: Mapping[str, Callable[[], Collection[str]]] = {
    "aws": lambda: moto_types.INSTANCE_TYPES,
    "azure": lambda: SIZES,
    "digitalocean": lambda: {each["slug"] for each in droplets.sizes()},
    "gcp": lambda: MACHINE_TYPES,
    "linode": lambda: {each["id"] for each in linodes.types()},
    "vultr": lambda: {each["id"] for each in instances.plans()},
}

# Macs are had by the day on a host of one's own, and boot nothing but macOS; the others, moto's newer list no longer has.
ONLY_KNOWN = {
    "aws": {
        "dl1.24xlarge", "f1.2xlarge", "f1.4xlarge", "f1.16xlarge", "g4ad.xlarge", "g4ad.2xlarge", "g4ad.4xlarge",
        "g4ad.8xlarge", "g4ad.16xlarge", "p3.2xlarge", "p3.8xlarge", "p3.16xlarge",
    }
}  # fmt: skip

# Copied from the lists that machine_types.md names: family, vCPU, GiB, architecture, bare metal, GiB of its own disk.
GOLDEN = [
    ("azure", "Standard_B1s", ("Standard_Bs", 1, 1.0, "x86_64", False, None)),
    ("azure", "Standard_D4ps_v5", ("Standard_Dps_v5", 4, 16.0, "arm64", False, None)),
    ("azure", "Standard_E8-2s_v5", ("Standard_E-s_v5", 2, 64.0, "x86_64", False, None)),
    ("gcp", "e2-micro", ("e2", 2, 1.0, "x86_64", False, None)),
    ("gcp", "n2-standard-4", ("n2-standard", 4, 16.0, "x86_64", False, None)),
    ("gcp", "t2a-standard-1", ("t2a-standard", 1, 4.0, "arm64", False, None)),
    ("gcp", "c3-standard-192-metal", ("c3-standard-metal", 192, 768.0, "x86_64", True, None)),
    ("digitalocean", "s-1vcpu-512mb-10gb", ("s", 1, 0.5, "x86_64", False, 10)),
    ("digitalocean", "s-2vcpu-4gb-120gb-intel", ("s-disk-intel", 2, 4.0, "x86_64", False, 120)),
    ("digitalocean", "c-8-intel", ("c-intel", 8, 16.0, "x86_64", False, 100)),
    ("linode", "g6-nanode-1", ("g6-standard", 1, 1.0, "x86_64", False, 25)),
    ("linode", "g7-highmem-2", ("g7-highmem", 2, 48.0, "x86_64", False, 40)),
    ("vultr", "vc2-1c-1gb", ("vc2", 1, 1.0, "x86_64", False, 25)),
    ("vultr", "voc-c-2c-4gb-75s-amd", ("voc-c-amd", 2, 4.0, "x86_64", False, 75)),
]

NEXT = [
    ("aws", "t3.micro", "t3.small"),
    ("azure", "Standard_D2s_v5", "Standard_D4s_v5"),
    ("gcp", "e2-micro", "e2-small"),
    ("gcp", "n2-standard-2", "n2-standard-4"),
    ("digitalocean", "s-1vcpu-1gb", "s-1vcpu-2gb"),
    ("linode", "g6-nanode-1", "g6-standard-1"),
    ("vultr", "vc2-1c-1gb", "vc2-1c-2gb"),
]


@pytest.mark.parametrize("provider_name", provider_names())
def test_what_can_be_had_is_known_and_what_is_known_can_be_had(provider_name: str) -> None:
    known, accepted = set(machine_types_of(provider_name)), set(ACCEPTED[provider_name]())
    macs = {name for name in accepted if provider_name == "aws" and name.startswith("mac")}
    assert accepted - known == macs
    assert known - accepted == ONLY_KNOWN.get(provider_name, set())


@pytest.mark.parametrize("provider_name", provider_names())
def test_every_size_is_whole_and_its_name_is_one_that_the_catalog_takes(provider_name: str) -> None:
    catalog = catalog_of(provider_name)
    subtype = catalog.offers()[0].resource_subtype
    types = machine_types_of(provider_name)
    for each in types.values():
        assert catalog.configuration("compute", subtype, {"instance_type": each.name})["instance_type"] == each.name
        assert each.vcpu >= 1, each
        assert each.memory_gib > 0, each
        assert each.architecture in {"x86_64", "arm64"}, each
        assert each.family, each
    assert len({(each.family, each.architecture) for each in types.values()}) == len(
        {each.family for each in types.values()}
    )


@pytest.mark.parametrize(("provider_name", "name", "facts"), GOLDEN)
def test_published_sizes_are_in_the_files(provider_name: str, name: str, facts: tuple[object, ...]) -> None:
    found = machine_types_of(provider_name)[name]
    assert facts == (
        found.family, found.vcpu, found.memory_gib, found.architecture, found.bare_metal, found.disk_gib
    )  # fmt: skip


@pytest.mark.parametrize(("provider_name", "smaller", "larger"), NEXT)
def test_the_next_size_of_a_family_is_found_and_the_way_back(provider_name: str, smaller: str, larger: str) -> None:
    types = machine_types_of(provider_name)
    assert next_type(types, smaller, SCALE_UP) == larger
    assert next_type(types, larger, SCALE_DOWN) == smaller


@pytest.mark.parametrize("provider_name", provider_names())
def test_a_larger_size_that_is_chosen_is_one_that_may_be_asked_for(provider_name: str) -> None:
    types = machine_types_of(provider_name)
    for name in types:
        for action in (SCALE_UP, SCALE_DOWN):
            try:
                chosen = next_type(types, name, action)
            except Conflict:
                continue
            check_type(types, name, chosen, action)
            assert types[chosen].family == types[name].family


def test_sizes_without_a_price_are_known_all_the_same() -> None:
    priced = {item for region in list_prices_of("gcp").regions() for item in list_prices_of("gcp").of_region(region)}
    assert len(set(machine_types_of("gcp")) - priced) > 0
