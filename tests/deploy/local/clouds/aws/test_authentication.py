"""Does the simulated AWS refuse wrong credentials as the real one does, service by service?"""

import datetime as dt
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import botocore.auth
import pytest

CALLS: dict[str, Callable[[Any], Any]] = {
    "ec2": lambda client: client.describe_regions(),
    "sts": lambda client: client.get_caller_identity(),
    "cloudwatch": lambda client: client.list_metrics(),
    "iam": lambda client: client.list_users(),
    "s3": lambda client: client.list_buckets(),
}
UNKNOWN_KEY = {
    "ec2": "AuthFailure",
    "sts": "InvalidClientTokenId",
    "cloudwatch": "InvalidClientTokenId",
    "iam": "InvalidClientTokenId",
    "s3": "InvalidAccessKeyId",
}
OLD_SIGNATURE = {
    "ec2": "RequestExpired",
    "sts": "SignatureDoesNotMatch",
    "cloudwatch": "SignatureDoesNotMatch",
    "iam": "SignatureDoesNotMatch",
    "s3": "RequestTimeTooSkewed",
}


@pytest.mark.parametrize("service", CALLS)
def test_an_unknown_access_key_is_refused(cloud, code_of, service) -> None:
    unknown = {**cloud.accounts[0], "access_key_id": "AKIAIOSFODNN7UNKNOWN"}
    assert code_of(lambda: CALLS[service](cloud.client(service, account=unknown))) == UNKNOWN_KEY[service]


@pytest.mark.parametrize("service", CALLS)
def test_a_wrong_secret_is_refused(cloud, code_of, service) -> None:
    wrong = {**cloud.accounts[0], "secret_access_key": cloud.accounts[1]["secret_access_key"]}
    expected = "AuthFailure" if service == "ec2" else "SignatureDoesNotMatch"
    assert code_of(lambda: CALLS[service](cloud.client(service, account=wrong))) == expected


@pytest.mark.parametrize("service", CALLS)
def test_a_signature_older_than_a_quarter_of_an_hour_is_refused(cloud, code_of, service, monkeypatch) -> None:
    old = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=16)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: old.replace(tzinfo=None))
    assert code_of(lambda: CALLS[service](cloud.client(service))) == OLD_SIGNATURE[service]


@pytest.mark.parametrize("service", CALLS)
def test_the_right_keys_are_accepted(cloud, service) -> None:
    assert CALLS[service](cloud.client(service))["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_each_access_key_belongs_to_its_own_account(cloud) -> None:
    seen = [cloud.client("sts", account=account).get_caller_identity()["Account"] for account in cloud.accounts[:3]]
    assert seen == [account["account_id"] for account in cloud.accounts[:3]]
    assert len(set(seen)) == 2


def test_machines_of_one_account_are_unknown_to_the_other(cloud, code_of) -> None:
    machine = cloud.run()["InstanceId"]
    other = cloud.client("ec2", account=cloud.accounts[1])
    assert code_of(lambda: other.describe_instances(InstanceIds=[machine])) == "InvalidInstanceID.NotFound"


def test_an_unsigned_request_is_refused(cloud) -> None:
    request = urllib.request.Request(cloud.url, b"Action=GetCallerIdentity&Version=2011-06-15")
    with pytest.raises(urllib.error.HTTPError, match="403") as caught:
        urllib.request.urlopen(request, timeout=30)
    assert b"MissingAuthenticationToken" in caught.value.read()


def test_a_presigned_address_is_refused(cloud) -> None:
    address = cloud.client("sts").generate_presigned_url("get_caller_identity")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address, timeout=30)


def test_a_body_changed_on_its_way_is_refused(cloud, code_of) -> None:
    client = cloud.client("ec2")

    def change(request: Any, **_: Any) -> None:
        request.body = request.body.replace("DescribeRegions", "DescribeVolumes")

    client.meta.events.register("before-send.ec2", change)
    assert code_of(client.describe_regions) == "AuthFailure"


def test_an_object_changed_on_its_way_is_refused(cloud, code_of) -> None:
    client = cloud.client("s3")
    client.create_bucket(Bucket="changed-on-its-way")

    def change(request: Any, **_: Any) -> None:
        request.body = b"CONTENT"

    client.meta.events.register("before-send.s3.PutObject", change)
    put = {"Bucket": "changed-on-its-way", "Key": "a", "Body": b"content"}
    assert code_of(lambda: client.put_object(**put)) == "SignatureDoesNotMatch"


def test_nobody_chooses_an_account_by_a_header(cloud) -> None:
    client = cloud.client("sts")
    other = cloud.accounts[1]["account_id"]

    def claim(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = other

    client.meta.events.register("before-send.sts", claim)
    assert client.get_caller_identity()["Account"] == cloud.accounts[0]["account_id"]


def test_motos_own_administration_is_out_of_reach(cloud) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(urllib.request.Request(f"{cloud.url}/moto-api/reset", b""), timeout=30)


def test_an_access_key_made_by_iam_works_and_so_do_the_keys_of_a_role(cloud) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}
    sts = cloud.client("sts", account=reader)
    assert sts.get_caller_identity()["Account"] == cloud.accounts[0]["account_id"]
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": cloud.accounts[0]["account_id"]}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=document)
    keys = sts.assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="session")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "us-east-1")
    identity = session.client("sts", endpoint_url=cloud.url).get_caller_identity()
    assert "assumed-role/auditor" in identity["Arn"]
