"""What is Google's own about a CDN: many parts made and removed whole, buckets that are open already, others' rules."""

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetLink
from shared.clouds.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ProviderFault,
    QuotaExceeded,
    StillWorking,
)
from shared.clouds.gcp import tags as gcp_tags

pytestmark = pytest.mark.anyio

BEHIND_A_NAME = (
    "networkEndpointGroups", "backendServices", "urlMaps", "sslCertificates", "sslPolicies", "targetHttpsProxies",
    "addresses",
)  # fmt: skip


async def left_of(rest, name):
    """The parts of that name that are there."""
    found = []
    kinds = (*BEHIND_A_NAME, "backendBuckets", "targetHttpProxies", "forwardingRules")
    redirect = [f"{kind}/{name}-redirect" for kind in ("urlMaps", "targetHttpProxies", "forwardingRules")]
    for path in (*(f"{kind}/{name}" for kind in kinds), *redirect):
        try:
            found.append((await rest("GET", f"global/{path}"))["kind"])
        except NotFound:
            continue
    return found


async def test_it_is_completed_by_a_repeat_refused_without_a_trace_and_removed_whole(cloud, spec, gcp, rest):
    asked = spec(cloud.distributions, origin="photos.example.com", domains=["b.example.com", "a.example.com"])
    name = gcp_tags.name_of(asked.token)
    for part, fault, error in (
        ("globalNetworkEndpointGroups.attachNetworkEndpoints", {"status": 503}, ProviderFault),
        ("urlMaps.insert", {"status": 400, "code": "resourceNotReady"}, StillWorking),
        ("globalForwardingRules.insert", {"status": 503}, ProviderFault),
    ):
        gcp.fault(match={"service": "gcp", "action": part}, **fault)
        with pytest.raises(error):
            await cloud.distributions.create(GLOBAL_REGION, asked)
        gcp.clear_faults()
    assert len(await left_of(rest, name)) == len(BEHIND_A_NAME) + 2  # with the way to the redirection
    assert await cloud.distributions.find_by_token(GLOBAL_REGION, asked.token) is None
    made = await cloud.distributions.create(GLOBAL_REGION, asked)
    told = {**asked.configuration, "default_ttl_s": 3600}  # Google's own choice
    assert made.configuration == told
    assert (made.name, made.facts["protocol"]) == ("a.example.com", "https")
    assert made.facts["certificates"] == {name: "PROVISIONING"}
    assert made.links == (AssetLink("origin", "address:photos.example.com", hard=True),)
    assert (await rest("GET", f"global/backendServices/{name}"))["customRequestHeaders"] == ["Host: photos.example.com"]
    assert (await rest("GET", f"global/sslPolicies/{name}"))["minTlsVersion"] == "TLS_1_2"
    beside = await rest("GET", f"global/forwardingRules/{name}-redirect")
    assert (beside["IPAddress"], beside["portRange"]) == (made.address, "80-80")
    assert (await rest("GET", f"global/urlMaps/{name}-redirect"))["defaultUrlRedirect"]["httpsRedirect"]
    gcp.fault(match={"service": "gcp", "action": "urlMaps.insert"}, status=403)
    with pytest.raises(PermissionDenied):  # rights that were lost meanwhile take nothing from what serves
        await cloud.distributions.create(GLOBAL_REGION, asked)
    gcp.clear_faults()
    assert await cloud.distributions.get(GLOBAL_REGION, made.id) == made
    assert await rest("GET", f"global/forwardingRules/{name}-redirect") == beside
    await cloud.distributions.delete(GLOBAL_REGION, made.id)
    assert await left_of(rest, name) == []

    gcp.fault(match={"service": "gcp", "action": "globalForwardingRules.insert"}, fail_operation=True,
              code="QUOTA_EXCEEDED")  # fmt: skip
    with pytest.raises(QuotaExceeded):
        await cloud.distributions.create(GLOBAL_REGION, asked)
    assert await left_of(rest, name) == []


async def test_what_stopped_in_the_middle_of_its_removal_goes_when_it_is_asked_again(cloud, spec, gcp, rest):
    made = await cloud.distributions.create(GLOBAL_REGION, spec(cloud.distributions, origin="photos.example.com"))
    gcp.fault(match={"service": "gcp", "action": "urlMaps.delete"}, status=503)
    with pytest.raises(ProviderFault):
        await cloud.distributions.delete(GLOBAL_REGION, made.id)
    gcp.clear_faults()
    assert await left_of(rest, made.name)
    await cloud.distributions.delete(GLOBAL_REGION, made.id)
    assert await left_of(rest, made.name) == []


async def test_only_a_bucket_that_is_open_already_is_read(cloud, spec):
    closed = await cloud.buckets.create(GLOBAL_REGION, spec(cloud.buckets))
    for bucket in (closed.id, "never-made-by-anybody"):
        with pytest.raises(InvalidRequest) as caught:
            await cloud.distributions.create(GLOBAL_REGION, spec(cloud.distributions, bucket=bucket))
        assert caught.value.field == "bucket", bucket
    client = cloud._client
    await client.rest("storage", "test", "POST", "/b", body={"name": "open-albums"}, project=client.project)
    asked = spec(cloud.distributions, bucket="open-albums", cache="all", default_ttl_s=86400 * 7)
    made = await cloud.distributions.create(GLOBAL_REGION, asked)
    assert made.links == (AssetLink("origin", "storage:open-albums", hard=True),)
    told = {**made.configuration, "cache": "static"}
    await cloud.distributions.change(GLOBAL_REGION, made.id, told)
    assert (await cloud.distributions.get(GLOBAL_REGION, made.id)).configuration == told
    listed = [each async for page in cloud.distributions.pages(GLOBAL_REGION) for each in page if each.id == made.id]
    assert [each.configuration for each in listed] == [told]


async def test_anothers_rule_is_shown_when_copies_are_kept_and_only_it_is_removed(cloud, rest):
    await rest("POST", "global/networkEndpointGroups", {"name": "theirs", "networkEndpointType": "INTERNET_FQDN_PORT"})
    for name, is_cdn in (("theirs", True), ("plain", False)):
        backend = {"name": name, "backends": [{"group": "global/networkEndpointGroups/theirs"}], "enableCDN": is_cdn}
        await rest("POST", "global/backendServices", backend)
        await rest("POST", "global/urlMaps", {"name": name, "defaultService": f"global/backendServices/{name}"})
        await rest("POST", "global/targetHttpProxies", {"name": name, "urlMap": f"global/urlMaps/{name}"})
        target = f"global/targetHttpProxies/{name}"
        await rest("POST", "global/forwardingRules", {"name": name, "target": target, "portRange": "8080"})
    listed = {each.id async for page in cloud.distributions.pages(GLOBAL_REGION) for each in page}
    theirs, plain = "global/forwardingRules/theirs", "global/forwardingRules/plain"
    assert theirs in listed
    assert plain not in listed
    found = await cloud.distributions.get(GLOBAL_REGION, theirs)
    assert (found.configuration["origin"], found.links) == (None, ())
    with pytest.raises(NotFound):
        await cloud.distributions.get(GLOBAL_REGION, plain)
    await cloud.distributions.delete(GLOBAL_REGION, plain)
    assert (await rest("GET", plain))["name"] == "plain"
    await cloud.distributions.delete(GLOBAL_REGION, theirs)
    assert await left_of(rest, "theirs") == [
        "compute#networkEndpointGroup", "compute#backendService", "compute#urlMap", "compute#targetHttpProxy",
    ]  # fmt: skip


async def test_a_change_against_another_version_is_a_conflict(cloud, spec, gcp):
    made = await cloud.distributions.create(GLOBAL_REGION, spec(cloud.distributions, origin="photos.example.com"))
    gcp.fault(match={"service": "gcp", "action": "backendServices.update"}, status=412, code="conditionNotMet")
    with pytest.raises(Conflict):
        await cloud.distributions.change(GLOBAL_REGION, made.id, {**made.configuration, "compression": False})
    gcp.clear_faults()
    assert await cloud.distributions.get(GLOBAL_REGION, made.id) == made
