"""What Azure takes is checked before Azure is asked, field by field."""

import subprocess
import sys

import pytest

from shared.clouds.azure.catalog import AzureCatalog
from shared.clouds.errors import InvalidRequest, Unsupported
from shared.clouds.models import MachineSpec

MACHINE = ("compute", "virtual_machine")
KEYS = {
    "tenant_id": "72f988bf-86f1-41af-91ab-2d7cd011db47",
    "client_id": "0d4b4f0e-client",
    "client_secret": "s3cret~value",
    "subscription_id": "6f1d2c3b-4a59-4e68-8776-95a4b3c2d1e0",
}
GROUP = "/subscriptions/6f1d2c3b-4a59/resourceGroups/My-Group_(1)/providers"
WALL = f"{GROUP}/Microsoft.Network/networkSecurityGroups/wall"


def test_a_configuration_is_filled_with_defaults():
    assert AzureCatalog().configuration(*MACHINE, {}) == {
        "instance_type": "Standard_B1s",
        "image": None,
        "availability_zone": None,
        "subnet_id": None,
        "security_groups": [],
        "monitoring": "basic",
        "volume_size_gib": None,
        "capacity_type": "on_demand",
    }


@pytest.mark.parametrize(
    "image",
    [
        "Canonical:ubuntu-24_04-lts:server:latest",
        f"{GROUP}/Microsoft.Compute/images/canopy-1",
        f"{GROUP}/Microsoft.Compute/galleries/ours/images/web/versions/1.0.0",
    ],
)
def test_a_configuration_becomes_the_spec_of_a_machine(image):
    subnet = f"{GROUP}/Microsoft.Network/virtualNetworks/hall/subnets/first"
    configuration = AzureCatalog().configuration(
        *MACHINE,
        {
            "instance_type": "Standard_D2s_v5",
            "image": image,
            "availability_zone": "2",
            "subnet_id": subnet,
            "security_groups": [WALL],
            "volume_size_gib": 64,
        },
    )
    assert MachineSpec.from_configuration(configuration, token="t", tags={"Name": "web"}) == MachineSpec(
        token="t",
        instance_type="Standard_D2s_v5",
        tags={"Name": "web"},
        image=image,
        zone="2",
        subnet_id=subnet,
        security_groups=(WALL,),
        root_volume_gib=64,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instance_type", "huge"),
        ("instance_type", 3),
        ("instance_type", None),
        ("instance_type", "Standard_B1s\x00"),
        ("image", "ubuntu"),
        ("image", ""),
        ("image", "a:b:c:d:e"),
        ("image", f"{GROUP}/Microsoft.Compute/images/../x?y"),
        ("subnet_id", "subnet-1; drop"),
        ("security_groups", WALL),
        ("security_groups.0", ["web"]),
        ("security_groups", [WALL, WALL]),
        ("monitoring", "detailed"),
        ("volume_size_gib", 29),
        ("volume_size_gib", 4096),
        ("volume_size_gib", "64"),
        ("volume_size_gib", True),
        ("availability_zone", "The Moon"),
    ],
)
def test_a_wrong_field_is_named(field, value):
    with pytest.raises(InvalidRequest) as caught:
        AzureCatalog().configuration(*MACHINE, {field.split(".")[0]: value})
    assert caught.value.field == field
    assert field in caught.value.message


def test_an_unsupported_type_names_what_is_supported():
    with pytest.raises(Unsupported) as caught:
        AzureCatalog().configuration("compute", "ec2_instance", {})
    assert caught.value.message == "Unsupported resource type: ec2_instance"
    assert "virtual_machine" in caught.value.problems[0].detail


def test_credentials_are_taken_without_printing_themselves():
    credentials = AzureCatalog().credentials(KEYS)
    assert dict(credentials) == KEYS
    assert "s3cret" not in repr(credentials)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant_id", None),
        ("tenant_id", "../common"),
        ("tenant_id", ""),
        ("client_id", "two words"),
        ("client_secret", ""),
        ("client_secret", 12),
        ("client_secret", "x" * 257),
        ("subscription_id", "a/b"),
        ("endpoint_url", "http://127.0.0.1:1"),
        ("authority", "http://127.0.0.1:1"),
    ],
)
def test_wrong_credentials_are_named_and_not_shown(field, value):
    with pytest.raises(InvalidRequest) as caught:
        AzureCatalog().credentials({**KEYS, field: value})
    assert caught.value.field == field
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    shown = repr(caught.value) + str(caught.value) + repr(caught.value.problems)
    for secret in (*KEYS.values(), "two words", "x" * 257):
        assert secret not in shown


def test_a_catalogue_needs_no_sdk():
    code = (
        "import sys; from shared.clouds.registry import catalog_of; catalog_of('azure').offers();"
        "assert not any(name == 'azure' or name.startswith('azure.') for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
