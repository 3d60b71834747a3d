"""A service principal proves itself by a certificate or by the organization's token; the secret is one way of three."""

import pytest

from shared.clouds.errors import AuthFailed, InvalidRequest
from shared.clouds.models import Credentials
from shared.clouds.registry import catalog_of, open_cloud
from tests.shared.clouds.identities import (
    ISSUER,
    MINE,
    THEIRS,
    certificate,
    issuer,
    subject_of,
    token_files,
)

pytestmark = pytest.mark.anyio

AUDIENCE = "api://AzureADTokenExchange"


@pytest.fixture
def application(simulated_azure):
    """The names of the application, without its secret."""
    return {name: value for name, value in simulated_azure.credentials().items() if name != "client_secret"}


async def test_a_certificate_opens_the_subscription_that_trusts_it(simulated_azure, application):
    both, public = certificate()
    given = {"method": "client_certificate", "client_certificate": both, **application}
    cloud = open_cloud("azure", given, simulated_azure.settings())
    with pytest.raises(AuthFailed) as caught:
        await cloud.authenticate()
    assert "PRIVATE" not in str(caught.value)
    simulated_azure.trust(client_id=application["client_id"], certificate=public)
    assert (await cloud.authenticate()).account_id == application["subscription_id"]
    await cloud.close()


async def test_a_federated_credential_trusts_one_organizations_token(simulated_azure, application, tmp_path):
    settings = simulated_azure.settings(workload_token_file=token_files(tmp_path, AUDIENCE))
    simulated_azure.believe(issuer())
    simulated_azure.trust(
        client_id=application["client_id"], issuer=ISSUER, subject=subject_of(MINE), audience=AUDIENCE
    )
    given = {"method": "workload_identity", **application}
    cloud = open_cloud("azure", {**given, "organization_id": MINE}, settings)
    assert (await cloud.authenticate()).account_id == application["subscription_id"]
    assert await cloud.regions(["eastus"])
    await cloud.close()
    stranger = open_cloud("azure", {**given, "organization_id": THEIRS}, settings)
    with pytest.raises(AuthFailed):
        await stranger.authenticate()
    await stranger.close()


async def test_a_single_token_file_serves_only_the_organization_that_the_deployment_names(
    simulated_azure, application, tmp_path
):
    token_files(tmp_path, AUDIENCE)
    given = {"method": "workload_identity", **application}
    for named, code in ((THEIRS, "no_identity_token"), (None, "no_identity_token"), (MINE, "invalid_client")):
        settings = simulated_azure.settings(workload_token_file=str(tmp_path / MINE), workload_token_organization=named)
        wrong_client = {**given, "client_id": simulated_azure.credentials(1)["client_id"]}
        cloud = open_cloud("azure", {**wrong_client, "organization_id": MINE}, settings)
        with pytest.raises(AuthFailed) as caught:
            await cloud.authenticate()
        assert caught.value.code == code
        await cloud.close()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_certificate": "-----BEGIN CERTIFICATE-----"}, "client_certificate"),
        ({"client_certificate": certificate()[1]}, "client_certificate"),
        ({"method": "divination"}, "method"),
        ({"method": "workload_identity", "organization_id": "../../etc/passwd"}, "organization_id"),
        ({"client_secret": "both"}, "client_secret"),
    ],
)
def test_what_does_not_fit_the_method_is_refused_by_its_field(application, changes, field):
    given = {"method": "client_certificate", "client_certificate": certificate()[0], **application, **changes}
    with pytest.raises(InvalidRequest) as caught:
        catalog_of("azure").credentials(given)
    assert field in [each.field for each in caught.value.problems]
    assert "PRIVATE" not in str(caught.value)


def test_the_sdks_own_credential_is_given_the_same_assertion(simulated_azure, application):
    """Without an endpoint of the deployment's azure-identity asks Entra: it must take what we hand it."""
    from azure.identity.aio import ClientAssertionCredential

    from shared.clouds.azure.client import AzureClient
    from shared.clouds.settings import CloudSettings

    given = {"method": "client_certificate", "client_certificate": certificate()[0], **application}
    made = AzureClient(Credentials(catalog_of("azure").credentials(given)), CloudSettings())._make_credential()
    assert isinstance(made, ClientAssertionCredential)
