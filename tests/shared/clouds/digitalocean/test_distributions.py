"""What is DigitalOcean's own about CDN endpoints: one before a bucket, which stays while it is there?"""

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetLink
from shared.clouds.errors import Conflict, InvalidRequest

pytestmark = pytest.mark.anyio

REGION = "nyc3"


async def test_a_bucket_stays_while_an_endpoint_stands_before_it(cloud, spec):
    buckets, endpoints = cloud.buckets, cloud.distributions
    bucket = await buckets.create(REGION, spec(buckets))
    asked = spec(endpoints, origin=bucket.address)
    made = await endpoints.create(GLOBAL_REGION, asked)
    assert made.links == (AssetLink("origin", f"storage:{bucket.id}", hard=True),)
    assert made.address == f"{bucket.id}.nyc3.cdn.digitaloceanspaces.com"
    with pytest.raises(Conflict):
        await endpoints.create(GLOBAL_REGION, spec(endpoints, origin=bucket.address))
    assert (await endpoints.get(GLOBAL_REGION, made.id)).token == asked.token
    with pytest.raises(Conflict):
        await buckets.delete(REGION, bucket.id)
    assert (await buckets.get(REGION, bucket.id)).tags == bucket.tags
    await endpoints.delete(GLOBAL_REGION, made.id)
    await buckets.delete(REGION, bucket.id)


async def test_anothers_endpoint_is_shown_and_not_taken_over(account, cloud, spec):
    endpoints, origin = cloud.distributions, "canopy-stage.nyc3.digitaloceanspaces.com"
    account.spaces().create_container("canopy-stage")
    theirs = account.post("/v2/cdn/endpoints", {"origin": origin})["endpoint"]["id"]
    with pytest.raises(Conflict):
        await endpoints.create(GLOBAL_REGION, spec(endpoints, origin=origin))
    assert (await endpoints.get(GLOBAL_REGION, theirs)).tags == {}


async def test_what_an_endpoint_cannot_have_is_named_as_its_configuration_does(account, cloud, spec):
    endpoints, unknown = cloud.distributions, "892071a0-bb95-49bc-8021-3afd67a210bf"
    account.spaces().create_container("canopy-gallery")
    origin = "canopy-gallery.nyc3.digitaloceanspaces.com"
    custom = {"custom_domain": "static.example.com", "certificate_id": unknown}
    for field, given in (("origin", {"origin": "never-made.nyc3.digitaloceanspaces.com"}),
                         ("certificate_id", {"origin": origin, **custom})):  # fmt: skip
        with pytest.raises(InvalidRequest) as caught:
            await endpoints.create(GLOBAL_REGION, spec(endpoints, **given))
        assert caught.value.field == field
    assert await cloud._spaces.note(REGION, "canopy-gallery", "cdn.json") == {}
    for given in ({"origin": "dotted.name.nyc3.digitaloceanspaces.com"}, {"origin": origin, "custom_domain": "a.b"}):
        with pytest.raises(InvalidRequest):
            spec(endpoints, **given)
