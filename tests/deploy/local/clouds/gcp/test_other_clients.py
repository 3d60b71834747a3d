"""Clients that the product does not use find the simulated Google Cloud in order, too."""

import json
from collections.abc import Iterator

import pytest
from google.api_core.client_options import ClientOptions
from google.oauth2 import service_account
from libcloud.compute.drivers.gce import GCEConnection, GCENodeDriver

from tests.deploy.local.clouds.gcp.conftest import SCOPES, ZONE, Rest
from tests.fixtures.lazily import Lazily

compute_v1 = Lazily("google.cloud.compute_v1")

NAME = f"zones/{ZONE}"


@pytest.fixture
def made(rest, gcp) -> Iterator[list[str]]:
    paths = [rest.insert(labels={"team": "albums"}) for _ in range(3)]
    gcp.advance()
    yield [path.rpartition("/")[2] for path in paths]
    for path in paths:
        rest.change("DELETE", path)


@pytest.fixture
def libcloud(gcp, rest: Rest, tmp_path):
    """libcloud keeps its token in a file; ours is put there, since its token endpoint cannot be chosen."""
    rest.get(rest.base)
    token = {"access_token": rest.session.credentials.token, "expire_time": "2099-01-01T00:00:00Z"}
    (tmp_path / "token").write_text(json.dumps(token))
    connection = type("LocalConnection", (GCEConnection,), {"base_url": gcp.endpoint_url})
    driver = type("LocalDriver", (GCENodeDriver,), {"connectionCls": connection})
    known = {"auth_type": "SA", "secure": False, "credential_file": str(tmp_path / "token")}
    return driver(rest.key["client_email"], rest.key["private_key"], project=rest.project, **known)


def test_libcloud_lists_machines_places_and_sizes(libcloud, made):
    nodes = {node.name: node for node in libcloud.list_nodes()}
    assert set(made) <= set(nodes)
    node = nodes[made[0]]
    assert (node.state, node.size, node.extra["labels"]) == ("running", "e2-micro", {"team": "albums"})
    assert node.private_ips
    assert node.public_ips
    assert {"us-east1-b", "europe-west1-d"} <= {each.name for each in libcloud.list_locations()}
    assert "e2-micro" in {each.name for each in libcloud.list_sizes(ZONE)}
    assert {each.name for each in libcloud.list_volumes(ZONE)} >= set(made)


@pytest.fixture
def sdk(gcp, rest):
    """google-cloud-compute as its own documentation uses it: its own credentials, repeats and waiting."""
    key = {**rest.key, "token_uri": f"{gcp.endpoint_url}/token"}
    credentials = service_account.Credentials.from_service_account_info(key, scopes=SCOPES)
    return {"credentials": credentials, "client_options": ClientOptions(api_endpoint=gcp.endpoint_url)}


def test_an_aggregated_list_is_merged_from_its_pages(sdk, rest, made):
    client = compute_v1.InstancesClient(**sdk)
    request = compute_v1.AggregatedListInstancesRequest(
        project=rest.project, filter="labels.team=albums", max_results=2
    )
    found, warned = [], 0
    for scope, listed in client.aggregated_list(request=request):
        found += [(scope, each.name) for each in listed.instances]
        warned += listed.warning.code == "NO_RESULTS_ON_PAGE"
    assert {(NAME, name) for name in made} <= set(found)
    assert len(found) == len(set(found))
    assert warned


def test_the_sdks_own_waiting_works_with_an_operations_client_of_the_same_address(sdk, rest, made):
    """Without that client it would ask Google's public address: the leak of which our adapter keeps clear."""
    client = compute_v1.InstancesClient(**sdk)
    client.transport._extended_operations_services["zone_operations"] = compute_v1.ZoneOperationsClient(**sdk)
    client.set_labels(
        project=rest.project,
        zone=ZONE,
        instance=made[0],
        instances_set_labels_request_resource=compute_v1.InstancesSetLabelsRequest(
            label_fingerprint=client.get(project=rest.project, zone=ZONE, instance=made[0]).label_fingerprint,
            labels={"team": "albums", "week": "47"},
        ),
    ).result(timeout=10)
    assert client.get(project=rest.project, zone=ZONE, instance=made[0]).labels["week"] == "47"


def test_the_sdk_repeats_an_unavailable_list_by_itself(sdk, gcp, rest):
    gcp.fault(match={"service": "gcp", "action": "instances.list"}, status=503, count=1)
    list(compute_v1.InstancesClient(**sdk).list(project=rest.project, zone=ZONE))


def test_googles_generic_client_finds_each_api_by_its_own_discovery_document(gcp, rest, made):
    """google-api-python-client, with the documents that come with it."""
    from googleapiclient.discovery import build
    from googleapiclient.errors import HttpError

    key = {**rest.key, "token_uri": f"{gcp.endpoint_url}/token"}
    credentials = service_account.Credentials.from_service_account_info(key, scopes=SCOPES)

    def api(name: str, version: str, path: str = ""):
        options = {"credentials": credentials, "client_options": {"api_endpoint": f"{gcp.endpoint_url}/{path}"}}
        return build(name, version, static_discovery=True, cache_discovery=False, **options)

    compute, project = api("compute", "v1", "compute/v1/"), rest.project
    asked, names = compute.instances().list(project=project, zone=ZONE, maxResults=2), set()
    while asked is not None:
        page = asked.execute()
        names |= {each["name"] for each in page["items"]}
        asked = compute.instances().list_next(asked, page)
    assert set(made) <= names
    with pytest.raises(HttpError) as missing:
        compute.instances().get(project=project, zone=ZONE, instance="never-made").execute()
    assert missing.value.status_code == 404
    zone = {"name": "generic", "dnsName": "generic.example.", "description": "made by a stranger"}
    dns = api("dns", "v1").managedZones()
    dns.create(project=project, body=zone).execute()
    assert dns.get(project=project, managedZone="generic").execute()["dnsName"] == "generic.example."
    dns.delete(project=project, managedZone="generic").execute()
    assert api("sqladmin", "v1").instances().list(project=project).execute()["kind"] == "sql#instancesList"
