"""What does the SDK have to know of AWS for what we call?

botocore keeps the whole model of a service in memory, the documentation of every member included, and with each client
it makes a method for each operation: 17 MB for the 830 operations of EC2, of which we call 35, and 1.6 MB for every
further region's client. Here the models are read with what is called and nothing else.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

OPERATIONS: Mapping[str, frozenset[str]] = {
    "cloudfront": frozenset({
        "CreateDistributionWithTags", "CreateOriginAccessControl", "DeleteDistribution", "GetDistribution",
        "GetDistributionConfig", "ListDistributions", "ListOriginAccessControls", "ListTagsForResource", "TagResource",
        "UpdateDistribution",
    }),
    "cloudwatch": frozenset({"GetMetricData"}),
    "ec2": frozenset({
        "AttachVolume", "CopySnapshot", "CreateSecurityGroup", "CreateSnapshot", "CreateSubnet", "CreateTags",
        "CreateVolume", "CreateVpc", "DeleteSecurityGroup", "DeleteSnapshot", "DeleteSubnet", "DeleteVolume",
        "DeleteVpc", "DeregisterImage", "DescribeAvailabilityZones", "DescribeImages", "DescribeInstances",
        "DescribeNetworkInterfaces", "DescribeRegions", "DescribeSecurityGroups", "DescribeSnapshots",
        "DescribeSubnets", "DescribeVolumes", "DescribeVpcAttribute", "DescribeVpcs", "DetachVolume",
        "ModifyInstanceAttribute", "ModifyVpcAttribute", "RegisterImage", "RevokeSecurityGroupEgress",
        "RevokeSecurityGroupIngress", "RunInstances", "StartInstances", "StopInstances", "TerminateInstances",
    }),
    "elbv2": frozenset({
        "AddTags", "CreateListener", "CreateLoadBalancer", "CreateTargetGroup", "DeleteLoadBalancer",
        "DeleteTargetGroup", "DeregisterTargets", "DescribeListeners", "DescribeLoadBalancers", "DescribeTags",
        "DescribeTargetGroups", "DescribeTargetHealth", "ModifyTargetGroup", "RegisterTargets",
    }),
    "rds": frozenset({
        "AddTagsToResource", "CreateDBInstance", "CreateDBInstanceReadReplica", "CreateDBSubnetGroup",
        "DeleteDBInstance", "DeleteDBSubnetGroup", "DescribeDBInstances", "ModifyDBInstance", "StartDBInstance",
        "StopDBInstance",
    }),
    "route53": frozenset({
        "ChangeResourceRecordSets", "ChangeTagsForResource", "CreateHostedZone", "DeleteHostedZone", "GetHostedZone",
        "ListHostedZones", "ListResourceRecordSets", "ListTagsForResources",
    }),
    "s3": frozenset({
        "CreateBucket", "DeleteBucket", "DeleteBucketPolicy", "GetBucketEncryption", "GetBucketLocation",
        "GetBucketPolicy", "GetBucketTagging", "GetBucketVersioning", "GetPublicAccessBlock", "HeadBucket",
        "ListBuckets", "PutBucketEncryption", "PutBucketPolicy", "PutBucketTagging", "PutBucketVersioning",
        "PutPublicAccessBlock",
    }),
    "service-quotas": frozenset({"ListServiceQuotas"}),
    "sts": frozenset({"AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"}),
}  # fmt: skip
"""What we call of each service; a test holds it against the code. HeadBucket is botocore's own: it asks it where a
bucket is that another region answered for. The model of a service that is not here is read whole.
"""

_MODEL = "service-2"
_AMENDED = ".sdk-extras"
"""What botocore adds to a model's shapes: they have to be there."""
_OPENED = ((".json.gz", gzip.open), (".json", open))


class CutModels:
    """Reads botocore's data files: the `file_loader` of its `Loader`."""

    def exists(self, file_path: str) -> bool:
        """Whether there is such a file, whose name comes without its ending."""
        return any(Path(file_path + ending).is_file() for ending, _ in _OPENED)

    def load_file(self, file_path: str) -> Any:
        """What is in a file, None when there is none; raises KeyError when the SDK lacks an operation of ours."""
        document = _read(file_path)
        path = Path(file_path)
        called = OPERATIONS.get(path.parts[-3]) if path.name == _MODEL else None
        if document is None or called is None:
            return document
        amended = (_read(file_path + _AMENDED) or {}).get("merge", {}).get("shapes", {})
        operations = _undocumented({name: document["operations"][name] for name in sorted(called)})
        shapes = _undocumented(dict(_reached(document["shapes"], {*amended, *_named(operations)})))
        return {**document, "operations": operations, "shapes": shapes}


def _read(file_path: str) -> Any:
    for ending, opened in _OPENED:
        if Path(file_path + ending).is_file():
            with opened(file_path + ending, "rb") as file:
                return json.loads(file.read())
    return None


def _reached(shapes: Mapping[str, Any], named: set[str]) -> Iterator[tuple[str, Any]]:
    """The shapes of these names, those that they name, and so on."""
    known, waiting = set(named), list(named)
    while waiting:
        name = waiting.pop()
        yield name, shapes[name]
        more = set(_named(shapes[name])) - known
        known |= more
        waiting += more


def _named(part: Any) -> Iterator[str]:
    for key, value in _pairs(part):
        if key == "shape" and isinstance(value, str):
            yield value
        else:
            yield from _named(value)


def _undocumented(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            key: _undocumented(value)
            for key, value in part.items()
            if not (key == "documentation" and isinstance(value, str))
        }
    return [_undocumented(each) for each in part] if isinstance(part, list) else part


def _pairs(part: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(part, dict):
        return part.items()
    return enumerate(part) if isinstance(part, list) else ()
