"""Does libcloud's own driver, as anybody would use it and not as we do, find DigitalOcean there?"""

import json

import pytest
from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import InvalidCredsError
from libcloud.compute.drivers.digitalocean import DigitalOcean_v2_NodeDriver
from libcloud.compute.types import NodeState
from libcloud.dns.drivers.digitalocean import DigitalOceanDNSDriver
from libcloud.dns.types import RecordType
from libcloud.storage.drivers.digitalocean_spaces import DigitalOceanSpacesStorageDriver
from libcloud.utils.py3 import urlparse


def driver_of(cloud, token: str = "test-key") -> DigitalOcean_v2_NodeDriver:
    """The only way found to another address: its constructor drops `host=`."""
    address = urlparse.urlparse(cloud.endpoint_url)
    driver = object.__new__(DigitalOcean_v2_NodeDriver)
    driver.__init__(token)
    driver.connection.secure = 0
    driver.connection.connect(host=address.hostname, port=address.port)
    return driver


@pytest.fixture
def cloud(simulated_world):
    cloud = simulated_world["digitalocean"]
    cloud.clear_faults()
    yield cloud
    cloud.clear_faults()


@pytest.fixture
def driver(cloud):
    return driver_of(cloud)


def test_what_is_offered_is_parsed_whole(driver) -> None:
    assert {"nyc3", "ams3"} <= {each.id for each in driver.list_locations()}
    size = next(each for each in driver.list_sizes() if each.id == "s-1vcpu-1gb")
    assert (size.ram, size.disk, size.extra["vcpus"]) == (1024, 25, 1)
    assert {each.extra["slug"] for each in driver.list_images()} >= {"ubuntu-24-04-x64"}
    assert driver.ex_account_info()["status"] == "active"


def test_a_droplet_lives_as_libcloud_sees_it(driver, cloud) -> None:
    size = next(each for each in driver.list_sizes() if each.id == "s-1vcpu-1gb")
    image = next(each for each in driver.list_images() if each.extra["slug"] == "ubuntu-24-04-x64")
    location = next(each for each in driver.list_locations() if each.id == "nyc1")
    node = driver.create_node("web", size, image, location, ex_create_attr={"tags": ["env:prod"]})
    assert (node.state, node.size.id, node.image.id, node.extra["tags"]) == (
        NodeState.PENDING, "s-1vcpu-1gb", image.id, ["env:prod"]
    )  # fmt: skip

    def found():
        return next(each for each in driver.list_nodes() if each.id == node.id)

    cloud.advance()
    assert found().state == NodeState.RUNNING
    assert found().public_ips
    assert driver.ex_shutdown_node(node)
    cloud.advance()
    assert found().state == NodeState.STOPPED
    assert driver.ex_resize_node(node, next(each for each in driver.list_sizes() if each.id == "s-2vcpu-4gb"))
    cloud.advance()
    assert found().size.id == "s-2vcpu-4gb"
    assert driver.ex_power_on_node(node)
    cloud.advance()
    assert driver.reboot_node(node)
    kinds = [each["type"] for each in driver.ex_list_events() if str(each["resource_id"]) == node.id]
    assert kinds == ["reboot", "power_on", "resize", "shutdown", "create"]
    assert driver.destroy_node(node)
    assert node.id not in {each.id for each in driver.list_nodes()}


def test_all_pages_are_listed(cloud) -> None:
    driver = driver_of(cloud)
    driver.ex_per_page = 3
    size, image, location = driver.list_sizes()[1], driver.list_images()[0], driver.list_locations()[0]
    made = {driver.create_node(f"page-{number}", size, image, location).id for number in range(7)}
    listed = [each.id for each in driver.list_nodes()]
    assert made <= set(listed)
    assert len(listed) == len(set(listed))


def test_refusals_are_those_that_libcloud_knows(driver, cloud) -> None:
    with pytest.raises(InvalidCredsError, match="Unable to authenticate you"):
        driver_of(cloud, "invalid").list_nodes()
    cloud.fault(match={"service": "digitalocean"}, status=429, retry_after_s=5, count=1)
    with pytest.raises(RateLimitReachedError) as caught:
        driver.list_nodes()
    assert caught.value.retry_after == 5
    with pytest.raises(BaseHTTPError, match="invalid size"):
        driver.create_node("web", driver.list_sizes()[0].__class__("z", "z", 0, 0, 0, 0, driver), driver.list_images()[0],
                           driver.list_locations()[0])  # fmt: skip


def test_one_action_at_a_time(driver) -> None:
    node = driver.create_node("web", driver.list_sizes()[1], driver.list_images()[0], driver.list_locations()[0])
    with pytest.raises(BaseHTTPError, match="pending event"):
        driver.ex_shutdown_node(node)


def test_volumes_and_snapshots_live_as_libcloud_sees_them(driver, cloud) -> None:
    size = next(each for each in driver.list_sizes() if each.id == "s-1vcpu-1gb")
    image = next(each for each in driver.list_images() if each.extra["slug"] == "ubuntu-24-04-x64")
    location = next(each for each in driver.list_locations() if each.id == "nyc1")
    node = driver.create_node("kept", size, image, location)
    cloud.advance()
    volume = driver.create_volume(10, "sdk-volume", location)
    assert driver.attach_volume(node, volume)
    attached = next(each for each in driver.list_volumes() if each.id == volume.id)
    assert [str(each) for each in attached.extra["droplet_ids"]] == [node.id]
    assert driver.detach_volume(attached)
    assert driver.destroy_volume(volume)
    assert driver.create_image(node, "sdk-kept")
    assert "sdk-kept" not in {each.name for each in driver.list_images()}
    cloud.advance()
    [kept] = [each for each in driver.list_images() if each.name == "sdk-kept"]
    assert (kept.extra["min_disk_size"], kept.extra["regions"]) == (25, ["nyc1"])
    restored = driver.create_node("restored", size, kept, location)
    assert restored.image.id == kept.id
    assert driver.delete_image(kept)


def test_libcloud_s_own_driver_keeps_domains_and_records(cloud) -> None:
    dns = object.__new__(DigitalOceanDNSDriver)
    dns.connection = driver_of(cloud).connection
    dns.ex_per_page = 200
    zone = dns.create_zone("sdk-wedding.example")
    assert zone.id in {each.id for each in dns.list_zones()}
    made = dns.create_record("www", zone, RecordType.CNAME, "sdk-wedding.example.", extra={"ttl": 60})
    dns.update_record(made, data="elsewhere.example.", extra={"ttl": 120})
    records = {(each.name, each.type): (each.data, each.ttl) for each in dns.list_records(zone)}
    assert records["www", "CNAME"] == ("elsewhere.example", 120)
    assert records["@", "A"] == ("127.0.0.1", 1800)
    assert dns.delete_zone(zone)


def storage_of(cloud, access_key: str, secret_key: str) -> DigitalOceanSpacesStorageDriver:
    """To another address as above; the signature is over the host."""
    address = urlparse.urlparse(cloud.endpoint_url)
    driver = DigitalOceanSpacesStorageDriver(access_key, secret_key, region="nyc3", signature_version="4")
    driver.connection.secure, driver.connection.host, driver.connection.port = 0, address.hostname, address.port
    driver.connection.connect(host=address.hostname, port=address.port)
    return driver


def test_libcloud_s_own_driver_keeps_objects_with_a_key_of_the_api(cloud, driver) -> None:
    wanted = json.dumps({"name": "sdk", "grants": [{"bucket": "", "permission": "fullaccess"}]})
    key = driver.connection.request("/v2/spaces/keys", method="POST", data=wanted).object["key"]
    storage = storage_of(cloud, key["access_key"], key["secret_key"])
    storage.supports_s3_multipart_upload = False
    bucket = storage.create_container("sdk-albums")
    storage.upload_object_via_stream(iter([b"a wedding"]), bucket, "one.txt")
    assert [each.name for each in storage.list_container_objects(bucket)] == ["one.txt"]
    with pytest.raises(InvalidCredsError):
        storage_of(cloud, key["access_key"], "x" * 43).list_containers()
