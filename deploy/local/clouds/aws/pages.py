"""How does EC2 page what moto answers whole? Volumes and snapshots by MaxResults and NextToken, in the order of ids.

By id, so that what comes or goes between two pages moves nothing from one page to another.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses.elastic_block_store import ElasticBlockStore

# docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html and API_DescribeSnapshots.html
LEAST, MOST = 5, 1000

_WHOLE = {
    "describe_volumes": (ElasticBlockStore.describe_volumes, "Volumes"),
    "describe_snapshots": (ElasticBlockStore.describe_snapshots, "Snapshots"),
}


def install() -> None:
    """Puts paging before moto's own answers; before the first call. Idempotent."""
    for name, (answer, member) in _WHOLE.items():
        setattr(ElasticBlockStore, name, _paged(answer, member))


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
