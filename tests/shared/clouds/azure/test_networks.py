"""A wall is one only when no rule before its denial allows anything."""

import pytest

from shared.clouds.azure.networks import allowing

ANY = {
    "protocol": "*", "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*",
    "destinationPortRange": "*",
}  # fmt: skip


def rule(priority: int, access: str, direction: str = "Inbound", **changes: str) -> dict[str, object]:
    return {"priority": priority, "access": access, "direction": direction, **ANY, **changes}


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        ([], 0),
        ([rule(65000, "Allow"), rule(65500, "Deny")], 1),
        ([rule(65000, "Allow"), rule(100, "Deny")], 0),
        ([rule(101, "Allow"), rule(100, "Deny"), rule(65000, "Allow")], 0),
        ([rule(100, "Allow"), rule(101, "Deny")], 1),
        ([rule(100, "Deny", destinationPortRange="22"), rule(65000, "Allow")], 1),
        ([rule(100, "Deny", protocol="Tcp"), rule(65000, "Allow")], 1),
        ([rule(100, "Deny", "Outbound"), rule(65000, "Allow")], 1),
    ],
)
def test_rules_that_let_something_in_are_counted(rules, count):
    assert allowing(rules, "Inbound") == count


@pytest.mark.anyio
async def test_a_tenant_s_tags_on_our_resource_group_stay(cloud):
    client, name = cloud.networks._client, "canopy-uaenorth"
    body = {"location": "uaenorth", "tags": {"cost centre": "weddings"}}
    await client.call("resources", "resource_groups.create_or_update", name, body)
    await cloud.networks.create_isolated_group("uaenorth", token="wall:uaenorth", tags={}, description="x" * 200)
    assert (await client.call("resources", "resource_groups.get", name))["tags"] == {"cost centre": "weddings"}
