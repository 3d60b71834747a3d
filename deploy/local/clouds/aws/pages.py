"""How does AWS page what moto answers whole? EC2 by MaxResults and NextToken, in the order of ids; S3 buckets by name.

In that order, so that what comes or goes between two pages moves nothing from one page to another.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.subnets import Subnets
from moto.ec2.responses.vpcs import VPCs
from moto.s3.responses import S3Response

# docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html, and of the others the same
LEAST, MOST = 5, 1000

_WHOLE = (
    (ElasticBlockStore, "describe_volumes", ElasticBlockStore.describe_volumes, "Volumes"),
    (ElasticBlockStore, "describe_snapshots", ElasticBlockStore.describe_snapshots, "Snapshots"),
    (VPCs, "describe_vpcs", VPCs.describe_vpcs, "Vpcs"),
    (Subnets, "describe_subnets", Subnets.describe_subnets, "Subnets"),
)


def install() -> None:
    """Puts paging before moto's own answers; before the first call. Idempotent."""
    for responses, name, answer, member in _WHOLE:
        setattr(responses, name, _paged(answer, member))
    setattr(S3Response, "all_buckets", _list_buckets)  # noqa: B010 - a method cannot be assigned


def _paged(answer: Callable[[Any], Any], member: str) -> Callable[[Any], ActionResult]:
    def describe(self: Any) -> ActionResult:
        things = sorted(answer(self).result[member], key=lambda each: each.id)
        after, size = self._get_param("NextToken"), self._get_param("MaxResults")
        if after is not None:
            last = _last(str(after))
            things = [each for each in things if each.id > last]
        if size is None or len(things) <= _bounded(int(size)):
            return ActionResult({member: things})
        page = things[: _bounded(int(size))]
        return ActionResult({member: page, "NextToken": urlsafe_b64encode(page[-1].id.encode()).decode()})

    return describe


def _bounded(size: int) -> int:
    if size < LEAST:
        raise EC2ClientError("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is invalid.")
    return min(size, MOST)


def _last(token: str) -> str:
    try:
        return urlsafe_b64decode(token).decode()
    except ValueError as error:
        raise EC2ClientError("InvalidParameterValue", "The token is invalid.") from error


def _list_buckets(self: Any) -> Any:
    """API_ListBuckets: of a region and a prefix when asked; the place of the next page is the last name of this one."""
    self.data["Action"] = "ListBuckets"
    found = self.backend.list_buckets(
        prefix=self._get_param("prefix"), bucket_region=self._get_param("bucket-region"), max_buckets=None
    )
    after, size = self._get_param("continuation-token"), int(self._get_param("max-buckets") or 10_000)
    last = _last(str(after)) if after else ""
    following = sorted((each for each in found if each.name > last), key=lambda each: each.name)
    page = following[:size]
    told: dict[str, Any] = {
        "Owner": {"ID": "bcaf1ffd86f41161ca5fb16fd081034f"},
        "Buckets": [
            {"Name": each.name, "CreationDate": each.creation_date_ISO8601, "BucketRegion": each.region_name}
            for each in page
        ],
    }
    if len(following) > size:
        told["ContinuationToken"] = urlsafe_b64encode(page[-1].name.encode()).decode()
    return self.serialized(ActionResult(told))
