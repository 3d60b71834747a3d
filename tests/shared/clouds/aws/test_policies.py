"""Do the policies that operators are told to use name every action that the code calls?"""

import ast
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from shared.clouds.aws import client as sessions
from shared.clouds.aws.sdk_models import OPERATIONS

ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs/how-to/add-an-account.md"
# The SDK's names of services and IAM's (Service Authorization Reference)
SERVICES = {
    "cloudfront": "cloudfront",
    "cloudwatch": "cloudwatch",
    "ec2": "ec2",
    "elbv2": "elasticloadbalancing",
    "rds": "rds",
    "route53": "route53",
    "s3": "s3",
    "service-quotas": "servicequotas",
}
OTHERWISE = {
    "cloudfront:CreateDistributionWithTags": "cloudfront:CreateDistribution",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
}
"""Calls whose rights have another name."""
BESIDE = {"sts:GetCallerIdentity", "s3:TagResource", "kms:DescribeKey", "secretsmanager:CreateSecret",
          "secretsmanager:TagResource"}  # fmt: skip
"""What AWS wants the caller to have for calls of other names: tags at creation, passwords that RDS keeps."""
SDKS_OWN = {("s3", "HeadBucket")}
"""What botocore asks by itself."""


def actions_of(policy: str) -> list[str]:
    found = re.search(rf"<!-- policy: aws {policy} -->\n```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    return [action for each in json.loads(found[1])["Statement"] for action in each["Action"]]


@pytest.fixture(scope="module")
def operations() -> set[tuple[str, str]]:
    """Every operation of a service whose name stands in the code beside its service's."""
    session = botocore.session.get_session()
    found = set()
    for file in (ROOT / "shared/clouds/aws").glob("*.py"):
        if file.name in {"limits.py", "sdk_models.py"}:  # what AWS publishes of all, what is read of the SDK's models
            continue
        names = {
            node.value
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        found |= {
            (service, name)
            for service in SERVICES
            if service in names
            for name in names & set(session.get_service_model(service).operation_names)
        }
    return found


@pytest.fixture(scope="module")
def called(operations) -> set[str]:
    """Their rights."""
    return {OTHERWISE.get(each, each) for each in (f"{SERVICES[service]}:{name}" for service, name in operations)}


def test_the_sdk_has_a_method_for_every_operation_that_is_called_and_for_no_other(operations):
    read = {(service, name) for service in SERVICES for name in OPERATIONS[service]}
    assert read == operations | SDKS_OWN
    session = sessions._session()
    for service, names in OPERATIONS.items():
        client = session.client(service, "us-east-1", aws_access_key_id="nobody", aws_secret_access_key="nobody")
        assert set(client.meta.service_model.operation_names) == names
        assert all(hasattr(client, xform_name(each)) for each in names)


def test_the_policy_to_work_allows_every_action_that_is_called(called):
    allowed = actions_of("work")
    assert [each for each in sorted(called) if not any(fnmatchcase(each, one) for one in allowed)] == []


def test_the_policy_to_read_allows_every_reading_action_and_no_other(called):
    allowed = actions_of("read")
    assert all(re.search(r":(Describe|Get|List)", each) for each in allowed)
    reading = [each for each in sorted(called) if re.search(r":(Describe|Get|List)", each)]
    assert [each for each in reading if not any(fnmatchcase(each, one) for one in allowed)] == []


def test_no_policy_allows_what_nobody_calls(called):
    unused = [each for each in actions_of("work") if "*" not in each and each not in called]
    assert set(unused) <= BESIDE
