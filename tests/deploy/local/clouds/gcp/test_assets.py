"""What the simulated Google Cloud says of all that is no machine is as Google's own models have it."""

import json
from uuid import uuid4

import pytest
from google.api_core.client_options import ClientOptions
from google.oauth2 import service_account

from tests.deploy.local.clouds.gcp.conftest import SCOPES, ZONE, machine
from tests.fixtures.google_models import problems
from tests.fixtures.lazily import Lazily

compute_v1 = Lazily("google.cloud.compute_v1")
storage = Lazily("google.cloud.storage")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
REGION = "us-east1"


@pytest.fixture
def name():
    return f"test-{uuid4().hex[:12]}"


def fits(api, schema, document):
    assert problems(api, schema, document) == []
    return document


def taken(kind, document):
    return kind.from_json(json.dumps(document), ignore_unknown_fields=False)


def test_the_check_finds_what_is_wrong():
    wrong = {"name": 7, "colour": "red", "settings": {"availabilityType": "NOWHERE"}, "replicaNames": [True]}
    assert problems("sqladmin", "DatabaseInstance", wrong) == [
        "DatabaseInstance.name is no string",
        "DatabaseInstance.colour is unknown",
        "DatabaseInstance.settings.availabilityType is NOWHERE",
        "DatabaseInstance.replicaNames[0] is no string",
    ]


def test_buckets_are_what_the_sdk_takes_them_for(rest, gcp, name):
    key = {**rest.key, "token_uri": f"{gcp.endpoint_url}/token"}
    credentials = service_account.Credentials.from_service_account_info(key, scopes=SCOPES)
    options = ClientOptions(api_endpoint=gcp.endpoint_url)
    sdk = storage.Client(project=rest.project, credentials=credentials, client_options=options)
    bucket = sdk.create_bucket(name, location="europe-west1")
    bucket.labels = {"team": "photos"}
    bucket.storage_class = "NEARLINE"
    bucket.patch()
    assert name in {each.name for each in sdk.list_buckets(page_size=1)}
    found = sdk.get_bucket(name)
    assert (found.location, found.labels, found.storage_class) == ("EUROPE-WEST1", {"team": "photos"}, "NEARLINE")
    document = rest.get(f"{gcp.endpoint_url}/storage/v1/b/{name}")
    fits("storage", "Bucket", document)
    fits("storage", "Buckets", rest.get(f"{gcp.endpoint_url}/storage/v1/b", project=rest.project))
    found.delete()
    assert rest.ask("GET", document["selfLink"])[0] == 404


def test_a_database_in_all_its_states(rest, gcp, name):
    base = f"{gcp.endpoint_url}/v1/projects/{rest.project}"
    body = {"name": name, "region": REGION, "databaseVersion": "POSTGRES_17", "settings": {"tier": "db-g1-small"}}
    began = fits("sqladmin", "Operation", rest.change("POST", f"{base}/instances", body))
    seen = {fits("sqladmin", "DatabaseInstance", rest.get(began["targetLink"]))["state"]}
    busy = rest.ask("PATCH", began["targetLink"], {"settings": {"activationPolicy": "NEVER"}})
    assert (busy[0], busy[1]["error"]["errors"][0]["reason"]) == (409, "operationInProgress")
    gcp.advance()
    assert fits("sqladmin", "Operation", rest.get(began["selfLink"]))["status"] == "DONE"
    seen.add(rest.get(began["targetLink"])["state"])
    copy = {"name": f"{name}-copy", "region": REGION, "masterInstanceName": name, "settings": {"tier": "db-g1-small"}}
    rest.change("POST", f"{base}/instances", copy)
    gcp.advance()
    listed = fits("sqladmin", "InstancesListResponse", rest.get(f"{base}/instances", filter=f"region:{REGION}"))
    found = {each["name"]: each for each in listed["items"]}
    assert found[name]["replicaNames"] == [f"{name}-copy"]
    assert rest.ask("DELETE", began["targetLink"])[0] == 400
    rest.change("DELETE", f"{base}/instances/{name}-copy")
    gcp.advance()
    rest.change("DELETE", began["targetLink"])
    seen.add(rest.get(began["targetLink"])["state"])
    gcp.advance()
    assert rest.ask("GET", began["targetLink"])[0] == 404
    assert rest.ask("POST", f"{base}/instances", body)[0] == 409  # the name is kept for a week
    assert seen == {"PENDING_CREATE", "RUNNABLE", "PENDING_DELETE"}


def test_a_zone_and_changes_of_its_records(rest, gcp, name):
    base = f"{gcp.endpoint_url}/dns/v1/projects/{rest.project}/managedZones"
    body = {"name": name, "dnsName": "wedding.example.", "description": ""}
    fits("dns", "ManagedZone", rest.change("POST", base, body))
    www = {"name": "www.wedding.example.", "type": "A", "ttl": 60, "rrdatas": ["192.0.2.1"]}
    fits("dns", "Change", rest.change("POST", f"{base}/{name}/changes", {"additions": [www]}))
    wrong = [{**www, "ttl": 61}], [{**www, "name": "other.wedding.example."}]
    answers = [rest.ask("POST", f"{base}/{name}/changes", {"deletions": each})[0] for each in wrong]
    assert answers == [412, 404]
    assert rest.ask("POST", f"{base}/{name}/changes", {"additions": [www]})[0] == 409
    listed = fits("dns", "ResourceRecordSetsListResponse", rest.get(f"{base}/{name}/rrsets"))
    assert [each["type"] for each in listed["rrsets"]] == ["NS", "SOA", "A"]
    fits("dns", "ManagedZonesListResponse", rest.get(base))
    status, refused = rest.ask("DELETE", f"{base}/{name}")
    assert (status, refused["error"]["errors"][0]["reason"]) == (400, "containerNotEmpty")
    rest.change("POST", f"{base}/{name}/changes", {"deletions": [www]})
    assert rest.session.delete(f"{base}/{name}").status_code == 204


def test_networks_with_what_stands_in_them(rest, name):
    rest.done(rest.change("POST", "global/networks", {"name": name, "autoCreateSubnetworks": False}))
    network = f"projects/{rest.project}/global/networks/{name}"
    part = {"name": name, "network": network, "ipCidrRange": "10.9.0.0/24"}
    rest.done(rest.change("POST", f"regions/{REGION}/subnetworks", part))
    subnet = f"regions/{REGION}/subnetworks/{name}"
    within = rest.insert(name, networkInterfaces=[{"subnetwork": f"projects/{rest.project}/{subnet}"}])
    interface = taken(compute_v1.Instance, rest.get(within)).network_interfaces[0]
    assert interface.network.endswith(network)
    taken(compute_v1.Network, rest.get(f"global/networks/{name}"))
    taken(compute_v1.NetworkList, rest.get("global/networks"))
    taken(compute_v1.Subnetwork, rest.get(subnet))
    taken(compute_v1.SubnetworkList, rest.get(f"regions/{REGION}/subnetworks"))
    for path in (subnet, f"global/networks/{name}"):
        status, refused = rest.ask("DELETE", path)
        assert (status, refused["error"]["errors"][0]["reason"]) == (400, "resourceInUseByAnotherResource")
    assert rest.ask("POST", f"{subnet}/expandIpCidrRange", {"ipCidrRange": "10.9.0.0/25"})[0] == 400
    elsewhere = machine(f"{name}-no", networkInterfaces=[{"network": "global/networks/never-made"}])
    assert rest.ask("POST", within.rpartition("/")[0], elsewhere)[0] == 400
    rest.change("DELETE", within)


def test_a_balancer_and_what_it_is_made_of(rest, name):
    region, check = f"regions/{REGION}", f"global/httpHealthChecks/{name}"
    rest.done(rest.change("POST", "global/httpHealthChecks", {"name": name, "port": 8080}))
    behind = rest.insert(name)
    pool = {"name": name, "healthChecks": [check], "instances": [behind]}
    rest.done(rest.change("POST", f"{region}/targetPools", pool))
    rule = {"name": name, "target": f"{region}/targetPools/{name}", "portRange": "80"}
    taken(compute_v1.Operation, rest.done(rest.change("POST", f"{region}/forwardingRules", rule)))
    shown = taken(compute_v1.ForwardingRule, rest.get(f"{region}/forwardingRules/{name}"))
    assert (shown.I_p_protocol, shown.port_range) == ("TCP", "80-80")
    taken(compute_v1.ForwardingRuleList, rest.get(f"{region}/forwardingRules"))
    assert taken(compute_v1.TargetPool, rest.get(f"{region}/targetPools/{name}")).instances[0].endswith(behind)
    taken(compute_v1.TargetPoolList, rest.get(f"{region}/targetPools"))
    fits("compute", "HttpHealthCheck", rest.get(check))
    fits("compute", "HttpHealthCheckList", rest.get("global/httpHealthChecks"))
    for path in (check, f"{region}/targetPools/{name}"):
        assert rest.ask("DELETE", path)[1]["error"]["errors"][0]["reason"] == "resourceInUseByAnotherResource"
    for path in (f"{region}/forwardingRules/{name}", f"{region}/targetPools/{name}", check, behind):
        rest.change("DELETE", path)


def test_a_global_balancer_that_keeps_copies(rest, name):
    rest.done(rest.change("POST", f"{rest.base}/global/networkEndpointGroups",
                          {"name": name, "networkEndpointType": "INTERNET_FQDN_PORT"}))  # fmt: skip
    group, service = f"global/networkEndpointGroups/{name}", f"global/backendServices/{name}"
    endpoint = {"fqdn": "photos.example.com", "port": 443}
    rest.change("POST", f"{group}/attachNetworkEndpoints", {"networkEndpoints": [endpoint]})
    other = {"networkEndpoints": [{**endpoint, "fqdn": "other.example.com"}]}
    assert rest.ask("POST", f"{group}/attachNetworkEndpoints", other)[0] == 400  # a global group has one
    backend = {"name": name, "protocol": "HTTPS", "backends": [{"group": group}], "enableCDN": True}
    wrong = {**backend, "cdnPolicy": {"cacheMode": "USE_ORIGIN_HEADERS", "defaultTtl": 60}}
    assert rest.ask("POST", "global/backendServices", wrong)[0] == 400
    rest.change("POST", "global/backendServices", backend)
    rest.change("POST", f"{rest.base.partition('/compute')[0]}/storage/v1/b", {"name": name}, project=rest.project)
    rest.change("POST", "global/backendBuckets", {"name": name, "bucketName": name, "enableCdn": True})
    certificate = {"name": name, "type": "MANAGED", "managed": {"domains": ["cdn.example.com"]}}
    rest.change("POST", "global/urlMaps", {"name": name, "defaultService": service})
    rest.change("POST", "global/sslCertificates", certificate)
    rest.change("POST", "global/sslPolicies", {"name": name, "profile": "MODERN", "minTlsVersion": "TLS_1_2"})
    proxy = {"name": name, "urlMap": f"global/urlMaps/{name}"}
    secure = {"sslCertificates": [f"global/sslCertificates/{name}"], "sslPolicy": f"global/sslPolicies/{name}"}
    rest.change("POST", "global/targetHttpProxies", proxy)
    rest.change("POST", "global/targetHttpsProxies", {**proxy, **secure})
    rest.change("POST", "global/addresses", {"name": name})
    where = {"IPAddress": f"global/addresses/{name}"}
    rule = {"name": name, "target": f"global/targetHttpsProxies/{name}", "portRange": "443", **where}
    taken(compute_v1.Operation, rest.done(rest.change("POST", "global/forwardingRules", rule)))
    for kind, item in {
        "networkEndpointGroups": "NetworkEndpointGroup", "backendServices": "BackendService",
        "backendBuckets": "BackendBucket", "urlMaps": "UrlMap", "sslCertificates": "SslCertificate",
        "sslPolicies": "SslPolicy", "targetHttpProxies": "TargetHttpProxy", "targetHttpsProxies": "TargetHttpsProxy",
        "forwardingRules": "ForwardingRule", "addresses": "Address",
    }.items():  # fmt: skip
        shown = rest.get(f"global/{kind}/{name}")
        taken(getattr(compute_v1, item), shown)
        listed, many = rest.get(f"global/{kind}"), "SslPoliciesList" if item == "SslPolicy" else f"{item}List"
        taken(getattr(compute_v1, many), listed)
        assert listed["kind"] == f"compute#{many[0].lower()}{many[1:]}"
        assert shown["kind"] == f"compute#{item[0].lower()}{item[1:]}"
    address = rest.get(f"global/addresses/{name}")
    assert (address["status"], len(address["users"])) == ("IN_USE", 1)
    assert rest.ask("POST", "global/forwardingRules", {**rule, "name": f"{name}-2"})[0] == 400  # address and port
    endpoints = rest.change("POST", f"{group}/listNetworkEndpoints")
    taken(compute_v1.NetworkEndpointGroupsListNetworkEndpoints, endpoints)
    assert [each["networkEndpoint"] for each in endpoints["items"]] == [endpoint]
    stale = {**rest.get(service), "fingerprint": "AAAA"}
    assert rest.ask("PUT", service, stale)[0] == 412
    used = (
        "targetHttpsProxies",
        "urlMaps",
        "backendServices",
        "networkEndpointGroups",
        "sslCertificates",
        "sslPolicies",
        "addresses",
    )
    for kind in used:
        reason = rest.ask("DELETE", f"global/{kind}/{name}")[1]["error"]["errors"][0]["reason"]
        assert reason == "resourceInUseByAnotherResource", kind
    for kind in ("forwardingRules", "targetHttpProxies", *used, "backendBuckets"):
        rest.change("DELETE", f"global/{kind}/{name}")


def test_machines_behind_a_global_balancer(rest, name):
    machine, place = rest.insert(name), f"zones/{ZONE}"
    group, service = f"{place}/networkEndpointGroups/{name}", f"global/backendServices/{name}"
    rest.done(rest.change("POST", f"{place}/networkEndpointGroups",
                          {"name": name, "networkEndpointType": "GCE_VM_IP_PORT"}))  # fmt: skip
    for body, status in (
        ({"instance": name, "port": 80}, 200),
        ({"instance": machine, "port": 80}, 200),  # it is there already
        ({"instance": name, "port": 81}, 400),  # an address is in a group once
        ({"instance": "never-made", "port": 80}, 400),
    ):
        assert rest.ask("POST", f"{group}/attachNetworkEndpoints", {"networkEndpoints": [body]})[0] == status, body
    inside = rest.change("POST", f"{group}/listNetworkEndpoints")
    taken(compute_v1.NetworkEndpointGroupsListNetworkEndpoints, inside)
    assert [each["networkEndpoint"]["port"] for each in inside["items"]] == [80]
    taken(compute_v1.NetworkEndpointGroup, rest.get(group))
    taken(compute_v1.NetworkEndpointGroupList, rest.get(f"{place}/networkEndpointGroups"))
    listed = rest.get("aggregated/networkEndpointGroups", filter=f'name eq "{name[:10]}.*"')
    taken(compute_v1.NetworkEndpointGroupAggregatedList, listed)
    assert name in [each["name"] for each in listed["items"][place]["networkEndpointGroups"]]

    check = {"name": name, "type": "HTTP", "httpHealthCheck": {"requestPath": "/ready"}}
    rest.change("POST", "global/healthChecks", check)
    shown = taken(compute_v1.HealthCheck, rest.get(f"global/healthChecks/{name}"))
    assert (shown.http_health_check.port_specification, shown.timeout_sec) == ("USE_SERVING_PORT", 5)
    taken(compute_v1.HealthCheckList, rest.get("global/healthChecks"))
    rate = {"balancingMode": "RATE", "maxRatePerEndpoint": 100.0}
    whole = {"name": name, "backends": [{"group": group, **rate}], "healthChecks": [f"global/healthChecks/{name}"]}
    for wrong in ({"healthChecks": []}, {"backends": [{"group": group}]}):
        assert rest.ask("POST", "global/backendServices", {**whole, **wrong})[0] == 400, wrong
    rest.change("POST", "global/backendServices", whole)
    assert taken(compute_v1.BackendService, rest.get(service)).backends[0].group.endswith(group)
    for path in (group, f"global/healthChecks/{name}"):
        assert rest.ask("DELETE", path)[1]["error"]["errors"][0]["reason"] == "resourceInUseByAnotherResource", path
    began = rest.change("POST", f"{place}/instanceGroups", {"name": name})
    assert (began["status"], began["zone"].rpartition("/")[2]) == ("RUNNING", ZONE)
    rest.done(began)
    rest.change("POST", f"{place}/instanceGroups/{name}/addInstances", {"instances": [{"instance": machine}]})
    members = rest.change("POST", f"{place}/instanceGroups/{name}/listInstances")
    assert taken(compute_v1.InstanceGroupsListInstances, members).items[0].instance.endswith(machine)
    rest.change("DELETE", machine)
    for path in (service, group, f"global/healthChecks/{name}"):
        rest.change("DELETE", path)
