"""Every answer of the simulated Google Cloud is one that the SDK's own messages take without an unknown field.

The messages are Google's proto definitions of the REST API. States are checked by their enumerations besides: an
unknown one would pass silently.
"""

import json
from uuid import uuid4

import pytest

from tests.deploy.local.clouds.gcp.conftest import ZONE, machine
from tests.fixtures.lazily import Lazily

compute_v1 = Lazily("google.cloud.compute_v1")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def taken(kind, document):
    """Parsed strictly, and whole: what is written again has every field of the answer."""
    message = kind.from_json(json.dumps(document), ignore_unknown_fields=False)
    again = kind.to_dict(message, preserving_proto_field_name=False, use_integers_for_enums=False)
    lost = {name for name in document if name not in again}
    assert lost == set(), f"{kind.__name__} does not show {lost}"
    return message


@pytest.fixture
def made(rest, gcp):
    """A running machine."""
    path = rest.insert(
        labels={"team": "photos"}, tags={"items": ["web"]}, metadata={"items": [{"key": "a", "value": "b"}]},
        scheduling={"provisioningModel": "SPOT"},
    )  # fmt: skip
    gcp.advance()
    return path


def test_places(rest):
    taken(compute_v1.Project, rest.get(rest.base))
    for kind, item, path in (
        (compute_v1.RegionList, compute_v1.Region, "regions"),
        (compute_v1.ZoneList, compute_v1.Zone, "zones"),
        (compute_v1.MachineTypeList, compute_v1.MachineType, f"zones/{ZONE}/machineTypes"),
    ):
        listed = rest.get(path)
        taken(kind, listed)
        for each in listed["items"]:
            taken(item, each)
            assert rest.get(each["selfLink"]) == each


def test_a_machine_in_all_its_states(rest, gcp, made):
    seen = set()

    def look():
        document = rest.get(made)
        message = taken(compute_v1.Instance, document)
        assert message.status in compute_v1.Instance.Status.__members__
        assert message.scheduling.provisioning_model in compute_v1.Scheduling.ProvisioningModel.__members__
        assert (
            message.scheduling.instance_termination_action
            in compute_v1.Scheduling.InstanceTerminationAction.__members__
        )
        taken(compute_v1.InstanceList, rest.get(f"zones/{ZONE}/instances"))
        taken(compute_v1.Disk, rest.get(document["disks"][0]["source"]))
        seen.add(message.status)

    look()
    for change in ("stop", "start"):
        rest.change("POST", f"{made}/{change}")
        look()
        gcp.advance()
        look()
    rest.change("DELETE", made)
    look()
    assert seen == {"RUNNING", "STOPPING", "TERMINATED", "STAGING"}


def test_operations(rest, gcp, made):
    gcp.fault(match={"action": "instances.insert"}, fail_operation=True, code="ZONE_RESOURCE_POOL_EXHAUSTED", count=1)
    running = rest.change("POST", f"zones/{ZONE}/instances", machine("never"), requestId=str(uuid4()))
    taken(compute_v1.Operation, running)
    failed = taken(compute_v1.Operation, rest.done(running))
    assert failed.error.errors[0].code == "ZONE_RESOURCE_POOL_EXHAUSTED"
    assert rest.ask("GET", f"zones/{ZONE}/instances/never")[0] == 404
    waited = rest.change("POST", f"zones/{ZONE}/operations/{running['name']}/wait")
    assert waited["status"] == "DONE"
    listed = rest.get(f"zones/{ZONE}/operations", filter=f'targetLink eq ".*/{made}"')
    taken(compute_v1.OperationList, listed)
    assert {each["operationType"] for each in listed["items"]} == {"insert"}


def test_disks_snapshots_and_images(rest, gcp, made):
    name = f"test-{uuid4().hex[:12]}"
    disk = rest.get(made)["disks"][0]["source"]
    began = rest.change(
        "POST", "global/snapshots", {"name": name, "sourceDisk": disk, "storageLocations": ["us-east1"]}
    )
    taken(compute_v1.Operation, began)
    seen = {taken(compute_v1.Snapshot, rest.get(f"global/snapshots/{name}")).status}
    gcp.advance()
    seen.add(taken(compute_v1.Snapshot, rest.get(f"global/snapshots/{name}")).status)
    assert seen == {"CREATING", "READY"}
    assert seen <= set(compute_v1.Snapshot.Status.__members__)

    snapshot = f"projects/{rest.project}/global/snapshots/{name}"
    rest.done(rest.change("POST", f"zones/{ZONE}/disks", {"name": name, "sourceSnapshot": snapshot}))
    assert taken(compute_v1.Disk, rest.get(f"zones/{ZONE}/disks/{name}")).status == "READY"
    taken(compute_v1.DiskList, rest.get(f"zones/{ZONE}/disks"))
    attached = {"source": f"projects/{rest.project}/zones/{ZONE}/disks/{name}", "deviceName": "data"}
    rest.done(rest.change("POST", f"{made}/attachDisk", attached))
    assert len(taken(compute_v1.Instance, rest.get(made)).disks) == 2

    rest.change("POST", "global/images", {"name": name, "sourceSnapshot": snapshot, "labels": {"a": "b"}})
    assert taken(compute_v1.Image, rest.get(f"global/images/{name}")).status == "PENDING"
    gcp.advance()
    taken(compute_v1.ImageList, rest.get("global/images"))
    taken(compute_v1.SnapshotList, rest.get("global/snapshots"))
    public = rest.base.replace(rest.project, "debian-cloud")
    taken(compute_v1.Image, rest.get(f"{public}/global/images/family/debian-12"))
    taken(compute_v1.ImageList, rest.get(f"{public}/global/images"))


def test_networks_and_firewall_rules(rest):
    name = f"test-{uuid4().hex[:12]}"
    body = {"name": name, "direction": "EGRESS", "priority": 0, "denied": [{"IPProtocol": "all"}],
            "destinationRanges": ["0.0.0.0/0"], "targetTags": [name]}  # fmt: skip
    taken(compute_v1.Operation, rest.change("POST", "global/firewalls", body))
    rule = taken(compute_v1.Firewall, rest.get(f"global/firewalls/{name}"))
    assert rule.denied[0].I_p_protocol == "all"
    taken(compute_v1.FirewallList, rest.get("global/firewalls"))
    taken(compute_v1.Network, rest.get("global/networks/default"))
    taken(compute_v1.Operation, rest.change("DELETE", f"global/firewalls/{name}"))


def test_an_error_has_the_form_of_google(rest):
    status, document = rest.ask("GET", f"zones/{ZONE}/instances/nobody")
    path = f"projects/{rest.project}/zones/{ZONE}/instances/nobody"
    message = f"The resource '{path}' was not found"
    assert (status, document) == (
        404,
        {
            "error": {
                "code": 404,
                "message": message,
                "errors": [{"message": message, "domain": "global", "reason": "notFound"}],
            }
        },
    )
