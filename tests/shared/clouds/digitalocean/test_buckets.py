"""What is DigitalOcean's own about buckets: keys that we make and drop, tags in an object, nothing taken over?"""

from datetime import UTC, datetime, timedelta

import pytest

from shared.clouds.digitalocean.limits import api_of
from shared.clouds.digitalocean.spaces import Spaces
from shared.clouds.digitalocean.spaces_driver import VOCABULARY
from shared.clouds.digitalocean.spaces_keys import SpacesKeys
from shared.clouds.errors import (
    AuthFailed,
    Conflict,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    ProviderFault,
    QuotaExceeded,
    RateLimited,
    StillWorking,
)
from shared.clouds.libcloud.connection import RefusedAnswer
from shared.clouds.models import TOKEN_TAG

pytestmark = pytest.mark.anyio

REGION = "nyc3"
WORDS = [
    (400, "TooManyBuckets", QuotaExceeded, None),
    (400, "InvalidBucketName", InvalidRequest, "name"),
    (400, "InvalidArgument", InvalidRequest, None),
    (403, "InvalidAccessKeyId", AuthFailed, None),
    (403, "SignatureDoesNotMatch", AuthFailed, None),
    (403, "AccessDenied", PermissionDenied, None),
    (404, "NoSuchBucket", NotFound, None),
    (409, "BucketAlreadyExists", Conflict, None),
    (409, "BucketNotEmpty", Conflict, None),
    (503, "SlowDown", RateLimited, None),
    (503, "ServiceUnavailable", ProviderFault, None),
]


async def put(cloud, bucket, key):
    """What a client keeps there."""
    await cloud._spaces._call("test.put", REGION, lambda driver: driver.ask("PUT", f"/{bucket}/{key}", body="x"))


def keys_of(account):
    return {each["access_key"] for each in account.get("/v2/spaces/keys?per_page=200")["keys"]}


async def test_a_bucket_that_holds_something_stays_with_its_tags_and_ours_goes_with_it(cloud, spec):
    buckets = cloud.buckets
    made = await buckets.create(REGION, spec(buckets, tags={"team": "photos"}, versioning=True))
    assert made.address == f"{made.id}.nyc3.digitaloceanspaces.com"
    await put(cloud, made.id, "one.jpg")
    with pytest.raises(Conflict):
        await buckets.delete(REGION, made.id)
    await cloud._spaces._call("test.delete", REGION, lambda driver: driver.ask("DELETE", f"/{made.id}/one.jpg"))
    with pytest.raises(Conflict):  # versions of it are there still
        await buckets.delete(REGION, made.id)
    assert await buckets.get(REGION, made.id) == made
    empty = await buckets.create(REGION, spec(buckets, versioning=True))
    await buckets.tag(REGION, empty.id, {"week": "47"})
    await buckets.delete(REGION, empty.id)
    with pytest.raises(NotFound):
        await buckets.get(REGION, empty.id)


async def test_a_bucket_is_completed_by_a_repeat_and_no_other_is_taken_over(account, cloud, spec):
    buckets, asked = cloud.buckets, spec(cloud.buckets, name="canopy-choir")
    account.simulated.fault(match={"action": "spaces.put_object"}, status=503)
    with pytest.raises(ProviderFault):
        await buckets.create(REGION, asked)
    account.end_faults()
    assert (await buckets.find_by_token(REGION, asked.token)).id == "canopy-choir"
    whole = await buckets.create(REGION, asked)
    assert whole.tags == {TOKEN_TAG: asked.token}
    await cloud._spaces.make(REGION, "canopy-theirs")
    second = account.open_with(account.simulated.credentials(1))
    for name in ("canopy-choir", "canopy-theirs"):
        with pytest.raises(Conflict):
            await buckets.create(REGION, spec(buckets, name=name))
        with pytest.raises(Conflict):
            await second.buckets.create(REGION, spec(buckets, name=name))
    await second.close()


async def test_a_region_without_spaces_has_no_buckets(cloud, spec):
    assert [page async for page in cloud.buckets.pages("nyc1")] == []
    with pytest.raises(InvalidRequest) as caught:
        await cloud.buckets.create("nyc1", spec(cloud.buckets))
    assert caught.value.field == "region"


async def test_our_key_goes_with_the_account_and_a_reader_gets_none(account):
    other = account.open_with(account.credentials)
    before = keys_of(account)
    async for _ in other.buckets.pages(REGION):
        pass
    assert len(keys_of(account)) == len(before) + 1
    await other.close()
    assert keys_of(account) == before
    reader = account.open_with(account.simulated.credentials(2))
    with pytest.raises(PermissionDenied):
        await anext(reader.buckets.pages(REGION))
    await reader.close()


async def test_a_key_that_somebody_took_away_is_replaced_and_one_that_was_left_is_swept_away(account, cloud):
    later = timedelta(0)
    keys = SpacesKeys(cloud._client, now=lambda: datetime.now(UTC) + later)
    budget = cloud._client._budget
    spaces = Spaces(keys, account.simulated.settings(), budget)
    await spaces.buckets(REGION)
    first = spaces._key.secret["access_key"]
    await keys.drop(first)
    with pytest.raises(StillWorking):  # a new key may not be known everywhere yet
        await spaces.buckets(REGION)
    later = timedelta(hours=1)
    await spaces.buckets(REGION)
    second = spaces._key.secret["access_key"]
    assert second != first
    assert spaces._key.secret["secret_key"] not in repr(spaces._key)
    later = timedelta(days=30)  # whatever the simulated clock says by now
    left = (await keys.make()).secret["access_key"]
    await spaces.buckets(REGION)
    assert not {second, left} & keys_of(account)
    await spaces.close()


async def test_what_spaces_says_has_its_meaning():
    for status, code, meaning, field in WORDS:
        body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>words</Message></Error>"
        error = VOCABULARY.from_exception(RefusedAnswer(status, {}, body), operation="spaces.put_bucket")
        assert (type(error), getattr(error, "field", None), error.code) == (meaning, field, code)
    for sentence in VOCABULARY.sentences:
        assert any(sentence.says(status, f"{code}: words") for status, code, _, _ in WORDS), sentence.words
    page = RefusedAnswer(502, {}, "<html>Bad gateway</html>")
    assert type(VOCABULARY.from_exception(page, operation="spaces.put_bucket")) is ProviderFault


async def test_spaces_and_the_api_have_limits_of_their_own():
    assert api_of("spaces.put_bucket") != api_of("spaces_keys.create") == api_of("droplets.list")
