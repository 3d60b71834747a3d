"""A project is opened by the organization's token or key, and either may have to become a service account first."""

import json

import pytest

from shared.clouds.capabilities import machines_of
from shared.clouds.errors import AuthFailed, PermissionDenied
from shared.clouds.models import MachineSpec
from shared.clouds.registry import catalog_of, open_cloud
from tests.fixtures.clouds import SimulatedCloud
from tests.shared.clouds.account_under_test import new_token
from tests.shared.clouds.identities import ISSUER, MINE, THEIRS, issuer, subject_of, token_files

pytestmark = pytest.mark.anyio

PROJECT = "test-project"
AUDIENCE = "//iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/canopy/providers/canopy-ours"


@pytest.fixture
def gcp(simulated_world: dict[str, SimulatedCloud]) -> SimulatedCloud:
    simulated_world["gcp"].clear_faults()
    return simulated_world["gcp"]


def email(gcp: SimulatedCloud, account: int) -> str:
    return str(json.loads(gcp.credentials(account)["service_account_key"])["client_email"])


def workload(organization: str, **more: str) -> dict[str, str]:
    given = {"method": "workload_identity", "project_id": PROJECT, "audience": AUDIENCE}
    return {**given, "organization_id": organization, **more}


@pytest.fixture
def trusting(gcp: SimulatedCloud, tmp_path):
    """A pool that trusts one organization's token as the reader, who may become the account that does everything."""
    gcp.believe(issuer())
    gcp.trust(audience=AUDIENCE, issuer=ISSUER, subject=subject_of(MINE), client_email=email(gcp, 2))
    gcp.trust(client_email=email(gcp, 2), may_become=[email(gcp, 0)])
    return gcp.settings(workload_token_file=token_files(tmp_path, f"https:{AUDIENCE}"))


async def test_a_pool_trusts_one_organizations_token(trusting):
    cloud = open_cloud("gcp", workload(MINE), trusting)
    assert (await cloud.authenticate()).account_id == PROJECT
    assert await cloud.regions(["us-central1"])
    spec = MachineSpec(token=new_token(), instance_type="e2-micro")
    with pytest.raises(PermissionDenied, match=r"compute\.instances\.create"):
        await machines_of(cloud).create("us-central1", spec)
    await cloud.close()
    stranger = open_cloud("gcp", workload(THEIRS), trusting)
    with pytest.raises(AuthFailed):
        await stranger.authenticate()
    await stranger.close()


async def test_whoever_the_pool_lets_in_becomes_the_service_account(gcp, trusting):
    cloud = open_cloud("gcp", workload(MINE, impersonated_service_account=email(gcp, 0)), trusting)
    account = await cloud.authenticate()
    assert (account.account_id, account.principal) == (PROJECT, email(gcp, 0))
    made = await machines_of(cloud).create("us-central1", MachineSpec(token=new_token(), instance_type="e2-micro"))
    assert made.id
    await cloud.close()


async def test_a_key_becomes_only_the_account_that_it_may(gcp, trusting):
    key = dict(gcp.credentials(2))
    allowed = open_cloud("gcp", {**key, "impersonated_service_account": email(gcp, 0)}, trusting)
    assert (await allowed.authenticate()).principal == email(gcp, 0)
    await allowed.close()
    refused = open_cloud("gcp", {**key, "impersonated_service_account": email(gcp, 1)}, trusting)
    with pytest.raises(PermissionDenied, match="getAccessToken") as caught:
        await refused.authenticate()
    assert "PRIVATE" not in str(caught.value)
    await refused.close()


def test_the_schema_offers_each_way_and_never_our_mark():
    from jsonschema import Draft202012Validator

    for name in ("aws", "azure", "gcp"):
        schema = catalog_of(name).credentials_schema
        Draft202012Validator.check_schema(schema)
        assert all("organization_id" not in each["properties"] for each in schema["oneOf"])
    aws = Draft202012Validator(catalog_of("aws").credentials_schema)
    arn = "arn:aws:iam::123456789012:role/canopy"
    assert aws.is_valid({"method": "assume_role", "role_arn": arn})
    assert not aws.is_valid({"role_arn": arn})
