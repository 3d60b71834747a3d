"""What is Google's own about an application load balancer: groups of machines by zone and subnet, another port, others'."""

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetLink
from shared.clouds.errors import InvalidRequest, NotFound, ProviderFault, QuotaExceeded, Unsupported
from shared.clouds.gcp import tags as gcp_tags
from shared.clouds.models import MachineSpec
from tests.shared.clouds.account_under_test import new_token

pytestmark = pytest.mark.anyio

KINDS = (
    "forwardingRules", "targetHttpProxies", "targetHttpsProxies", "urlMaps", "sslCertificates", "sslPolicies",
    "backendServices", "healthChecks", "addresses",
)  # fmt: skip


async def left_of(rest, name):
    """The parts of that name that are there."""
    found = [each["name"] for each in await groups_of(rest, name)]
    redirect = [f"{kind}/{name}-redirect" for kind in ("urlMaps", "targetHttpProxies", "forwardingRules")]
    for path in (*(f"{kind}/{name}" for kind in KINDS), *redirect):
        try:
            found.append((await rest("GET", f"global/{path}"))["kind"])
        except NotFound:
            continue
    return found


async def groups_of(rest, name):
    """The endpoint groups whose names begin so, in every zone."""
    listed = await rest("GET", "aggregated/networkEndpointGroups")
    groups = [each for scope in listed["items"].values() for each in scope.get("networkEndpointGroups", [])]
    return [each for each in groups if each["name"].startswith(f"{name}-")]


async def machine(cloud, zone, **more):
    region = zone.rpartition("-")[0]
    return (await cloud.machines.create(region, MachineSpec(new_token(), "e2-micro", zone=zone, **more))).id


def targets(*machines):
    hard = len(machines) == 1
    return [AssetLink("target", f"machine:{each}", hard=hard) for each in machines]


async def test_machines_of_several_zones_and_subnets_come_change_their_port_and_go(cloud, spec, gcp, rest):
    part = {"name": "vestry", "region": "us-central1", "ip_range": "10.7.0.0/24"}
    network = await cloud.private_networks.create(
        GLOBAL_REGION, spec(cloud.private_networks, subnet_mode="custom", subnets=[part])
    )
    one, far = await machine(cloud, "us-central1-a"), await machine(cloud, "europe-west1-b")
    [subnet] = network.facts["subnet_ids"]
    apart = await machine(cloud, "us-central1-a", subnet_id=subnet)
    asked = spec(cloud.application_balancers, machines=[one], target_port=8080)
    made = await cloud.application_balancers.create(GLOBAL_REGION, asked)
    assert list(made.links) == targets(one)
    assert made.configuration == asked.configuration

    wanted = {**made.configuration, "machines": sorted([one, far, apart])}
    gcp.fault(match={"service": "gcp", "action": "backendServices.update"}, status=503)
    with pytest.raises(ProviderFault):
        await cloud.application_balancers.change(GLOBAL_REGION, made.id, wanted)
    gcp.clear_faults()
    half = await cloud.application_balancers.get(GLOBAL_REGION, made.id)
    assert half == made  # those who come are not served to before all of them are there
    await cloud.application_balancers.change(GLOBAL_REGION, made.id, wanted)
    found = await cloud.application_balancers.get(GLOBAL_REGION, made.id)
    assert found.configuration == wanted
    assert list(found.links) == targets(*wanted["machines"])
    assert len(await groups_of(rest, made.name)) == 3

    wanted = {**wanted, "machines": sorted([one, far]), "target_port": 9090}
    gcp.fault(match={"service": "gcp", "action": "networkEndpointGroups.delete"}, status=503)
    with pytest.raises(ProviderFault):
        await cloud.application_balancers.change(GLOBAL_REGION, made.id, wanted)
    gcp.clear_faults()
    assert (await cloud.application_balancers.get(GLOBAL_REGION, made.id)).configuration == wanted
    assert len(await groups_of(rest, made.name)) == 5
    for _ in range(2):
        await cloud.application_balancers.change(GLOBAL_REGION, made.id, wanted)
    assert sorted(each["size"] for each in await groups_of(rest, made.name)) == [1, 1]
    again = await cloud.application_balancers.create(GLOBAL_REGION, asked)  # a message that came late changes nothing
    assert again.configuration == wanted
    assert [each async for page in cloud.application_balancers.pages(GLOBAL_REGION) for each in page
            if each.id == made.id] == [again]  # fmt: skip
    await cloud.application_balancers.change(GLOBAL_REGION, made.id, {**wanted, "machines": []})
    assert await groups_of(rest, made.name) == []
    assert (await cloud.application_balancers.get(GLOBAL_REGION, made.id)).configuration["target_port"] == 9090
    for each in (one, far, apart):
        await cloud.machines.terminate(each.split("/")[1].rpartition("-")[0], each)


async def test_it_is_completed_by_a_repeat_refused_without_a_trace_and_removed_whole(cloud, spec, gcp, rest):
    behind = await machine(cloud, "us-central1-b")
    asked = spec(cloud.application_balancers, machines=[behind], domains=["www.example.com"])
    name = gcp_tags.name_of(asked.token)
    for part in ("networkEndpointGroups.attachNetworkEndpoints", "urlMaps.insert", "globalForwardingRules.insert"):
        gcp.fault(match={"service": "gcp", "action": part}, status=503)
        with pytest.raises(ProviderFault):
            await cloud.application_balancers.create(GLOBAL_REGION, asked)
        gcp.clear_faults()
    assert await cloud.application_balancers.find_by_token(GLOBAL_REGION, asked.token) is None
    made = await cloud.application_balancers.create(GLOBAL_REGION, asked)
    assert made.configuration == asked.configuration
    assert (made.name, made.facts["protocol"]) == ("www.example.com", "https")
    assert await cloud.distributions.find_by_token(GLOBAL_REGION, asked.token) is None
    with pytest.raises(NotFound):  # it is no CDN, and not to be removed as one
        await cloud.distributions.get(GLOBAL_REGION, made.id)
    gcp.fault(match={"service": "gcp", "action": "networkEndpointGroups.delete"}, status=503)
    with pytest.raises(ProviderFault):
        await cloud.application_balancers.delete(GLOBAL_REGION, made.id)
    gcp.clear_faults()
    assert await left_of(rest, name)
    await cloud.application_balancers.delete(GLOBAL_REGION, made.id)
    assert await left_of(rest, name) == []

    unknown = "zones/us-central1-b/instances/never-made"
    gcp.fault(match={"service": "gcp", "action": "globalForwardingRules.insert"}, fail_operation=True,
              code="QUOTA_EXCEEDED")  # fmt: skip
    with pytest.raises(QuotaExceeded):
        await cloud.application_balancers.create(GLOBAL_REGION, asked)
    gcp.clear_faults()
    with pytest.raises(InvalidRequest) as caught:
        await cloud.application_balancers.create(
            GLOBAL_REGION, spec(cloud.application_balancers, asked.token, machines=[behind, unknown])
        )
    assert caught.value.field == "machines"
    assert await left_of(rest, name) == []
    await cloud.machines.terminate("us-central1", behind)


async def test_anothers_before_an_instance_group_is_shown_once_and_only_its_rule_is_removed(cloud, rest):
    behind = await machine(cloud, "us-east1-b")
    group = "zones/us-east1-b/instanceGroups/their-machines"
    await rest("POST", "zones/us-east1-b/instanceGroups", {"name": "their-machines"})
    await rest("POST", f"{group}/addInstances", {"instances": [{"instance": behind}]})
    check = {"name": "their-check", "type": "HTTP", "httpHealthCheck": {"port": 8080}}
    await rest("POST", "global/healthChecks", check)
    service = {
        "name": "their-service",
        "backends": [{"group": group}],
        "healthChecks": ["global/healthChecks/their-check"],
    }
    await rest("POST", "global/backendServices", service)
    await rest(
        "POST", "global/urlMaps", {"name": "their-site", "defaultService": "global/backendServices/their-service"}
    )
    await rest("POST", "global/targetHttpProxies", {"name": "their-site", "urlMap": "global/urlMaps/their-site"})
    rule = {"name": "their-site", "target": "global/targetHttpProxies/their-site", "portRange": "80"}
    await rest("POST", "global/forwardingRules", rule)
    identifier = "global/forwardingRules/their-site"
    shown = []
    for kind in (cloud.load_balancers, cloud.application_balancers, cloud.distributions):
        region = GLOBAL_REGION if kind.is_global else "us-east1"
        shown += [each async for page in kind.pages(region) for each in page]
    [found] = [each for each in shown if each.id == identifier]
    assert not [each for each in shown if each.id.endswith("-redirect")]
    assert list(found.links) == targets(behind)
    assert found.configuration["health_check"] == {"port": 8080, "path": "/", "interval_s": 5}
    assert "target_port" not in found.configuration
    with pytest.raises(Unsupported):
        await cloud.application_balancers.change(GLOBAL_REGION, identifier, found.configuration)
    await cloud.application_balancers.tag(GLOBAL_REGION, identifier, {"team": "photos"})
    assert (await cloud.application_balancers.get(GLOBAL_REGION, identifier)).tags == {"team": "photos"}
    await cloud.application_balancers.delete(GLOBAL_REGION, identifier)
    assert (await rest("GET", "global/urlMaps/their-site"))["name"] == "their-site"
    with pytest.raises(NotFound):
        await rest("GET", identifier)
    await cloud.machines.terminate("us-east1", behind)
