"""A role is assumed with the organization's external id or token, again before it ends, and by nobody else."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from shared.clouds.aws.client import AwsClient
from shared.clouds.capabilities import machines_of
from shared.clouds.errors import AuthFailed, CloudError, InvalidRequest, PermissionDenied
from shared.clouds.models import MachineSpec
from shared.clouds.registry import catalog_of, open_cloud
from shared.clouds.workload import external_id
from tests.shared.clouds.account_under_test import new_token
from tests.shared.clouds.identities import ISSUER, MINE, THEIRS, issuer, subject_of, token_files

pytestmark = pytest.mark.anyio

HOST = ISSUER.removeprefix("https://")


async def iam(aws, operation, **parameters):
    """One call of the customer's administrator, in the second account."""
    client = AwsClient(aws.credentials(1), aws.settings())
    try:
        return await client.call("iam", "us-east-1", operation, **parameters)
    finally:
        await client.close()


def statement(principal, action, condition):
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": {"StringEquals": condition}}


@pytest.fixture
async def role_arn(simulated_aws):
    """What the how-to page tells a customer to make: one role, for our account and for our tokens."""
    account = simulated_aws.accounts[1]["account_id"]
    ours = {"AWS": f"arn:aws:iam::{simulated_aws.accounts[0]['account_id']}:root"}
    federated = {"Federated": f"arn:aws:iam::{account}:oidc-provider/{HOST}"}
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            statement(ours, "sts:AssumeRole", {"sts:ExternalId": external_id(MINE)}),
            statement(federated, "sts:AssumeRoleWithWebIdentity",
                      {f"{HOST}:sub": subject_of(MINE), f"{HOST}:aud": "sts.amazonaws.com"}),
        ],
    }  # fmt: skip
    simulated_aws.believe(issuer())
    try:
        await iam(simulated_aws, "CreateOpenIDConnectProvider", Url=ISSUER, ClientIDList=["sts.amazonaws.com"],
                  ThumbprintList=["0" * 40])  # fmt: skip
    except CloudError as error:
        if "Exist" not in str(error):  # an earlier test of this process made it
            raise
    name = new_token().replace(":", "-")[:60]
    made = await iam(simulated_aws, "CreateRole", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    return made["Role"]["Arn"]


def base_key(aws):
    key = aws.credentials(0)
    return {
        "aws_base_access_key_id": key["access_key_id"],
        "aws_base_secret_access_key": key["secret_access_key"],
    }


def assumed(role_arn, organization=MINE, **more):
    return {"method": "assume_role", "role_arn": role_arn, "organization_id": organization, **more}


@pytest.mark.parametrize("own_key", [True, False], ids=["by the tenant's key", "by the deployment's key"])
async def test_a_role_is_assumed_with_the_organizations_external_id(simulated_aws, role_arn, own_key):
    more, settings = (dict(simulated_aws.credentials(0)), {}) if own_key else ({}, base_key(simulated_aws))
    cloud = open_cloud("aws", assumed(role_arn, **more), simulated_aws.settings(**settings))
    account = await cloud.authenticate()
    assert account.account_id == simulated_aws.accounts[1]["account_id"]
    assert f"canopy-{MINE}" in str(account.principal)
    assert [each.region_code for each in await cloud.regions(["us-east-1"])] == ["us-east-1"]
    await cloud.close()


async def test_another_organization_cannot_make_us_its_deputy(simulated_aws, role_arn):
    cloud = open_cloud("aws", assumed(role_arn, THEIRS), simulated_aws.settings(**base_key(simulated_aws)))
    with pytest.raises(AuthFailed, match="trust") as caught:
        await cloud.authenticate()
    assert external_id(THEIRS) not in str(caught.value)
    await cloud.close()
    with pytest.raises(InvalidRequest) as chosen:
        catalog_of("aws").credentials({"method": "assume_role", "role_arn": role_arn, "external_id": external_id(MINE)})
    assert {each.field for each in chosen.value.problems} == {"external_id", "organization_id"}


async def test_a_deployment_without_a_key_of_its_own_says_so(simulated_aws, role_arn):
    cloud = open_cloud("aws", assumed(role_arn), simulated_aws.settings())
    with pytest.raises(AuthFailed) as caught:
        await cloud.authenticate()
    assert caught.value.code == "no_base_credentials"
    await cloud.close()


async def test_a_session_is_renewed_before_it_ends_and_kept_while_sts_is_away(simulated_aws, role_arn):
    now = [datetime.now(UTC)]
    settings = simulated_aws.settings(cloud_call_attempts=1, **base_key(simulated_aws))
    client = AwsClient(catalog_of("aws").credentials(assumed(role_arn)), settings, now=lambda: now[0])

    def sessions() -> int:
        return sum(count for (_, action), count in simulated_aws.calls().items() if action == "AssumeRole")

    before = sessions()
    for region in ("us-east-1", "us-west-2"):
        await client.call("ec2", region, "DescribeVpcs")
    assert sessions() == before + 1
    now[0] += timedelta(minutes=56)
    simulated_aws.fault(match={"action": "AssumeRole"}, status=503, code="ServiceUnavailable")
    await client.call("ec2", "us-east-1", "DescribeVpcs")
    simulated_aws.clear_faults()
    await client.call("ec2", "us-east-1", "DescribeVpcs")
    await client.call("ec2", "us-east-1", "DescribeVpcs")
    assert sessions() > before + 2  # the simulated sessions end by the true clock, so that each call renews
    await client.close()


async def test_a_role_is_assumed_by_the_organizations_token(simulated_aws, role_arn, tmp_path):
    settings = simulated_aws.settings(workload_token_file=token_files(tmp_path, "sts.amazonaws.com"))
    chosen = {"method": "web_identity", "role_arn": role_arn}
    cloud = open_cloud("aws", {**chosen, "organization_id": MINE}, settings)
    assert (await cloud.authenticate()).account_id == simulated_aws.accounts[1]["account_id"]
    await cloud.close()
    stranger = open_cloud("aws", {**chosen, "organization_id": THEIRS}, settings)
    with pytest.raises(AuthFailed):
        await stranger.authenticate()
    await stranger.close()


async def test_a_role_for_reading_reads_and_is_refused_by_the_missing_permission(simulated_aws, role_arn):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}
    made = await iam(simulated_aws, "CreatePolicy", PolicyDocument=json.dumps(policy),
                     PolicyName=f"{role_arn.rpartition('/')[2]}ReadOnlyAccess")  # fmt: skip
    await iam(simulated_aws, "AttachRolePolicy", RoleName=role_arn.rpartition("/")[2],
              PolicyArn=made["Policy"]["Arn"])  # fmt: skip
    cloud = open_cloud("aws", assumed(role_arn), simulated_aws.settings(**base_key(simulated_aws)))
    assert await cloud.regions(["us-east-1"])
    with pytest.raises(PermissionDenied, match="ec2:RunInstances"):
        await machines_of(cloud).create("us-east-1", MachineSpec(token=new_token(), instance_type="t3.micro"))
    await cloud.close()
