"""How does AWS name its things for the whole world? docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html."""

from __future__ import annotations


def partition_of(region: str) -> str:
    """China and GovCloud are worlds of their own."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")


def bucket_arn(region: str, name: str) -> str:
    return f"arn:{partition_of(region)}:s3:::{name}"


def last_part(arn: str) -> str:
    """What stands after the last `/` or `:`; a bare name is its own last part."""
    return arn.rpartition("/")[2].rpartition(":")[2]
