"""Long answers of EC2 are read as botocore reads them, but for what nobody asks for."""

import socket
import threading

import boto3
import pytest
from botocore.parsers import ResponseParserError

from shared.clouds.aws import listing
from shared.clouds.aws.client import AwsClient
from shared.clouds.aws.cloud import AwsCloud
from shared.clouds.errors import ProviderFault
from shared.clouds.models import Credentials
from shared.clouds.settings import CloudSettings
from tests.fixtures.clouds import SimulatedAws

pytestmark = pytest.mark.anyio

REGION = "us-west-2"
SDK_NAMES = {"DescribeInstances": "describe_instances", "DescribeVolumes": "describe_volumes"}


@pytest.fixture(scope="module")
def estate(simulated_aws_server: SimulatedAws) -> SimulatedAws:
    """In the second account, so that nobody else's lists are longer."""
    account = simulated_aws_server.accounts[1]["account_id"]
    simulated_aws_server.seed(seed=11, machines=60, provider="aws", account=account)
    return simulated_aws_server


def client_of(aws: SimulatedAws):
    keys = aws.credentials(1)
    return boto3.client(
        "ec2", region_name=REGION, endpoint_url=aws.endpoint_url, aws_access_key_id=keys["access_key_id"],
        aws_secret_access_key=keys["secret_access_key"],
    )  # fmt: skip


def only(wanted, found):
    """What of an answer is wanted."""
    if wanted is None:
        return found
    if isinstance(found, list):
        return [only(wanted, each) for each in found]
    return {name: only(inner, found[name]) for name, inner in wanted.items() if name in found}


@pytest.mark.parametrize("operation", listing.LISTINGS)
def test_it_is_what_botocore_reads(estate, operation):
    plain, fast = client_of(estate), client_of(estate)
    listing.register(fast.meta.events, fast.meta.service_model)
    expected = getattr(plain, SDK_NAMES[operation])(MaxResults=20)
    found = getattr(fast, SDK_NAMES[operation])(MaxResults=20)
    assert found.pop("ResponseMetadata")["RequestId"] == expected.pop("ResponseMetadata")["RequestId"]
    assert found == only(listing.LISTINGS[operation], expected)
    assert found != expected
    with pytest.raises(plain.exceptions.ClientError) as refused:
        getattr(fast, SDK_NAMES[operation])(MaxResults=20, Filters=[{"Name": "colour", "Values": ["blue"]}])
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_elements_that_no_model_knows_are_passed_over(estate):
    fast = client_of(estate)
    root = listing.compiled(fast.meta.service_model.operation_model("DescribeInstances"), {"NextToken": None})
    new = b"<item><nextToken>no</nextToken></item>"
    body = b"<R><requestId>1</requestId><news>" + new + b"</news><nextToken>a&amp;b</nextToken></R>"
    assert listing.read(body, root) == {"requestId": "1", "NextToken": "a&b"}


def test_a_member_that_ec2_does_not_have_is_found_at_once(estate):
    operation = client_of(estate).meta.service_model.operation_model("DescribeInstances")
    with pytest.raises(KeyError):
        listing.compiled(operation, {"Reservations": {"Instances": {"Colour": None}}})


def test_half_an_answer_is_an_error(estate):
    model = client_of(estate).meta.service_model.operation_model("DescribeVolumes")
    reader = listing._Reader("DescribeVolumes", listing.compiled(model, listing.LISTINGS["DescribeVolumes"]))
    for body in (b"<R><volumeSet><item>", b"<R><volumeSet><item><size>many</size></item></volumeSet></R>"):
        with pytest.raises(ResponseParserError):
            reader({"status_code": 200, "body": body}, {})


async def test_the_adapter_reads_every_machine_once(estate):
    cloud = AwsCloud(estate.credentials(1), estate.settings())
    pages = [page async for page in cloud.machines.pages(REGION, page_size=5)]
    await cloud.close()
    found = [machine.id for page in pages for machine in page]
    there = [
        each
        for each in estate.machines()
        if (each["account"], each["region"]) == (str(estate.accounts[1]["account_id"]), REGION)
    ]
    assert len(pages) > 2
    assert sorted(found) == sorted(each["id"] for each in there)


@pytest.fixture
def broken_server():
    """Answers each request with 200 and half a document."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_all, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def _answer_all(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n<R><a></R>")


@pytest.mark.parametrize("operation", ["DescribeInstances", "DescribeVpcs"])
async def test_an_answer_that_is_no_document_is_the_providers_fault(broken_server, operation):
    """Whoever reads it, we or botocore."""
    keys = Credentials({"access_key_id": "AKIAEXAMPLE", "secret_access_key": "wJalrSECRET"})
    client = AwsClient(keys, CloudSettings(aws_endpoint_url=broken_server, cloud_call_attempts=1))
    with pytest.raises(ProviderFault) as caught:
        await client.call("ec2", REGION, operation)
    assert caught.value.retryable
    await client.close()
