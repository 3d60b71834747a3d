"""Does everything that a client got an answer for survive `kill -9`, and nothing come twice?"""

import datetime as dt
import json
import signal
import threading
import time

import pytest
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.validate import ParamValidator

TAGS = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web-1"}]}]


def machines(cloud):
    return {machine["id"]: machine for machine in cloud.ask("GET", "/_sim/instances")["instances"]}


def test_machines_networks_keys_ledger_calls_and_time_survive_a_kill(own_cloud) -> None:
    cloud = own_cloud.start()
    machine = cloud.run(ClientToken="kept", TagSpecifications=TAGS)
    volume = machine["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    cloud.advance(31)
    assert cloud.state(machine["InstanceId"]) == "running"
    subnets = [subnet["SubnetId"] for subnet in cloud.client("ec2", "eu-west-3").describe_subnets()["Subnets"]]
    user = cloud.client("iam").create_user(UserName="kept")["User"]["Arn"]
    before, ledger = machines(cloud), cloud.ask("GET", "/_sim/ledger")["entries"]
    assert before[machine["InstanceId"]]["tags"] == {"Name": "web-1"}
    own_cloud.end()
    cloud = own_cloud.start()
    assert machines(cloud) == before
    assert cloud.state(machine["InstanceId"]) == "running"
    volumes = cloud.client("ec2").describe_volumes(VolumeIds=[volume])["Volumes"]
    assert volumes[0]["Attachments"][0]["InstanceId"] == machine["InstanceId"]
    after = [subnet["SubnetId"] for subnet in cloud.client("ec2", "eu-west-3").describe_subnets()["Subnets"]]
    assert after == subnets
    assert cloud.client("iam").get_user(UserName="kept")["User"]["Arn"] == user
    assert cloud.ask("GET", "/_sim/ledger")["entries"] == ledger
    counts = {row["action"]: row["count"] for row in cloud.ask("GET", "/_sim/calls")["calls"]}
    assert counts["RunInstances"] == 1
    assert cloud.run(ClientToken="kept", TagSpecifications=TAGS)["InstanceId"] == machine["InstanceId"]
    assert len(machines(cloud)) == 1


def make_assets(cloud) -> dict[str, str]:
    """One of each kind, as an operator with the SDK makes them; their ids by kind."""
    cloud.client("s3").create_bucket(
        Bucket="kept-bucket", CreateBucketConfiguration={"Tags": [{"Key": "team", "Value": "photos"}]}
    )
    cloud.client("s3").put_object(Bucket="kept-bucket", Key="a key/ü", Body=b"content")
    database = cloud.client("rds").create_db_instance(
        DBInstanceIdentifier="kept",
        Engine="postgres",
        DBInstanceClass="db.t3.micro",
        AllocatedStorage=20,
        MasterUsername="owner",
        MasterUserPassword="a-long-password",
    )["DBInstance"]
    subnets = [each["SubnetId"] for each in cloud.client("ec2").describe_subnets()["Subnets"]][:2]
    [balancer] = cloud.client("elbv2").create_load_balancer(Name="kept", Subnets=subnets)["LoadBalancers"]
    zone = cloud.client("route53").create_hosted_zone(Name="example.com", CallerReference="kept")["HostedZone"]
    origin = {
        "Id": "o",
        "DomainName": "origin.example.com",
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    }
    distribution = cloud.client("cloudfront").create_distribution(
        DistributionConfig={
            "CallerReference": "kept", "Comment": "", "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "https-only"},
        }
    )["Distribution"]  # fmt: skip
    return {
        "s3_bucket": "kept-bucket",
        "vpc": cloud.client("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"],
        "rds_instance": database["DBInstanceArn"],
        "load_balancer": balancer["LoadBalancerArn"],
        "route53_zone": zone["Id"].removeprefix("/hostedzone/"),
        "cloudfront_distribution": distribution["Id"],
    }


def assets_of(cloud) -> list[dict[str, object]]:
    """Of the first account: moto makes a network for an account of its own too, which nobody has keys of."""
    assets = cloud.ask("GET", "/_sim/assets")["assets"]
    return [each for each in assets if each["account"] == cloud.accounts[0]["account_id"]]


def check_that_answers_are_what_the_models_say(cloud, kept: dict[str, str]) -> None:
    """Each member that a service's model requires is there, and of its type."""
    distribution, zone = {"Id": kept["cloudfront_distribution"]}, {"HostedZoneId": kept["route53_zone"]}
    wrong = {}
    for service, operation, asked in (
        ("s3", "ListBuckets", {}),
        ("ec2", "DescribeVpcs", {}),
        ("ec2", "DescribeSubnets", {}),
        ("rds", "DescribeDBInstances", {}),
        ("elbv2", "DescribeLoadBalancers", {}),
        ("route53", "ListHostedZones", {}),
        ("route53", "ListResourceRecordSets", zone),
        ("cloudfront", "GetDistribution", distribution),
        ("cloudfront", "GetDistributionConfig", distribution),
        ("cloudfront", "ListDistributions", {}),
        ("service-quotas", "ListServiceQuotas", {"ServiceCode": "ec2"}),
    ):
        client = cloud.client(service)
        answer = getattr(client, xform_name(operation))(**asked)
        answer.pop("ResponseMetadata")
        shape = client.meta.service_model.operation_model(operation).output_shape
        report = ParamValidator().validate(answer, shape)
        if report.has_errors():
            wrong[operation] = report.generate_report()
    assert wrong == {}


def test_what_is_no_machine_survives_a_kill_with_its_state(own_cloud, code_of) -> None:
    cloud = own_cloud.start()
    kept = make_assets(cloud)
    before = assets_of(cloud)
    assert set(kept.items()) <= {(each["kind"], each["id"]) for each in before}
    own_cloud.end()
    cloud = own_cloud.start()
    assert assets_of(cloud) == before
    assert cloud.client("s3").get_object(Bucket="kept-bucket", Key="a key/ü")["Body"].read() == b"content"
    tags = cloud.client("s3").get_bucket_tagging(Bucket="kept-bucket")["TagSet"]
    assert tags == [{"Key": "team", "Value": "photos"}]
    elsewhere = cloud.client("s3", account=cloud.accounts[1])
    assert code_of(lambda: elsewhere.create_bucket(Bucket="kept-bucket")) == "BucketAlreadyExists"
    check_that_answers_are_what_the_models_say(cloud, kept)
    rds, cloudfront = cloud.client("rds"), cloud.client("cloudfront")
    elbv2 = cloud.client("elbv2")

    def states() -> tuple[str, str, str]:
        [database] = rds.describe_db_instances()["DBInstances"]
        [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
        distribution = cloudfront.get_distribution(Id=kept["cloudfront_distribution"])["Distribution"]
        return database["DBInstanceStatus"], balancer["State"]["Code"], distribution["Status"]

    assert states() == ("creating", "provisioning", "InProgress")
    cloud.advance(31)
    assert states() == ("available", "active", "Deployed")
    ledger = cloud.ask("GET", "/_sim/ledger")["entries"]
    assert "a-long-password" not in json.dumps(ledger)
    made = {each["action"]: each["result_ids"] for each in ledger}
    assert kept["rds_instance"] in made["CreateDBInstance"]
    assert kept["vpc"] in made["CreateVpc"]
    assert kept["route53_zone"] in made["CreateHostedZone"]


def test_metrics_survive_an_orderly_stop(own_cloud) -> None:
    cloud = own_cloud.start()
    now = dt.datetime.now(dt.UTC)
    datum = {"MetricName": "kept", "Value": 4.0, "Timestamp": now}
    cloud.client("cloudwatch").put_metric_data(Namespace="Test", MetricData=[datum])
    assert own_cloud.end(signal.SIGTERM) == 0
    cloud = own_cloud.start()
    found = cloud.client("cloudwatch").get_metric_statistics(
        Namespace="Test",
        MetricName="kept",
        StartTime=now - dt.timedelta(minutes=1),
        EndTime=now + dt.timedelta(minutes=1),
        Period=60,
        Statistics=["Average"],
    )
    assert [point["Average"] for point in found["Datapoints"]] == [4.0]


@pytest.mark.parametrize("seed", [0, 2])
def test_a_kill_amid_many_calls_loses_no_machine_that_was_answered(own_cloud, seed) -> None:
    cloud = own_cloud.start()
    image = cloud.image()
    ec2 = cloud.client("ec2")  # threads may share a client, but not make one at once: boto3's session is not safe
    asked = {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    answered: dict[str, str] = {}

    def create(worker: int) -> None:
        for number in range(1000):
            token = f"{worker}-{number}"
            try:
                answered[token] = ec2.run_instances(ClientToken=token, **asked)["Instances"][0]["InstanceId"]
            except (BotoCoreError, ClientError, ResponseParserError):  # the last: an answer cut in its middle
                return

    workers = [threading.Thread(target=create, args=(worker,)) for worker in range(4)]
    for worker in workers:
        worker.start()
    while len(answered) < 5 + 3 * seed:
        time.sleep(0.001)
    own_cloud.end()
    for worker in workers:
        worker.join()
    cloud = own_cloud.start()
    known = {machine["client_token"]: machine["id"] for machine in machines(cloud).values()}
    assert len(known) == len(machines(cloud))
    assert answered.items() <= known.items()
    created = [e for e in cloud.ask("GET", "/_sim/ledger")["entries"] if e["action"] == "RunInstances"]
    assert sorted(e["client_token"] for e in created) == sorted(known)
    assert [e["sequence"] for e in created] == sorted(e["sequence"] for e in created)
