"""Does libcloud's own driver, as anybody would use it and not as we do, find Linode there?"""

import pytest
from libcloud.common.types import InvalidCredsError, LibcloudError
from libcloud.compute.drivers.linode import LinodeNodeDriverV4
from libcloud.compute.types import NodeState
from libcloud.dns.drivers.linode import LinodeDNSDriverV4
from libcloud.dns.types import RecordType
from libcloud.utils.py3 import urlparse


def driver_of(cloud, token: str = "test-key") -> LinodeNodeDriverV4:
    address = urlparse.urlparse(cloud.endpoint_url)
    return LinodeNodeDriverV4(token, secure=False, host=address.hostname, port=address.port)


@pytest.fixture
def cloud(simulated_world):
    cloud = simulated_world["linode"]
    cloud.clear_faults()
    yield cloud
    cloud.clear_faults()


@pytest.fixture
def driver(cloud):
    return driver_of(cloud)


def by_id(things, identifier: str):
    return next(each for each in things if each.id == identifier)


def test_what_is_offered_is_parsed_whole(driver) -> None:
    assert by_id(driver.list_locations(), "eu-central").country == "DE"
    size = by_id(driver.list_sizes(), "g6-standard-2")
    assert (size.ram, size.extra["vcpus"], size.price) == (4096, 2, 0.036)
    assert by_id(driver.list_images(), "linode/ubuntu24.04").extra["vendor"] == "Ubuntu"


def test_a_machine_lives_as_libcloud_sees_it(driver, cloud) -> None:
    node = driver.create_node(
        by_id(driver.list_locations(), "us-west"), "sdk-life", by_id(driver.list_sizes(), "g6-nanode-1"),
        by_id(driver.list_images(), "linode/debian12"), root_pass="a long enough password", ex_tags=["env:prod"],
    )  # fmt: skip
    assert (node.state, node.size, node.extra["tags"]) == (NodeState.STARTING, "g6-nanode-1", ["env:prod"])
    cloud.advance(20)
    assert driver.ex_get_node(node.id).state == NodeState.STARTING
    cloud.advance(10)
    assert driver.ex_get_node(node.id).state == NodeState.RUNNING
    assert driver.stop_node(node)
    assert driver.ex_get_node(node.id).state == NodeState.STOPPING
    cloud.advance()
    assert driver.ex_get_node(node.id).state == NodeState.STOPPED
    assert driver.ex_resize_node(node, by_id(driver.list_sizes(), "g6-standard-2"))
    assert driver.ex_get_node(node.id).state == NodeState.RECONFIGURING
    cloud.advance()
    assert driver.ex_get_node(node.id).size == "g6-standard-2"
    assert driver.start_node(node)
    cloud.advance()
    assert driver.reboot_node(node)
    assert driver.ex_get_node(node.id).state == NodeState.REBOOTING
    assert driver.ex_rename_node(node, "sdk-life-2").name == "sdk-life-2"
    assert driver.destroy_node(node)
    assert node.id not in {each.id for each in driver.list_nodes()}


def test_all_pages_are_listed(driver) -> None:
    location, size = driver.list_locations()[0], driver.list_sizes()[0]
    made = {driver.create_node(location, f"sdk-page-{number}", size, None).id for number in range(30)}
    listed = [each.id for each in driver.list_nodes()]
    assert made <= set(listed)
    assert len(listed) == len(set(listed))


def test_refusals_are_those_that_libcloud_knows(driver, cloud) -> None:
    with pytest.raises(InvalidCredsError, match="Invalid Token"):
        driver_of(cloud, "invalid").list_nodes()
    cloud.fault(match={"service": "linode"}, status=429, count=1)
    with pytest.raises(LibcloudError, match="429"):
        driver.list_nodes()
    location, size = driver.list_locations()[0], driver.list_sizes()[0]
    driver.create_node(location, "sdk-label", size, None)
    with pytest.raises(LibcloudError, match="Label must be unique"):
        driver.create_node(location, "sdk-label", size, None)
    with pytest.raises(LibcloudError, match="busy"):
        driver.stop_node(driver.create_node(location, "sdk-busy", size, None))


def test_volumes_disks_and_images_live_as_libcloud_sees_them(driver, cloud) -> None:
    place, kind = by_id(driver.list_locations(), "us-west"), by_id(driver.list_sizes(), "g6-nanode-1")
    debian = by_id(driver.list_images(), "linode/debian12")
    node = driver.create_node(place, "sdk-kept", kind, debian, root_pass="a long enough password")
    volume = driver.create_volume("sdk-volume", 10, location=place)
    cloud.advance()
    assert driver.attach_volume(node, volume)
    attached = by_id(driver.list_volumes(), volume.id)
    assert str(attached.extra["linode_id"]) == node.id
    assert driver.detach_volume(attached)
    assert driver.destroy_volume(volume)
    disk = next(each for each in driver.ex_list_disks(node) if each.filesystem == "ext4")
    kept = driver.create_image(disk, "sdk-kept", "kept")
    cloud.advance()
    assert by_id(driver.list_images(), kept.id).extra["size"] == disk.size
    restored = driver.create_node(place, "sdk-restored", kind, kept, root_pass="a long enough password")
    assert restored.image == kept.id
    assert driver.delete_image(kept)


def test_domains_and_records_live_as_libcloud_sees_them(cloud) -> None:
    address = urlparse.urlparse(cloud.endpoint_url)
    dns = LinodeDNSDriverV4("test-key", secure=False, host=address.hostname, port=address.port)
    zone = dns.create_zone("sdk.example", extra={"soa_email": "dns@sdk.example", "tags": ["env:prod"]})
    assert (zone.type, zone.extra["tags"]) == ("master", ["env:prod"])
    www = dns.create_record("www", zone, RecordType.A, "192.0.2.1", extra={"ttl_sec": 310})
    dns.create_record("", zone, RecordType.MX, "mail.sdk.example", extra={"priority": 10})
    assert (www.ttl, dns.update_record(www, data="192.0.2.2").data) == (300, "192.0.2.2")
    assert [(each.name, each.type) for each in dns.list_records(zone)] == [("www", "A"), ("", "MX")]
    with pytest.raises(LibcloudError, match="DNS zone already exists"):
        dns.create_zone("sdk.example", extra={"soa_email": "dns@sdk.example"})
    assert dns.delete_record(www)
    assert dns.delete_zone(zone)
    assert "sdk.example" not in {each.domain for each in dns.list_zones()}


def test_linodes_own_client_makes_and_finds_every_kind(cloud) -> None:
    """linode_api4, Akamai's own."""
    from linode_api4 import ApiError, LinodeClient

    client = LinodeClient("test-key", base_url=f"{cloud.endpoint_url}/v4")
    assert "us-west" in {each.id for each in client.regions()}
    machine = client.linode.instance_create(
        "g6-nanode-1", "us-west", image="linode/debian12", label="own-client", tags=["env:prod"],
        root_pass="a long enough password",
    )  # fmt: skip
    cloud.advance()
    machine.invalidate()
    assert (machine.status, machine.tags) == ("running", ["env:prod"])
    network = client.vpcs.create("own-client", "us-west", subnets=[{"label": "hall", "ipv4": "10.1.0.0/24"}])
    assert [each.label for each in network.subnets] == ["hall"]
    volume = client.volume_create("own-client", region="us-west", size=20)
    balancer = client.nodebalancer_create("us-west", label="own-client")
    listener = balancer.config_create(port=80, protocol="http")
    zone = client.domain_create("own-client.example", soa_email="dns@own-client.example")
    zone.record_create("A", name="www", target="192.0.2.1", ttl_sec=300)
    assert [each.target for each in zone.records if each.type == "A"] == ["192.0.2.1"]
    bucket = client.object_storage.bucket_create("us-west", "own-client-bucket")
    database = client.database.postgresql_create("own-client", "us-west", "postgresql/16", "g6-nanode-1")
    assert machine.id in {each.id for each in client.linode.instances()}
    assert listener.id in {each.id for each in balancer.configs}
    assert (volume.size, bucket.label, database.label) == (20, "own-client-bucket", "own-client")
    with pytest.raises(ApiError) as refused:
        client.volume_create("own-client", region="us-west", size=20)
    assert refused.value.status == 400
    for made in (database, bucket, zone, balancer, volume, network, machine):
        assert made.delete()
