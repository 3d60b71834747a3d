"""What Google Cloud takes is said and checked before it is asked, and its SDK is not needed for that."""

import json
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.clouds.errors import InvalidRequest
from shared.clouds.models import MachineSpec
from shared.clouds.registry import catalog_of, open_cloud
from shared.clouds.settings import CloudSettings

CATALOG = catalog_of("gcp")


@pytest.fixture(scope="module")
def key(wrong_key):
    return json.loads(wrong_key)


def test_a_key_comes_as_an_object_or_as_text_and_becomes_the_same(key):
    as_object = CATALOG.credentials({"project_id": "photos-1", "service_account_key": key})
    as_text = CATALOG.credentials({"project_id": "photos-1", "service_account_key": json.dumps(key, indent=2)})
    assert as_object == as_text
    assert CATALOG.credentials(dict(as_text)) == as_text
    assert set(as_object) == {"project_id", "service_account_key"}


def test_the_schema_takes_both_forms_of_a_key(key):
    from jsonschema import Draft202012Validator

    schema = Draft202012Validator(CATALOG.credentials_schema)
    for form in (key, json.dumps(key)):
        schema.validate({"project_id": "photos-1", "service_account_key": form})
    assert not schema.is_valid({"project_id": "photos-1", "service_account_key": 7})


def test_no_address_of_a_key_is_kept(key):
    planted = {**key, **dict.fromkeys(("token_uri", "auth_uri", "universe_domain"), "https://evil.example/token")}
    kept = CATALOG.credentials({"project_id": "photos-1", "service_account_key": planted})["service_account_key"]
    assert set(json.loads(kept)) == {"type", "client_email", "private_key", "private_key_id"}
    assert "evil" not in kept


def elliptic() -> str:
    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service_account_key": "not JSON"}, "service_account_key"),
        ({"service_account_key": "[1]"}, "service_account_key"),
        ({"service_account_key": 7}, "service_account_key"),
        ({"project_id": "Photos"}, "project_id"),
        ({"project_id": "p"}, "project_id"),
        ({"token_uri": "https://evil.example"}, "token_uri"),
        ({"endpoint_url": "https://evil.example"}, "endpoint_url"),
    ],
)
def test_a_wrong_field_is_named(key, changes, field):
    with pytest.raises(InvalidRequest) as caught:
        CATALOG.credentials({"project_id": "photos-1", "service_account_key": key, **changes})
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "authorized_user"}, "type"),
        ({"client_email": "nobody"}, "client_email"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----"}, "private_key"),
        ({"private_key": elliptic()}, "private_key"),
        ({"private_key_id": ""}, "private_key_id"),
    ],
)
def test_a_wrong_part_of_a_key_is_named_and_never_shown(key, changes, field):
    with pytest.raises(InvalidRequest) as caught:
        CATALOG.credentials({"project_id": "photos-1", "service_account_key": {**key, **changes}})
    assert caught.value.field == f"service_account_key.{field}"
    shown = f"{caught.value} {caught.value!r} {caught.value.problems}"
    assert "SECRET" not in shown
    assert key["private_key"][40:80] not in shown
    assert caught.value.__context__ is None


def test_credentials_never_print_the_key(key):
    credentials = CATALOG.credentials({"project_id": "photos-1", "service_account_key": key})
    assert "PRIVATE" not in f"{credentials} {credentials!r}"


def test_the_default_machine_is_a_small_one_with_the_newest_debian():
    [offer] = [each for each in CATALOG.offers() if each.resource_type == "compute"]
    assert offer.resource_subtype == "gce_instance"
    spec = MachineSpec.from_configuration(CATALOG.configuration("compute", "gce_instance", {}), token="t", tags={})
    assert (spec.instance_type, spec.image, spec.zone, spec.subnet_id, spec.security_groups) == (
        "e2-micro", None, None, None, ()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("configuration", "field"),
    [
        ({"instance_type": "t3.micro"}, "instance_type"),
        ({"image": "ami-12345678"}, "image"),
        ({"availability_zone": "us-east-1a"}, "availability_zone"),
        ({"subnet_id": "subnet-1"}, "subnet_id"),
        ({"security_groups": ["ok", "Not OK"]}, "security_groups.1"),
        ({"volume_size_gib": 5}, "volume_size_gib"),
    ],
)
def test_a_wrong_configuration_is_named(configuration, field):
    with pytest.raises(InvalidRequest) as caught:
        CATALOG.configuration("compute", "gce_instance", configuration)
    assert caught.value.field == field


def test_neither_the_catalogue_nor_an_account_that_is_read_has_imported_the_sdk(key):
    """It takes seconds and 95 MB: only whoever changes something at Google pays them."""
    program = (
        "import asyncio, json, sys\n"
        "from shared.clouds.errors import Unreachable\n"
        "from shared.clouds.registry import catalog_of, open_cloud\n"
        "from shared.clouds.settings import CloudSettings\n"
        "catalog_of('gcp').offers()\n"
        "assert not [name for name in sys.modules if name.startswith('google')]\n"
        "nowhere = CloudSettings(gcp_endpoint_url='http://127.0.0.1:9', cloud_call_attempts=1)\n"
        "cloud = open_cloud('gcp', json.load(sys.stdin), nowhere)\n"
        "async def ask():\n"
        "    for kind in (cloud.machines, cloud.volumes, cloud.snapshots, cloud.private_networks):\n"
        "        try:\n"
        "            await anext(kind.pages('us-east1'))\n"
        "        except Unreachable:\n"
        "            continue\n"
        "        raise AssertionError(kind)\n"
        "asyncio.run(ask())\n"
        "assert 'google.cloud.compute_v1' not in sys.modules\n"
    )
    given = json.dumps({"project_id": "photos-1", "service_account_key": key})
    done = subprocess.run([sys.executable, "-c", program], input=given, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_endpoint_is_the_deployments(monkeypatch, key):
    monkeypatch.setenv("CANOPY_GCP_ENDPOINT_URL", "http://127.0.0.1:1234")
    settings = CloudSettings()
    cloud = open_cloud("gcp", {"project_id": "photos-1", "service_account_key": key}, settings)
    assert cloud._client._identity._token_url == "http://127.0.0.1:1234/token"
    own = open_cloud(
        "gcp", {"project_id": "photos-1", "service_account_key": key}, CloudSettings(gcp_endpoint_url=None)
    )
    assert own._client._identity._token_url == "https://oauth2.googleapis.com/token"
