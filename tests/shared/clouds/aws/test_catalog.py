"""What AWS takes is checked before AWS is asked, field by field."""

import subprocess
import sys

import pytest

from shared.clouds.aws.catalog import AwsCatalog
from shared.clouds.errors import InvalidRequest, Unsupported
from shared.clouds.models import MachineSpec

EC2 = ("compute", "ec2_instance")
KEYS = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": "wJalrSECRET"}


def test_a_configuration_is_filled_with_defaults():
    assert AwsCatalog().configuration(*EC2, {}) == {
        "instance_type": "t3.micro",
        "image": None,
        "availability_zone": None,
        "subnet_id": None,
        "security_groups": [],
        "monitoring": "basic",
        "volume_size_gib": None,
        "capacity_type": "on_demand",
    }


def test_a_configuration_becomes_the_spec_of_a_machine():
    configuration = AwsCatalog().configuration(
        *EC2,
        {
            "instance_type": "m7i.large",
            "image": "ami-0123456789abcdef0",
            "availability_zone": "us-east-1b",
            "subnet_id": "subnet-01234567",
            "security_groups": ["sg-01234567"],
            "monitoring": "detailed",
            "volume_size_gib": 50,
        },
    )
    assert MachineSpec.from_configuration(configuration, token="t", tags={"Name": "web"}) == MachineSpec(
        token="t",
        instance_type="m7i.large",
        tags={"Name": "web"},
        image="ami-0123456789abcdef0",
        zone="us-east-1b",
        subnet_id="subnet-01234567",
        security_groups=("sg-01234567",),
        detailed_monitoring=True,
        root_volume_gib=50,
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("instance_type", "huge"),
        ("instance_type", 3),
        ("instance_type", None),
        ("instance_type", "t3.micro\x00"),
        ("image", "ami-nothex"),
        ("image", ""),
        ("subnet_id", "subnet-1; drop"),
        ("security_groups", "sg-01234567"),
        ("security_groups.0", ["web"]),
        ("security_groups", [f"sg-0123456{number}" for number in range(10)] * 2),
        ("monitoring", "loud"),
        ("volume_size_gib", 0),
        ("volume_size_gib", 16385),
        ("volume_size_gib", "8"),
        ("volume_size_gib", True),
        ("availability_zone", "moon"),
    ],
)
def test_a_wrong_field_is_named(field, value):
    with pytest.raises(InvalidRequest) as caught:
        AwsCatalog().configuration(*EC2, {field.split(".")[0]: value})
    assert caught.value.field == field
    assert field in caught.value.message


def test_all_wrong_fields_are_named_at_once():
    with pytest.raises(InvalidRequest) as caught:
        AwsCatalog().configuration(*EC2, {"instance_type": "huge", "monitoring": "loud"})
    assert [each.field for each in caught.value.problems] == ["instance_type", "monitoring"]


def test_an_unsupported_type_names_what_is_supported():
    with pytest.raises(Unsupported) as caught:
        AwsCatalog().configuration("queue", "sqs", {})
    assert caught.value.message == "Unsupported resource type: queue"
    assert caught.value.problems[0].field == "resource_type"
    assert "compute" in caught.value.problems[0].detail
    with pytest.raises(Unsupported) as caught:
        AwsCatalog().configuration("compute", "lambda", {})
    assert caught.value.problems[0].field == "resource_subtype"
    assert "ec2_instance" in caught.value.problems[0].detail


RECORD = {"name": "www.example.com", "type": "A", "values": ["192.0.2.1"]}


@pytest.mark.parametrize(
    ("kind", "configuration", "field"),
    [
        (("storage", "s3_bucket"), {"name": "Upper"}, "name"),
        (("network", "vpc"), {"cidr_block": "10.0.0.1/16"}, "cidr_block"),
        (("network", "vpc"), {"cidr_block": "10.0.0.0/8"}, "cidr_block"),
        (("network", "vpc"), {"cidr_block": "10.0.0.0/28"}, "zones"),
        (("database", "rds_instance"), {"engine": "oracle"}, "engine"),
        (("database", "rds_instance"), {"master_password": "secret"}, "master_password"),
        (("load_balancer", "load_balancer"), {"targets": ["web-1"]}, "targets.0"),
        (("dns", "route53_zone"), {}, "name"),
        (("dns", "route53_zone"), {"name": "example.com", "records": [RECORD, RECORD]}, "records"),
        (("dns", "route53_zone"), {"name": "example.org", "records": [RECORD]}, "records"),
        (("dns", "route53_zone"), {"name": "example.com", "network_id": "vpc-0123456789abcdef0"}, "network_region"),
        (("cdn", "cloudfront_distribution"), {}, "origin"),
        (("cdn", "cloudfront_distribution"), {"bucket": "b-1", "origin": "a.example.com"}, "origin"),
        (("cdn", "cloudfront_distribution"), {"bucket": "b-1", "domains": ["example.com"]}, "certificate"),
    ],
)
def test_what_an_asset_cannot_be_is_named_by_its_field(kind, configuration, field):
    with pytest.raises(InvalidRequest) as caught:
        AwsCatalog().configuration(*kind, configuration)
    assert caught.value.field == field


def test_little_has_to_be_said_of_an_asset():
    said = {"dns": {"name": "example.com"}, "cdn": {"bucket": "photos"}}
    for offer in AwsCatalog().offers():
        whole = AwsCatalog().configuration(
            offer.resource_type, offer.resource_subtype, said.get(offer.resource_type, {})
        )
        assert AwsCatalog().configuration(offer.resource_type, offer.resource_subtype, whole) == whole


def test_an_offer_has_a_schema_that_names_the_default():
    offer = next(each for each in AwsCatalog().offers() if each.resource_type == "compute")
    assert (offer.resource_type, offer.resource_subtype) == EC2
    assert offer.configuration_schema["properties"]["instance_type"]["default"] == "t3.micro"
    assert offer.configuration_schema["additionalProperties"] is False


def test_credentials_are_taken_without_printing_themselves():
    credentials = AwsCatalog().credentials({**KEYS, "default_region": "eu-west-1"})
    assert dict(credentials) == {**KEYS, "default_region": "eu-west-1"}
    assert "wJalrSECRET" not in repr(credentials)
    assert "default_region" not in AwsCatalog().credentials(KEYS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("access_key_id", None),
        ("access_key_id", "AKIA with spaces"),
        ("access_key_id", ""),
        ("secret_access_key", ""),
        ("secret_access_key", 12),
        ("secret_access_key", "x" * 257),
        ("default_region", "atlantis"),
        ("session_token", "x"),
    ],
)
def test_wrong_credentials_are_named_and_not_shown(field, value):
    with pytest.raises(InvalidRequest) as caught:
        AwsCatalog().credentials({**KEYS, field: value})
    assert caught.value.field == field
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    shown = repr(caught.value) + str(caught.value) + repr(caught.value.problems)
    for secret in (*KEYS.values(), "AKIA with spaces", "x" * 257):
        assert secret not in shown


def test_a_catalogue_needs_no_sdk():
    code = (
        "import sys; from shared.clouds.registry import catalog_of; catalog_of('aws').offers();"
        "assert not {'boto3', 'botocore'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
