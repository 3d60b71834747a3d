"""What the simulated Azure says of Front Door fits the models of its SDK, and what does not stand is refused.

The SDK itself is no dependency of ours: any client of Resource Manager sends the same calls.
"""

import uuid

import pytest
from azure.core.rest import HttpRequest

from tests.shared.clouds.azure.front_door_schemas import problems

CDN = "Microsoft.Cdn/profiles"
READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"


@pytest.fixture
def ask(sdk, group):
    """Status and document of a call below the group's providers."""
    above = f"/subscriptions/{sdk.subscription_id}/resourceGroups/{group}/providers"

    def send(method, path, body=None):
        where = path if path.startswith("/") else f"{above}/{path}"
        answer = sdk.subscriptions.send_request(HttpRequest(method, where, params={"api-version": "x"}, json=body))
        return answer.status_code, answer.json() if answer.content else {}

    return send


@pytest.fixture
def put(ask):
    def send(model, path, properties, **more):
        status, document = ask("PUT", path, {"properties": properties, **more})
        assert status in {200, 201, 202}, document
        assert problems(model, document) == []
        assert ask("GET", path)[0] == 200
        assert document["id"] in {each["id"] for each in ask("GET", path.rpartition("/")[0])[1]["value"]}
        return document

    return send


def test_a_front_door_and_what_it_consists_of(azure, ask, put):
    door = f"{CDN}/hall"
    settled = {"sku": {"name": "Standard_AzureFrontDoor"}, "location": "global"}
    profile = put("Profile", door, {}, identity={"type": "SystemAssigned"}, tags={"team": "photos"}, **settled)
    assert profile["properties"]["provisioningState"] == "Creating"
    azure.advance()
    endpoint = put("AFDEndpoint", f"{door}/afdEndpoints/hall", {}, location="global")
    proved = {"type": "SystemAssignedIdentity", "scope": "https://storage.azure.com/.default"}
    whole = {"loadBalancingSettings": {"sampleSize": 4}, "authentication": proved}
    assert ask("PUT", f"{door}/originGroups/all", {"properties": whole})[0] == 400  # probes are not over HTTPS
    secure = {**whole, "healthProbeSettings": {"probeProtocol": "Https"}}
    group = put("AFDOriginGroup", f"{door}/originGroups/all", secure)
    routed = {"originGroup": {"id": group["id"]}, "forwardingProtocol": "HttpsOnly"}
    assert ask("PUT", f"{door}/afdEndpoints/hall/routes/main", {"properties": routed})[0] == 400  # no origin
    put("AFDOrigin", f"{door}/originGroups/all/origins/one", {"hostName": "www.example.com"})
    rules = put("RuleSet", f"{door}/ruleSets/headers", {})
    header = {"typeName": "DeliveryRuleHeaderActionParameters", "headerAction": "Overwrite", "headerName": "x"}
    put(
        "Rule",
        f"{door}/ruleSets/headers/rules/one",
        {"actions": [{"name": "ModifyRequestHeader", "parameters": header}]},
    )
    assert ask("PUT", f"{door}/ruleSets/no-hyphens", {"properties": {}})[0] == 400
    domain = put("AFDDomain", f"{door}/customDomains/cdn", {"hostName": "cdn.example.com"})
    routed |= {"customDomains": [{"id": domain["id"]}], "ruleSets": [{"id": rules["id"]}]}
    for wrong in ({"forwardingProtocol": "MatchRequest"}, {"ruleSets": [{"id": "/nowhere"}]}):
        assert ask("PUT", f"{door}/afdEndpoints/hall/routes/main", {"properties": {**routed, **wrong}})[0] == 400, wrong
    route = put("Route", f"{door}/afdEndpoints/hall/routes/main", routed)
    assert route["properties"]["customDomains"] == [{"id": domain["id"], "isActive": True}]
    for used in ("customDomains/cdn", "ruleSets/headers", "originGroups/all"):
        assert ask("DELETE", f"{door}/{used}")[0] == 409, used
    off = ask("PATCH", endpoint["id"], {"properties": {"enabledState": "Disabled"}})[1]
    assert (off["properties"]["enabledState"], off["properties"]["hostName"]) == (
        "Disabled", endpoint["properties"]["hostName"],
    )  # fmt: skip
    assert ask("DELETE", door)[0] == 202
    azure.advance()
    assert ask("GET", door)[0] == 404
    put("Profile", door, {}, **settled)
    azure.advance()
    assert ask("GET", f"{door}/afdEndpoints")[1]["value"] == []
    ask("DELETE", door)


def test_a_role_is_assigned_once(sdk, group, ask):
    account = {"location": "francecentral", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    sdk.storage.storage_accounts.begin_create(group, "assignedroles", account).result(timeout=20)
    role = f"/subscriptions/{sdk.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    body = {
        "properties": {"roleDefinitionId": role, "principalId": str(uuid.uuid4()), "principalType": "ServicePrincipal"}
    }
    above = "Microsoft.Storage/storageAccounts/{}/providers/Microsoft.Authorization/roleAssignments"
    first, second = (f"{above.format('assignedroles')}/{uuid.uuid4()}" for _ in range(2))
    status, made = ask("PUT", first, body)
    assert (status, problems("RoleAssignment", made)) == (201, [])
    assert ask("PUT", first, body)[0] == 200
    status, refused = ask("PUT", second, body)
    assert (status, refused["error"]["code"]) == (409, "RoleAssignmentExists")
    other = {"properties": {**body["properties"], "principalId": str(uuid.uuid4())}}
    assert ask("PUT", first, other)[1]["error"]["code"] == "RoleAssignmentUpdateNotPermitted"
    assert ask("PUT", f"{above.format('nobodys')}/{uuid.uuid4()}", body)[0] == 404
    assert [ask("DELETE", first)[0] for _ in range(2)] == [200, 204]
