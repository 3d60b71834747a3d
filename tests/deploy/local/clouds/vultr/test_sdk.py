"""Does libcloud's own driver, as anybody would use it and not as we do, find Vultr there?"""

import pytest
from libcloud.common.vultr import VultrException
from libcloud.compute.drivers.vultr import VultrNodeDriverV2
from libcloud.compute.types import NodeState
from libcloud.utils.py3 import urlparse


def driver_of(cloud, token: str = "test-key") -> VultrNodeDriverV2:
    address = urlparse.urlparse(cloud.endpoint_url)
    return VultrNodeDriverV2(token, secure=False, host=address.hostname, port=address.port)


@pytest.fixture
def cloud(simulated_world):
    cloud = simulated_world["vultr"]
    cloud.clear_faults()
    yield cloud
    cloud.clear_faults()


@pytest.fixture
def driver(cloud):
    return driver_of(cloud)


def by_id(things, identifier):
    return next(each for each in things if each.id == identifier)


def made(driver, name: str):
    plan, place = by_id(driver.list_sizes(), "vc2-1c-1gb"), by_id(driver.list_locations(), "lhr")
    return driver.create_node(name, plan, place, by_id(driver.list_images(), "2284"))


def test_what_is_offered_is_parsed_whole(driver) -> None:
    assert by_id(driver.list_locations(), "lhr").country == "GB"
    assert by_id(driver.list_sizes(), "vc2-2c-4gb").extra["vcpu_count"] == 2
    assert by_id(driver.list_images(), "2284").name == "Ubuntu 24.04 LTS x64"


def test_an_instance_lives_as_libcloud_sees_it(driver, cloud) -> None:
    node = made(driver, "sdk")
    assert (node.state, node.size, node.image) == (NodeState.PENDING, "vc2-1c-1gb", "2284")
    cloud.advance()
    assert driver.ex_get_node(node.id).state == NodeState.RUNNING
    assert driver.stop_node(node)
    cloud.advance()
    assert driver.ex_get_node(node.id).state == NodeState.STOPPED
    resized = driver.ex_resize_node(node, by_id(driver.list_sizes(), "vc2-2c-4gb"))
    assert resized.state == NodeState.RECONFIGURING
    cloud.advance()
    assert driver.ex_get_node(node.id).size == "vc2-2c-4gb"
    assert driver.start_node(node)
    cloud.advance()
    assert driver.ex_get_node(node.id).state == NodeState.RUNNING
    assert node.id in {each.id for each in driver.list_nodes()}  # asks for bare metal too
    assert driver.destroy_node(node)
    assert node.id not in {each.id for each in driver.list_nodes()}


def test_all_pages_are_listed(driver) -> None:
    driver.connection.add_default_params = lambda params: {**params, "per_page": 3}
    mine = {made(driver, f"page-{number}").id for number in range(7)}
    listed = [each.id for each in driver.list_nodes()]
    assert mine <= set(listed)
    assert len(listed) == len(set(listed))


def test_refusals_are_those_that_libcloud_knows(driver, cloud) -> None:
    with pytest.raises(VultrException, match="401"):
        driver_of(cloud, "invalid").list_nodes()
    cloud.fault(match={"service": "vultr"}, status=429, count=1)
    with pytest.raises(VultrException, match="Rate limit"):
        driver.list_nodes()
    with pytest.raises(VultrException, match="locked"):
        driver.start_node(made(driver, "busy"))


def test_block_storage_and_snapshots_live_as_libcloud_sees_them(driver, cloud) -> None:
    node = made(driver, "sdk-kept")
    volume = driver.create_volume(10, "sdk-volume", "lhr")
    cloud.advance()
    assert driver.attach_volume(node, volume)
    assert driver.ex_get_volume(volume.id).extra["attached_to_instance"] == node.id
    assert driver.detach_volume(volume)
    assert driver.destroy_volume(volume)
    snapshot = driver.ex_create_snapshot(node, "kept")
    cloud.advance()
    kept = driver.ex_get_snapshot(snapshot.id)
    assert (kept.size, kept.extra["description"], str(kept.state)) == (25.0, "kept", "available")
    assert driver.ex_delete_snapshot(kept)
