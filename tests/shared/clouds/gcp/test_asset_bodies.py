"""What is sent to make and change assets has no field that Google's own models do not know."""

import json
import re
from urllib.parse import urlsplit

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetSpec, assets_of
from shared.clouds.models import MachineSpec
from tests.fixtures.google_models import problems
from tests.fixtures.lazily import Lazily
from tests.shared.clouds.account_under_test import new_token

compute_v1 = Lazily("google.cloud.compute_v1")

pytestmark = pytest.mark.anyio

DISCOVERED = {
    r"/storage/v1/b(/[^/]+)?": ("storage", "Bucket"),
    r"/v1/projects/[^/]+/instances(/[^/]+)?": ("sqladmin", "DatabaseInstance"),
    r"/dns/v1/projects/[^/]+/managedZones(/[^/]+)?": ("dns", "ManagedZone"),
    r"/dns/v1/projects/[^/]+/managedZones/[^/]+/changes": ("dns", "Change"),
    r".*/global/httpHealthChecks(/[^/]+)?": ("compute", "HttpHealthCheck"),
}
OF_THE_SDK = {
    r".*/zones/.*/attachNetworkEndpoints": "NetworkEndpointGroupsAttachEndpointsRequest",
    r".*/zones/.*/detachNetworkEndpoints": "NetworkEndpointGroupsDetachEndpointsRequest",
    r".*/global/networks(/[^/]+)?": "Network",
    r".*/global/firewalls(/[^/]+)?": "Firewall",
    r".*/subnetworks": "Subnetwork",
    r".*/expandIpCidrRange": "SubnetworksExpandIpCidrRangeRequest",
    r".*/targetPools": "TargetPool",
    r".*/forwardingRules": "ForwardingRule",
    r".*/regions/.*/setLabels": "RegionSetLabelsRequest",
    r".*/global/.*/setLabels": "GlobalSetLabelsRequest",
    r".*/networkEndpointGroups": "NetworkEndpointGroup",
    r".*/attachNetworkEndpoints": "GlobalNetworkEndpointGroupsAttachEndpointsRequest",
    r".*/healthChecks(/[^/]+)?": "HealthCheck",
    r".*/backendServices(/[^/]+)?": "BackendService",
    r".*/backendBuckets(/[^/]+)?": "BackendBucket",
    r".*/urlMaps": "UrlMap",
    r".*/addresses": "Address",
    r".*/sslCertificates": "SslCertificate",
    r".*/sslPolicies": "SslPolicy",
    r".*/targetHttpProxies": "TargetHttpProxy",
    r".*/targetHttpsProxies": "TargetHttpsProxy",
}


def without_nulls(value):
    """A merge patch says by null what goes; a model has no word for it."""
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(each) for name, each in value.items() if each is not None}


def wrong(path, body):
    """What is wrong with a body, and whether any model was found for it."""
    for pattern, (api, schema) in DISCOVERED.items():
        if re.fullmatch(pattern, path):
            return problems(api, schema, without_nulls(body))
    for pattern, name in OF_THE_SDK.items():
        if re.fullmatch(pattern, path):
            getattr(compute_v1, name).from_json(json.dumps(body), ignore_unknown_fields=False)
            return []
    return [f"{path} has no model here"]


async def test_bodies_are_googles(account, cloud, spec):
    sent = []
    await cloud.quotas.read(GLOBAL_REGION, None)
    cloud._client._session.hooks["response"].append(lambda answer, *_, **__: sent.append(answer.request))
    for assets in assets_of(cloud):
        region = GLOBAL_REGION if assets.is_global else account.region
        for number in (7000, 7001):
            sample = account.sample(assets, number)
            kind = (assets.resource_type, assets.resource_subtype)
            made = await assets.create(
                region, AssetSpec(new_token(), account.catalog.configuration(*kind, dict(sample.configuration)))
            )
            account.settle()
            await assets.change(region, made.id, {**made.configuration, **sample.change})
            account.settle()
            await assets.tag(region, made.id, {"team": "photos"})
    zone = f"{account.region}-a"
    machines = [await cloud.machines.create(account.region, MachineSpec(new_token(), "e2-micro", zone=zone))
                for _ in range(2)]  # fmt: skip
    balancers, ids = cloud.application_balancers, sorted(each.id for each in machines)
    made = await balancers.create(GLOBAL_REGION, spec(balancers, machines=ids))
    await balancers.change(GLOBAL_REGION, made.id, {**made.configuration, "machines": ids[:1]})
    bodies = [(urlsplit(each.url).path, json.loads(each.body)) for each in sent if each.body]
    assert [found for path, body in bodies for found in wrong(path, body)] == []
    assert len(bodies) > 30
    assert {path.rpartition("/")[2] for path, _ in bodies} >= {"attachNetworkEndpoints", "detachNetworkEndpoints"}
