"""Do the simulator's own lists tell a test what really happened?"""


def test_the_ledger_names_every_accepted_mutation_once_in_order(cloud) -> None:
    last = max((e["sequence"] for e in cloud.ask("GET", "/_sim/ledger")["entries"]), default=0)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "listed"}]}]
    machine = cloud.run(ClientToken="ledger", TagSpecifications=tags)["InstanceId"]
    cloud.run(ClientToken="ledger", TagSpecifications=tags)
    cloud.client("ec2").terminate_instances(InstanceIds=[machine])
    entries = cloud.ask("GET", f"/_sim/ledger?since={last}")["entries"]
    assert [e["sequence"] for e in entries] == [last + 1, last + 2, last + 3]
    assert [(e["action"], e["repeated"]) for e in entries] == [
        ("RunInstances", False),
        ("RunInstances", True),
        ("TerminateInstances", False),
    ]
    first = entries[0]
    assert (first["account"], first["region"]) == (cloud.accounts[0]["account_id"], "us-east-1")
    assert first["client_token"] == "ledger"
    assert first["parameters"]["TagSpecification.1.Tag.1.Value"] == "listed"
    assert machine in first["result_ids"]


def test_the_list_of_machines_keeps_the_terminated_of_every_account_and_region(cloud) -> None:
    mine = cloud.run("ap-south-1")["InstanceId"]
    theirs = cloud.run("us-west-2", cloud.accounts[1])["InstanceId"]
    cloud.client("ec2", "ap-south-1").terminate_instances(InstanceIds=[mine])
    cloud.advance(31)
    listed = {m["id"]: m for m in cloud.ask("GET", "/_sim/instances")["instances"]}
    assert (listed[mine]["state"], listed[mine]["region"]) == ("terminated", "ap-south-1")
    assert (listed[theirs]["state"], listed[theirs]["account"]) == ("running", cloud.accounts[1]["account_id"])
    assert listed[mine]["volumes"] == []


def test_snapshots_and_volumes_are_listed_with_where_they_belong(cloud) -> None:
    machine = cloud.run("ca-central-1")
    volume = machine["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    snapshot = cloud.client("ec2", "ca-central-1").create_snapshot(VolumeId=volume)["SnapshotId"]
    snapshots = [s for s in cloud.ask("GET", "/_sim/snapshots")["snapshots"] if s["region"] == "ca-central-1"]
    assert [(s["id"], s["volume_id"], s["state"]) for s in snapshots] == [(snapshot, volume, "pending")]
    volumes = [v for v in cloud.ask("GET", "/_sim/volumes")["volumes"] if v["region"] == "ca-central-1"]
    assert [(v["id"], v["instance_id"]) for v in volumes] == [(volume, machine["InstanceId"])]


def test_refused_calls_are_counted_too(cloud, code_of) -> None:
    cloud.ask("POST", "/_sim/fault", {"match": {"action": "DescribeKeyPairs"}, "status": 429, "count": 1})
    client = cloud.client("ec2")
    assert code_of(client.describe_key_pairs) == "RequestLimitExceeded"
    client.describe_key_pairs()
    counts = {row["action"]: row["count"] for row in cloud.ask("GET", "/_sim/calls")["calls"]}
    assert counts["DescribeKeyPairs"] == 2


def test_a_service_that_is_not_simulated_says_so(cloud, code_of) -> None:
    assert code_of(cloud.client("lambda").list_functions) == "UnsupportedOperation"
    assert (
        code_of(lambda: cloud.client("ssm").put_parameter(Name="a", Value="b", Type="String")) == "UnsupportedOperation"
    )


def test_the_public_parameter_names_an_image_that_exists(cloud) -> None:
    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
    image = cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    assert cloud.run(ImageId=image)["ImageId"] == image


def test_controls_refuse_bad_input(cloud) -> None:
    assert cloud.ask("POST", "/_sim/advance", {"seconds": -1})["status"] == 422
    assert cloud.ask("POST", "/_sim/advance", {"seconds": "many"})["status"] == 422
    assert cloud.ask("GET", "/_sim/ledger?since=x")["status"] == 422
    assert cloud.ask("GET", "/_sim/nothing")["status"] == 404
    assert cloud.ask("GET", "/healthz") == {"status": "ok"}
