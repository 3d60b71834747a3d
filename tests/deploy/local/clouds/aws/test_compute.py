"""Do machines, volumes, snapshots and images of the simulated EC2 take their time, and refuse what EC2 refuses?"""

from concurrent.futures import ThreadPoolExecutor

import pytest

STATE_SECONDS = 31


@pytest.fixture
def ec2(cloud):
    return cloud.client("ec2")


def root_volume(machine) -> str:
    return machine["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]


def test_a_machine_is_pending_before_it_runs(cloud) -> None:
    machine = cloud.run()
    assert machine["State"]["Name"] == "pending"
    assert cloud.state(machine["InstanceId"]) == "pending"
    cloud.advance(STATE_SECONDS)
    assert cloud.state(machine["InstanceId"]) == "running"


def test_stop_start_and_terminate_pass_through_their_states(cloud, ec2) -> None:
    machine = cloud.run()["InstanceId"]
    seen = []
    for order in (ec2.stop_instances, ec2.start_instances, ec2.terminate_instances):
        cloud.advance(STATE_SECONDS)
        seen.append(cloud.state(machine))
        order(InstanceIds=[machine])
        seen.append(cloud.state(machine))
    cloud.advance(STATE_SECONDS)
    seen.append(cloud.state(machine))
    assert seen == ["running", "stopping", "stopped", "pending", "running", "shutting-down", "terminated"]


def test_a_filter_by_state_sees_the_state_of_now(cloud, ec2) -> None:
    machine = cloud.run("us-east-2")["InstanceId"]
    pending = [{"Name": "instance-state-name", "Values": ["pending"]}]
    client = cloud.client("ec2", "us-east-2")
    found = client.describe_instances(Filters=pending)["Reservations"]
    assert [r["Instances"][0]["InstanceId"] for r in found] == [machine]
    cloud.advance(STATE_SECONDS)
    assert client.describe_instances(Filters=pending)["Reservations"] == []


def test_orders_that_do_not_fit_the_state_are_refused(cloud, ec2, code_of) -> None:
    machine = cloud.run()["InstanceId"]
    assert code_of(lambda: ec2.stop_instances(InstanceIds=[machine])) == "IncorrectInstanceState"
    ec2.terminate_instances(InstanceIds=[machine])
    cloud.advance(STATE_SECONDS)
    for order in (ec2.start_instances, ec2.stop_instances, ec2.reboot_instances):
        assert code_of(lambda order=order: order(InstanceIds=[machine])) == "IncorrectInstanceState"
    assert cloud.state(machine) == "terminated"


def test_an_order_that_one_machine_refuses_changes_none(cloud, ec2, code_of) -> None:
    running = cloud.run()["InstanceId"]
    cloud.advance(STATE_SECONDS)
    pending = cloud.run()["InstanceId"]
    assert code_of(lambda: ec2.stop_instances(InstanceIds=[running, pending])) == "IncorrectInstanceState"
    assert cloud.state(running) == "running"


def test_the_type_of_a_machine_changes_only_when_it_is_stopped(cloud, ec2, code_of) -> None:
    machine = cloud.run()["InstanceId"]
    cloud.advance(STATE_SECONDS)
    change = {"InstanceId": machine, "InstanceType": {"Value": "t3.large"}}
    assert code_of(lambda: ec2.modify_instance_attribute(**change)) == "IncorrectInstanceState"
    ec2.stop_instances(InstanceIds=[machine])
    cloud.advance(STATE_SECONDS)
    ec2.modify_instance_attribute(**change)
    answer = ec2.describe_instances(InstanceIds=[machine])
    assert answer["Reservations"][0]["Instances"][0]["InstanceType"] == "t3.large"


def test_images_and_types_that_do_not_exist_are_refused_and_make_nothing(cloud, code_of) -> None:
    before = len(cloud.ask("GET", "/_sim/instances")["instances"])
    assert code_of(lambda: cloud.run(ImageId="ami-0123456789abcdef0")) == "InvalidAMIID.NotFound"
    assert code_of(lambda: cloud.run(InstanceType="t3.colossal")) == "InvalidInstanceType.NotFound"
    assert code_of(lambda: cloud.run(SecurityGroupIds=["sg-0123456789abcdef0"])) == "InvalidGroup.NotFound"
    assert len(cloud.ask("GET", "/_sim/instances")["instances"]) == before


def test_every_region_of_the_catalogue_has_an_amazon_linux_image(cloud) -> None:
    for region in ("us-east-1", "us-west-2", "eu-central-1", "ap-southeast-2"):
        assert cloud.run(region)["State"]["Name"] == "pending"


def test_a_repeated_client_token_gives_the_same_machine(cloud) -> None:
    first = cloud.run(ClientToken="same")
    assert cloud.run(ClientToken="same")["InstanceId"] == first["InstanceId"]
    assert cloud.run("us-west-1", ClientToken="same")["InstanceId"] != first["InstanceId"]


def test_a_client_token_with_other_parameters_is_refused(cloud, code_of) -> None:
    cloud.run(ClientToken="other")
    assert code_of(lambda: cloud.run(ClientToken="other", InstanceType="t3.small")) == "IdempotentParameterMismatch"


def test_a_client_token_of_a_terminated_machine_is_refused(cloud, ec2, code_of) -> None:
    machine = cloud.run(ClientToken="gone")["InstanceId"]
    ec2.terminate_instances(InstanceIds=[machine])
    assert code_of(lambda: cloud.run(ClientToken="gone")) == "IdempotentInstanceTerminated"


def test_a_refused_call_does_not_use_up_its_client_token(cloud, code_of) -> None:
    assert code_of(lambda: cloud.run(ClientToken="again", InstanceType="t3.colossal")) == "InvalidInstanceType.NotFound"
    assert cloud.run(ClientToken="again")["State"]["Name"] == "pending"


def test_repeats_at_the_same_time_make_one_machine(cloud) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: cloud.run(ClientToken="at once")["InstanceId"], range(16)))
    assert len(set(made)) == 1
    owned = [m for m in cloud.ask("GET", "/_sim/instances")["instances"] if m["client_token"] == "at once"]
    assert len(owned) == 1


def test_as_many_machines_as_asked_come_in_one_reservation(cloud, ec2) -> None:
    answer = ec2.run_instances(ImageId=cloud.image(), InstanceType="t3.micro", MinCount=1, MaxCount=3)
    assert len(answer["Instances"]) == 3


def test_the_root_volume_carries_the_name_that_the_machine_gives_it(cloud, ec2) -> None:
    machine = cloud.run()
    assert machine["BlockDeviceMappings"][0]["DeviceName"] == machine["RootDeviceName"]
    volume = ec2.describe_volumes(VolumeIds=[root_volume(machine)])["Volumes"][0]
    assert volume["Attachments"][0]["InstanceId"] == machine["InstanceId"]


def test_a_snapshot_shows_progress_and_is_used_only_when_completed(cloud, ec2, code_of) -> None:
    snapshot = ec2.create_snapshot(VolumeId=root_volume(cloud.run()))
    assert (snapshot["State"], snapshot["Progress"]) == ("pending", "0%")
    known = snapshot["SnapshotId"]
    restore = {"SnapshotId": known, "AvailabilityZone": "us-east-1a"}
    west = cloud.client("ec2", "us-west-2")
    assert code_of(lambda: ec2.create_volume(**restore)) == "IncorrectState"
    copy = {"SourceRegion": "us-east-1", "SourceSnapshotId": known}
    assert code_of(lambda: west.copy_snapshot(**copy)) == "IncorrectState"
    cloud.advance(15)
    half = ec2.describe_snapshots(SnapshotIds=[known])["Snapshots"][0]
    assert half["State"] == "pending"
    assert 50 <= int(half["Progress"].rstrip("%")) < 100
    cloud.advance(16)
    whole = ec2.describe_snapshots(SnapshotIds=[known])["Snapshots"][0]
    assert (whole["State"], whole["Progress"]) == ("completed", "100%")
    assert ec2.create_volume(**restore)["SnapshotId"] == known


def test_a_copied_snapshot_becomes_an_image_and_a_machine_in_the_other_region(cloud, ec2) -> None:
    snapshot = ec2.create_snapshot(VolumeId=root_volume(cloud.run()))["SnapshotId"]
    cloud.advance(STATE_SECONDS)
    west = cloud.client("ec2", "us-west-2")
    copied = west.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
    cloud.advance(STATE_SECONDS)
    image = west.register_image(
        Name="restored",
        Architecture="x86_64",
        RootDeviceName="/dev/xvda",
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": copied}}],
    )["ImageId"]
    cloud.advance(STATE_SECONDS)
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": copied, "DeleteOnTermination": True}}
    machine = cloud.run("us-west-2", ImageId=image, BlockDeviceMappings=[device])
    volume = west.describe_volumes(VolumeIds=[root_volume(machine)])["Volumes"][0]
    assert volume["SnapshotId"] == copied


def test_own_snapshots_are_listed_without_those_of_amazon(cloud) -> None:
    client = cloud.client("ec2", "eu-west-1")
    assert client.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    machine = cloud.run("eu-west-1")
    snapshot = client.create_snapshot(VolumeId=root_volume(machine))["SnapshotId"]
    assert [s["SnapshotId"] for s in client.describe_snapshots(OwnerIds=["self"])["Snapshots"]] == [snapshot]


def test_a_volume_is_attached_once_in_its_own_zone_and_made_once_per_token(cloud, ec2, code_of) -> None:
    first, second = cloud.run(), cloud.run()
    cloud.advance(STATE_SECONDS)
    asked = {"Size": 4, "ClientToken": "volume", "AvailabilityZone": first["Placement"]["AvailabilityZone"]}
    volume = ec2.create_volume(**asked)["VolumeId"]
    assert ec2.create_volume(**asked)["VolumeId"] == volume
    ec2.attach_volume(VolumeId=volume, InstanceId=first["InstanceId"], Device="/dev/sdf")
    again = {"VolumeId": volume, "InstanceId": second["InstanceId"], "Device": "/dev/sdf"}
    assert code_of(lambda: ec2.attach_volume(**again)) == "VolumeInUse"
    elsewhere = ec2.create_volume(Size=4, AvailabilityZone="us-east-1d")["VolumeId"]
    again["VolumeId"] = elsewhere
    assert code_of(lambda: ec2.attach_volume(**again)) == "InvalidVolume.ZoneMismatch"


def test_a_tag_on_a_machine_that_does_not_exist_is_refused(ec2, code_of) -> None:
    tag = {"Resources": ["i-0123456789abcdef0"], "Tags": [{"Key": "Name", "Value": "x"}]}
    assert code_of(lambda: ec2.create_tags(**tag)) == "InvalidInstanceID.NotFound"
