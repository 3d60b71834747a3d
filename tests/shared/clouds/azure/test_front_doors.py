"""What is Azure's own about a CDN: parts made and removed whole, private blobs read by an identity, others' profiles."""

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetLink, AssetSpec, AssetState
from shared.clouds.azure import names
from shared.clouds.azure.catalog import AzureCatalog
from shared.clouds.azure.front_door_facts import domain_name
from shared.clouds.azure.origin_access import AzureOriginAccess, assignment_id
from shared.clouds.errors import (
    Conflict,
    IncorrectState,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ProviderFault,
    StillWorking,
)
from tests.shared.clouds.account_under_test import new_token
from tests.shared.clouds.azure.front_door_schemas import problems

pytestmark = pytest.mark.anyio

KIND = ("cdn", "front_door")
REGION = "koreacentral"  # no other test makes anything here
VERSION = "2026-10-01"
MODELS = {
    "profiles.create": "Profile",
    "afd_endpoints.create": "AFDEndpoint",
    "afd_endpoints.update": "AFDEndpointUpdateParameters",
    "afd_origin_groups.create": "AFDOriginGroup",
    "afd_origins.create": "AFDOrigin",
    "rule_sets.create": "RuleSet",
    "rules.create": "Rule",
    "afd_custom_domains.create": "AFDDomain",
    "routes.create": "Route",
    "role_assignments.create": "RoleAssignment",
}


def spec(account, **configuration) -> AssetSpec:
    return AssetSpec(new_token(), account.catalog.configuration(*KIND, configuration))


async def storage(account, cloud, **configuration):
    kind = ("storage", "storage_account")
    made = await cloud.buckets.create(
        REGION, AssetSpec(new_token(), account.catalog.configuration(*kind, configuration))
    )
    account.settle()
    return made


async def there(cloud, *paths):
    """Those that Azure has."""
    found = []
    for each in paths:
        try:
            found.append((await cloud._client.rest("cdn", "x.get", "GET", each, VERSION))["id"])
        except NotFound:
            continue
    return found


async def test_private_blobs_are_read_by_an_identity_that_goes_with_it(account, cloud):
    bucket = await storage(account, cloud)
    asked = spec(account, storage_account_id=bucket.id, origin_path="/albums", domains=["b-c.example.com"])
    sent, rest = [], cloud._client.rest

    async def recording(service, operation, method, path, version, body=None):
        sent.extend([(operation, body)] if body is not None else [])
        return await rest(service, operation, method, path, version, body)

    cloud._client.rest = recording
    made = await cloud.distributions.create(GLOBAL_REGION, asked)
    assert (made.configuration, made.state) == (asked.configuration, AssetState.RUNNING)
    assert made.links == (AssetLink("origin", f"storage:{bucket.id}", hard=True),)
    assert made.address.endswith(".z01.azurefd.net")
    proof = made.facts["domain_validation"]["b-c.example.com"]
    assert (proof["state"], len(proof["token"])) == ("Pending", 32)
    role = assignment_id(bucket.id, made.id)
    assert await there(cloud, role) == [role]
    group = await rest("cdn", "x.get", "GET", f"{made.id}/originGroups/origins", VERSION)
    assert group["properties"]["authentication"]["type"] == "SystemAssignedIdentity"
    assert await cloud.distributions.create(GLOBAL_REGION, asked) == made
    await cloud.distributions.stop(GLOBAL_REGION, made.id)
    await cloud.distributions.delete(GLOBAL_REGION, made.id)
    account.settle()
    assert await there(cloud, role, made.id) == []
    assert {operation for operation, _ in sent} == set(MODELS)
    assert [found for operation, body in sent for found in problems(MODELS[operation], body)] == []


async def test_it_is_completed_by_a_repeat_and_a_refused_one_leaves_nothing(account, cloud):
    bucket = await storage(account, cloud)
    asked = spec(account, storage_account_id=bucket.id)
    profile = account.id_of("front_door", names.name_of(asked.token), "global")
    for action, fault, error in (
        ("afd_origins.create", {"status": 500, "code": "internal"}, ProviderFault),
        ("role_assignments.create", {"status": 400, "code": "PrincipalNotFound"}, StillWorking),
        ("routes.create", {"status": 500, "code": "internal"}, ProviderFault),
    ):
        account.azure.fault(match={"service": "azure", "action": action}, **fault)
        with pytest.raises(error):
            await cloud.distributions.create(GLOBAL_REGION, asked)
        account.end_faults()
    half = await cloud.distributions.get(GLOBAL_REGION, profile)
    assert (half.configuration, half.links) == ({"domains": []}, ())
    with pytest.raises(IncorrectState):
        await cloud.distributions.change(GLOBAL_REGION, profile, asked.configuration)
    made = await cloud.distributions.create(GLOBAL_REGION, asked)
    assert (made.id, made.configuration) == (profile, asked.configuration)
    await cloud.distributions.delete(GLOBAL_REGION, made.id)

    refused = spec(account, storage_account_id=bucket.id)
    account.azure.fault(match={"service": "azure", "action": "role_assignments.create"}, status=403, code="forbidden")
    with pytest.raises(PermissionDenied):
        await cloud.distributions.create(GLOBAL_REGION, refused)
    account.end_faults()
    account.settle()
    profile = account.id_of("front_door", names.name_of(refused.token), "global")
    assert await there(cloud, profile, assignment_id(bucket.id, profile)) == []


async def test_an_account_that_is_not_there_or_lets_no_front_door_in_is_refused(account, cloud):
    network = await cloud.private_networks.create(
        REGION, AssetSpec(new_token(), account.catalog.configuration("network", "virtual_network", {}))
    )
    account.settle()
    walled = await storage(account, cloud, subnet_ids=[f"{network.id}/subnets/default"])
    with pytest.raises(StillWorking):
        await AzureOriginAccess(cloud._client).let_read(walled.id, "its/profile", None)
    for identifier in (walled.id, account.id_of("storage_account", "nobodysaccount", REGION)):
        with pytest.raises(InvalidRequest) as caught:
            await cloud.distributions.create(GLOBAL_REGION, spec(account, storage_account_id=identifier))
        assert caught.value.field == "storage_account_id", identifier


async def test_anothers_profile_is_shown_as_far_as_it_is_there_and_an_older_one_is_not(account, cloud):
    group = await cloud.distributions._ground.group(GLOBAL_REGION)
    at = f"/subscriptions/{cloud._client.subscription_id}/resourceGroups/{group}/providers/{names.FRONT_DOOR}"
    body = {"location": "global", "sku": {"name": "Premium_AzureFrontDoor"}, "tags": {}, "properties": {}}
    for name, sku in (("theirs", "Premium_AzureFrontDoor"), ("classic", "Standard_Microsoft")):
        await cloud._client.rest(
            "cdn", "profiles.create", "PUT", f"{at}/{name}", VERSION, {**body, "sku": {"name": sku}}
        )
    account.settle()
    listed = {each.id: each async for page in cloud.distributions.pages(GLOBAL_REGION) for each in page}
    theirs = listed[f"{at}/theirs"]
    assert (theirs.state, theirs.address, theirs.facts["sku"]) == (AssetState.AVAILABLE, None, "Premium_AzureFrontDoor")
    assert f"{at}/classic" not in listed
    with pytest.raises(NotFound):
        await cloud.distributions.get(GLOBAL_REGION, f"{at}/classic")
    with pytest.raises(IncorrectState):
        await cloud.distributions.stop(GLOBAL_REGION, theirs.id)
    mine = names.name_of("no-token-of-theirs")
    await cloud._client.rest("cdn", "profiles.create", "PUT", f"{at}/{mine}", VERSION, body)
    account.settle()
    configuration = account.catalog.configuration(*KIND, {"origin": "www.example.com"})
    with pytest.raises(Conflict):
        await cloud.distributions.create(GLOBAL_REGION, AssetSpec("no-token-of-theirs", configuration))


def test_names_of_domains_are_told_apart():
    domains = ("a-b.example.com", "a.b.example.com", "a--b.example.com", "a.b-example.com")
    assert len({domain_name(each) for each in domains}) == len(domains)


def test_a_wrong_field_is_named():
    bucket = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/photos"
    for field, configuration in (
        ("origin", {}),
        ("origin", {"origin": "www.example.com", "storage_account_id": bucket}),
        ("origin", {"origin": "WWW.example.com"}),
        ("origin_protocol", {"origin": "20.0.0.1"}),
        ("origin_protocol", {"storage_account_id": bucket, "origin_protocol": "http"}),
        ("storage_account_id", {"storage_account_id": "photos"}),
        ("origin_path", {"storage_account_id": bucket, "origin_path": "albums/"}),
        ("domains.0", {"storage_account_id": bucket, "domains": ["photos"]}),
    ):
        with pytest.raises(InvalidRequest) as caught:
            AzureCatalog().configuration(*KIND, configuration)
        assert field in {each.field for each in caught.value.problems}, configuration


def test_the_check_sees_what_is_wrong():
    wrong = {"location": 7, "colour": "red", "properties": {"provisioningState": "Nowhere"}}
    assert problems("Profile", wrong) == [
        "Profile.sku is missing", "Profile.location is no string", "Profile.colour is unknown",
        "Profile.properties.provisioningState is Nowhere",
    ]  # fmt: skip
