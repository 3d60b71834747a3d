"""A seeded estate is EC2 to an unmodified SDK: listed, filtered, changed, measured and billed, and it survives a kill."""

import datetime as dt
import signal
import urllib.request
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import botocore.session
import pytest
from botocore.model import ListShape, Shape, StructureShape
from botocore.validate import ParamValidator

from tests.deploy.local.clouds.aws.conftest import Cloud, OwnCloud

REGION = "us-east-1"
MACHINES = 60


@pytest.fixture(scope="module")
def own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnCloud]:
    own = OwnCloud(tmp_path_factory.mktemp("seeded"))
    yield own
    own.clean_up()


@pytest.fixture(scope="module")
def estate(own_folder: OwnCloud) -> Cloud:
    cloud = own_folder.start()
    order = {"seed": 7, "machines": MACHINES, "provider": "aws"}
    assert cloud.ask("POST", "/_sim/seed", order) == {"planted": {"aws": MACHINES}}
    assert cloud.ask("POST", "/_sim/seed", order) == {"planted": {"aws": 0}}
    return cloud


def instances(pages: Any) -> list[dict[str, Any]]:
    return [each for page in pages for reservation in page["Reservations"] for each in reservation["Instances"]]


def here(cloud: Cloud) -> list[dict[str, Any]]:
    return [each for each in cloud.ask("GET", "/_sim/instances")["instances"] if each["region"] == REGION]


def test_pages_have_every_machine_once_and_then_motos(estate: Cloud) -> None:
    own = estate.run()["InstanceId"]
    ec2 = estate.client("ec2")
    pages = list(ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))
    found = [each["InstanceId"] for each in instances(pages)]
    assert sorted(found) == sorted(each["id"] for each in here(estate))
    assert own in found
    assert len(pages[0]["Reservations"]) == 5
    assert sorted(each["InstanceId"] for each in instances([ec2.describe_instances()])) == sorted(found)
    both = [own, next(each for each in found if each != own)]
    assert {each["InstanceId"] for each in instances([ec2.describe_instances(InstanceIds=both)])} == set(both)
    volumes = [each for page in ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 7})
               for each in page["Volumes"]]  # fmt: skip
    known = [each for each in estate.ask("GET", "/_sim/volumes")["volumes"] if each["region"] == REGION]
    assert sorted(each["VolumeId"] for each in volumes) == sorted(each["id"] for each in known)
    assert {each["Attachments"][0]["InstanceId"] for each in volumes} == set(found)


def test_it_is_an_estate(estate: Cloud) -> None:
    machines = [each for each in estate.ask("GET", "/_sim/instances")["instances"] if each.get("seeded")]
    assert len({each["region"] for each in machines}) == 4
    assert len({each["instance_type"] for each in machines}) == 4
    assert {each["state"] for each in machines} == {"running", "stopped"}
    assert any(not value.isascii() for each in machines for value in each["tags"].values())
    [line] = [each for each in estate.ask("GET", "/_sim/ledger")["entries"] if each["action"] == "seed"]
    assert sorted(line["result_ids"]) == sorted(each["id"] for each in machines)


def test_filters_are_those_of_ec2(estate: Cloud) -> None:
    ec2 = estate.client("ec2", "us-west-2")

    def found(*filters: tuple[str, str]) -> list[dict[str, Any]]:
        given = [{"Name": name, "Values": [value]} for name, value in filters]
        return instances([ec2.describe_instances(Filters=given)])

    everything = found()
    stopped = [each for each in everything if each["State"]["Name"] == "stopped"]
    assert found(("instance-state-name", "stopped")) == stopped
    name = next(tag["Value"] for tag in everything[0]["Tags"] if tag["Key"] == "Name")
    assert [each["InstanceId"] for each in found(("tag:Name", name))] == [everything[0]["InstanceId"]]
    assert len(found(("tag:Name", "*-0*"), ("tag-key", "Environment"))) == len(everything)


def test_orders_are_taken_and_survive_a_kill(own_folder: OwnCloud, estate: Cloud) -> None:
    region = "eu-west-1"
    ec2 = estate.client("ec2", region)
    first, second = [each for each in instances([ec2.describe_instances()]) if each["State"]["Name"] == "running"][:2]
    ids = [first["InstanceId"]]
    answer = ec2.stop_instances(InstanceIds=ids)["StoppingInstances"][0]
    assert (answer["PreviousState"]["Name"], answer["CurrentState"]["Name"]) == ("running", "stopping")
    with pytest.raises(ec2.exceptions.ClientError, match="IncorrectInstanceState"):
        ec2.start_instances(InstanceIds=ids)
    estate.advance(31)
    ec2.modify_instance_attribute(InstanceId=ids[0], InstanceType={"Value": "t3.medium"})
    ec2.create_tags(Resources=ids, Tags=[{"Key": "Überprüft", "Value": "ja"}])
    ec2.terminate_instances(InstanceIds=[second["InstanceId"]])
    with pytest.raises(ec2.exceptions.ClientError, match="UnsupportedOperation"):
        ec2.create_image(InstanceId=ids[0], Name="seeded")
    estate.advance(31)
    own_folder.end(signal.SIGKILL)
    again = own_folder.start()
    estate.url = again.url
    ec2 = again.client("ec2", region)
    [now] = instances([ec2.describe_instances(InstanceIds=ids)])
    assert (now["State"]["Name"], now["InstanceType"]) == ("stopped", "t3.medium")
    assert {"Key": "Überprüft", "Value": "ja"} in now["Tags"]
    [gone] = instances([ec2.describe_instances(InstanceIds=[second["InstanceId"]])])
    assert gone["State"]["Name"] == "terminated"
    actions = [each["action"] for each in again.ask("GET", "/_sim/ledger")["entries"]]
    assert actions.count("StopInstances") == actions.count("TerminateInstances") == 1


def elements_unknown(element: ET.Element, shape: Shape, path: str = "") -> list[str]:
    """The elements that the service's model does not have."""
    if isinstance(shape, ListShape):
        return [each for child in element for each in elements_unknown(child, shape.member, path)]
    if not isinstance(shape, StructureShape):
        return []
    members = {inner.serialization.get("name", name): inner for name, inner in shape.members.items()}
    unknown = []
    for child in element:
        name = child.tag.partition("}")[2]
        inner = members.get(name)
        unknown += [f"{path}/{name}"] if inner is None else elements_unknown(child, inner, f"{path}/{name}")
    return unknown


@pytest.mark.parametrize("operation", ["DescribeInstances", "DescribeVolumes"])
def test_every_element_is_one_of_the_service_model(estate: Cloud, operation: str) -> None:
    ec2 = estate.client("ec2", "ap-southeast-1")
    bodies: list[bytes] = []
    ec2.meta.events.register(
        f"before-parse.ec2.{operation}", lambda response_dict, **_: bodies.append(response_dict["body"])
    )
    getattr(ec2, {"DescribeInstances": "describe_instances"}.get(operation, "describe_volumes"))()
    root = ET.fromstring(bodies[0])
    assert {child.tag.partition("}")[2] for child in root} >= {"requestId"}
    model = ec2.meta.service_model.operation_model(operation)
    assert [each for each in elements_unknown(root, model.output_shape) if each != "/requestId"] == []


def test_a_case_shows_in_cloudwatch(estate: Cloud) -> None:
    machine = next(each for each in here(estate) if each["state"] == "running" and each.get("seeded"))
    estate.ask("POST", "/_sim/cases", {"instance_id": machine["id"], "case": "runaway", "began_s": 0})
    cases = {each["instance_id"]: each for each in estate.ask("GET", "/_sim/cases")["cases"]}
    assert cases[machine["id"]]["answer"]["action"] == "restart"
    now = dt.datetime.now(dt.UTC)
    dimensions = [{"Name": "InstanceId", "Value": machine["id"]}]
    metric = {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": dimensions}
    query = {"Id": "cpu", "MetricStat": {"Metric": metric, "Period": 300, "Stat": "Minimum"}}
    answer = estate.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query], StartTime=now - dt.timedelta(hours=1), EndTime=now
    )
    values = answer["MetricDataResults"][0]["Values"]
    assert len(values) >= 11
    assert min(values) >= 96
    assert estate.ask("POST", "/_sim/cases", {"instance_id": "i-1", "case": "lazy"})["status"] == 422


def checked(cloud: Cloud, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
    """The answer of an unmodified SDK, after the model's own validator has read it as if it were a request."""
    client = cloud.client(service)
    method = {"GetCostAndUsage": "get_cost_and_usage", "GetProducts": "get_products"}[operation]
    answer = getattr(client, method)(**parameters)
    answer.pop("ResponseMetadata")
    shape = botocore.session.get_session().get_service_model(service).operation_model(operation).output_shape
    report = ParamValidator().validate(answer, shape)
    assert not report.has_errors(), report.generate_report()
    return dict(answer)


def test_costs_add_up_whatever_they_are_grouped_by(estate: Cloud) -> None:
    today = dt.datetime.now(dt.UTC).date()
    period = {"Start": (today - dt.timedelta(days=20)).isoformat(), "End": (today + dt.timedelta(days=1)).isoformat()}

    def total(**more: Any) -> float:
        answer = checked(estate, "ce", "GetCostAndUsage", TimePeriod=period, Metrics=["UnblendedCost"],
                         **{"Granularity": "DAILY", **more})  # fmt: skip
        metrics = [each["Metrics"] for day in answer["ResultsByTime"] for each in day["Groups"]] or [
            day["Total"] for day in answer["ResultsByTime"]
        ]
        assert [day["Estimated"] for day in answer["ResultsByTime"]][-1]
        return sum(float(each["UnblendedCost"]["Amount"]) for each in metrics)

    whole = total()
    assert whole > 100
    for group in ({"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "TAG", "Key": "Team"}):
        assert total(GroupBy=[group]) == pytest.approx(whole, rel=1e-3)
    assert total(Granularity="MONTHLY") == pytest.approx(whole, rel=1e-3)
    in_region = {"Dimensions": {"Key": "REGION", "Values": [REGION]}}
    assert total(Filter=in_region) + total(Filter={"Not": in_region}) == pytest.approx(whole, rel=1e-3)
    ce = estate.client("ce")
    with pytest.raises(ce.exceptions.ClientError, match="ValidationException"):
        ce.get_cost_and_usage(TimePeriod={"Start": period["End"], "End": period["Start"]}, Granularity="DAILY",
                              Metrics=["UnblendedCost"])  # fmt: skip


def test_the_price_list_is_paged_and_filtered(estate: Cloud) -> None:
    filters = [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-west-1"}]
    first = checked(estate, "pricing", "GetProducts", ServiceCode="AmazonEC2", Filters=filters, MaxResults=4)
    rest = checked(estate, "pricing", "GetProducts", ServiceCode="AmazonEC2", Filters=filters, MaxResults=4,
                   NextToken=first["NextToken"])  # fmt: skip
    assert len(first["PriceList"]) == 4
    assert "NextToken" not in rest
    assert '"USD": "0.0114000000"' in "".join(first["PriceList"])


def test_bad_orders_are_refused(estate: Cloud) -> None:
    for order in ({}, {"machines": 0}, {"machines": 5, "provider": "nobody"}, {"machines": 5, "seed": "x"},
                  {"machines": 5, "account": "1"}, {"machines": 5, "colour": 1}):  # fmt: skip
        assert estate.ask("POST", "/_sim/seed", order)["status"] == 422
    with urllib.request.urlopen(f"{estate.url}/healthz") as answer:
        assert answer.status == 200
