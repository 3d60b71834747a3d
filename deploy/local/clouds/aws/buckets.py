"""How does S3 make and guard a bucket? With the tags of the call, a name of its own, and a policy's conditions."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import moto.s3.urls
from moto.s3.models import FakeBucket, S3Backend, s3_backends

from deploy.local.clouds.aws.calls import current_call


class GuardedBucket(FakeBucket):
    """One whose policy's conditions are conditions: moto applies each statement to everybody.

    No condition holds for a client here: it is told from CloudFront, and counts as one that came by TLS.
    """

    def get_permission(self, action: str, resource: str) -> Any:
        held = self.policy
        self.policy = _without_conditions(held)
        try:
            return super().get_permission(action, resource)
        finally:
            self.policy = held


class TaggedBuckets(S3Backend):
    """S3 of one account."""

    @property
    def _url_module(self) -> Any:
        return moto.s3.urls  # moto looks beside the class, which is here

    def create_bucket(self, bucket_name: str, region_name: str, bucket_namespace: str | None = None) -> FakeBucket:
        bucket = super().create_bucket(bucket_name, region_name, bucket_namespace)
        bucket.__class__ = GuardedBucket  # type: ignore[type-abstract]
        call = current_call.get()
        tags = _tags(call.body) if call is not None and call.action == "CreateBucket" else {}
        if tags:
            self.put_bucket_tagging(bucket_name, tags)
        return bucket

    def claim_names(self) -> None:
        """Names are the world's: moto keeps whose they are beside the accounts, and forgets it with the process."""
        for bucket in self.buckets.values():
            s3_backends.bucket_accounts[bucket.name] = (self.partition, self.account_id)


def _without_conditions(policy: bytes | None) -> bytes | None:
    if not policy:
        return policy
    document = json.loads(policy)
    statements = document["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    return json.dumps({**document, "Statement": [each for each in listed if "Condition" not in each]}).encode()


def _tags(body: bytes) -> dict[str, str]:
    """Those of a CreateBucketConfiguration (API_CreateBucket)."""
    if not body:
        return {}
    found = (each for each in ET.fromstring(body).iter() if _name(each) == "Tag")
    pairs = ({_name(part): part.text or "" for part in tag} for tag in found)
    return {pair["Key"]: pair.get("Value", "") for pair in pairs}


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
