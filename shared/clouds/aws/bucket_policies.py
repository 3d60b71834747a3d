"""Which statements of ours does a bucket's policy hold, among whatever others?

A policy is one document: ours are added and taken out by their Sid, and the others stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

REQUIRE_TLS = "CanopyRequireTls"
_VERSION = "2012-10-17"

Statement = dict[str, Any]


def read(document: str | None) -> list[Statement]:
    """The statements of a policy; a single one may stand without a list."""
    statements = json.loads(document).get("Statement", []) if document else []
    return [statements] if isinstance(statements, dict) else list(statements)


def write(statements: Sequence[Statement]) -> str:
    return json.dumps({"Version": _VERSION, "Statement": list(statements)})


def with_statement(statements: Sequence[Statement], added: Statement) -> list[Statement]:
    return [*without_statement(statements, added["Sid"]), added]


def without_statement(statements: Sequence[Statement], sid: str) -> list[Statement]:
    return [each for each in statements if each.get("Sid") != sid]


def require_tls(arn: str) -> Statement:
    """AWS's own advice: docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html."""
    return {
        "Sid": REQUIRE_TLS,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def let_distribution_read(sid: str, bucket: str, distribution: str) -> Statement:
    """ARNs of both; CloudFront Developer Guide, "Restrict access to an Amazon S3 origin"."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": f"{bucket}/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": distribution}},
    }


def requires_tls(statements: Sequence[Statement]) -> bool:
    """Whether some statement, ours or another's, denies what comes without TLS."""
    return any(each.get("Effect") == "Deny" and _plain(each.get("Condition", {})) for each in statements)


def _plain(condition: Mapping[str, Any]) -> bool:
    found = condition.get("Bool", {})
    return isinstance(found, dict) and str(found.get("aws:SecureTransport", "")).lower() == "false"
