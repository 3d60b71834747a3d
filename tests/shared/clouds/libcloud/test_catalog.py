"""What DigitalOcean, Linode and Vultr take is checked before they are asked, field by field."""

import subprocess
import sys

import pytest

from shared.clouds.errors import InvalidRequest, Unsupported
from shared.clouds.models import MachineSpec
from shared.clouds.registry import catalog_of

KINDS = {"digitalocean": "droplet", "linode": "linode", "vultr": "vultr_instance"}


@pytest.fixture(params=KINDS)
def catalog(request):
    return catalog_of(request.param)


@pytest.mark.parametrize(
    ("provider", "given", "wanted"),
    [
        (
            "digitalocean",
            {
                "instance_type": "g-2vcpu-8gb", "image": "debian-12-x64", "monitoring": "detailed",
                "subnet_id": "5a4981aa-9653-4bd1-bef5-d6bff52042e4",
            },
            {
                "instance_type": "g-2vcpu-8gb", "image": "debian-12-x64", "detailed_monitoring": True,
                "subnet_id": "5a4981aa-9653-4bd1-bef5-d6bff52042e4",
            },
        ),
        ("digitalocean", {"image": "195932981"}, {"instance_type": "s-1vcpu-1gb", "image": "195932981"}),
        (
            "linode",
            {"instance_type": "g6-standard-2", "image": "private/123"},
            {"instance_type": "g6-standard-2", "image": "private/123"},
        ),
        ("linode", {}, {"instance_type": "g6-nanode-1"}),
        (
            "vultr",
            {"image": "2284", "security_groups": ["group"]},
            {"instance_type": "vc2-1c-1gb", "image": "2284", "security_groups": ("group",)},
        ),
    ],
)  # fmt: skip
def test_a_configuration_becomes_the_spec_of_a_machine(provider, given, wanted):
    configuration = catalog_of(provider).configuration("compute", KINDS[provider], given)
    spec = MachineSpec.from_configuration(configuration, token="t", tags={"Name": "web"})
    assert spec == MachineSpec(token="t", tags={"Name": "web"}, **wanted)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instance_type", ""),
        ("instance_type", 3),
        ("instance_type", None),
        ("instance_type", "vc2-1c-1gb\x00"),
        ("instance_type", "../account"),
        ("image", "with space"),
        ("image", "../x"),
        ("image", 5),
        ("image", ""),
    ],
)
def test_a_wrong_value_is_refused_by_its_field(catalog, field, value):
    with pytest.raises(InvalidRequest) as caught:
        catalog.configuration("compute", KINDS[catalog.provider_name], {field: value})
    assert caught.value.field == field


def test_what_a_cloud_does_not_have_is_no_field(catalog):
    for field in ("volume_size_gib", "availability_zone"):
        with pytest.raises(InvalidRequest) as caught:
            catalog.configuration("compute", KINDS[catalog.provider_name], {field: "x"})
        assert caught.value.field == field


def test_an_offer_has_the_schema_that_its_configuration_is_checked_with(catalog):
    [offer] = [each for each in catalog.offers() if each.resource_type == "compute"]
    assert (offer.resource_type, offer.resource_subtype) == ("compute", KINDS[catalog.provider_name])
    assert offer.configuration_schema["additionalProperties"] is False
    assert catalog.configuration(offer.resource_type, offer.resource_subtype, {}).keys() == set(
        offer.configuration_schema["properties"]
    )
    with pytest.raises(Unsupported, match="Unsupported resource type: ec2_instance"):
        catalog.configuration("compute", "ec2_instance", {})


def test_the_credential_is_one_token(catalog):
    assert catalog.credentials_schema["required"] == ["token"]
    assert dict(catalog.credentials({"token": "dop_v1_0123"})) == {"token": "dop_v1_0123"}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "token"),
        ({"token": ""}, "token"),
        ({"token": 5}, "token"),
        ({"token": "secret\r\nX-Header: 1"}, "token"),
        ({"token": "secret word"}, "token"),
        ({"token": "secretü"}, "token"),
        ({"token": "secret" * 100}, "token"),
        ({"token": "secret", "endpoint_url": "http://127.0.0.1"}, "endpoint_url"),
    ],
)
def test_a_wrong_credential_is_refused_by_its_field_and_never_shown(catalog, given, field):
    with pytest.raises(InvalidRequest) as caught:
        catalog.credentials(given)
    assert caught.value.field == field
    assert "secret" not in f"{caught.value} {caught.value!r} {caught.value.problems}"
    assert caught.value.__context__ is None


def test_a_catalog_imports_no_sdk():
    """SDKs cost seconds and memory; a service that only validates must not pay for them."""
    program = (
        "import sys\nfrom shared.clouds.registry import catalog_of\n"
        f"for name in {list(KINDS)!r}: catalog_of(name).offers()\n"
        "assert 'libcloud' not in sys.modules and 'requests' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
