"""What is DigitalOcean's own about domains: made in steps, marked by a record, nothing of ours for all to read?"""

import pytest

from shared.clouds.assets import GLOBAL_REGION, AssetLink
from shared.clouds.errors import Conflict, InvalidRequest, ProviderFault, Unsupported
from shared.clouds.models import TOKEN_TAG

pytestmark = pytest.mark.anyio

WWW = {"name": "www", "type": "A", "values": ["192.0.2.7"]}


async def records_of(cloud, name):
    return {(each["name"], each["type"], each["data"]): each["id"] for each in await cloud.dns_zones._records_of(name)}


async def test_a_domain_is_completed_by_a_repeat_and_tells_nobody_the_client_s_words(account, cloud, spec):
    zones = cloud.dns_zones
    asked = spec(zones, zone_name="choir.example", records=[WWW], tags={"Name": "Hochzeit", "team": "photos"})
    account.simulated.fault(match={"action": "domain_records.create"}, status=503)
    with pytest.raises(ProviderFault):
        await zones.create(GLOBAL_REGION, asked)
    account.end_faults()
    half = await zones.find_by_token(GLOBAL_REGION, asked.token)
    assert (half.id, half.token) == ("choir.example", asked.token)
    whole = await zones.create(GLOBAL_REGION, asked)
    assert (whole.tags, whole.configuration) == ({TOKEN_TAG: asked.token}, asked.configuration)
    assert whole.facts["name_servers"] == [f"ns{number}.digitalocean.com" for number in (1, 2, 3)]
    told = " ".join(data for _, _, data in await records_of(cloud, "choir.example"))
    assert "Hochzeit" not in told
    assert "127." not in told
    with pytest.raises(Unsupported):
        await zones.tag(GLOBAL_REGION, "choir.example", {"team": "photos"})


async def test_anothers_domain_is_shown_and_not_taken_over(account, cloud, spec):
    zones = cloud.dns_zones
    account.post("/v2/domains", {"name": "theirs.example", "ip_address": "127.0.0.1"})
    with pytest.raises(Conflict):
        await zones.create(GLOBAL_REGION, spec(zones, zone_name="theirs.example"))
    shown = await zones.get(GLOBAL_REGION, "theirs.example")
    assert (shown.tags, shown.configuration["records"][0]["values"]) == ({}, ["127.0.0.1"])


async def test_values_change_in_place_and_lead_to_what_they_name(cloud, spec):
    zones = cloud.dns_zones
    inner = {"name": "inner", "type": "CNAME", "values": ["nave.example"]}
    made = await zones.create(GLOBAL_REGION, spec(zones, zone_name="nave.example", records=[WWW, inner]))
    before = await records_of(cloud, "nave.example")
    assert ("inner", "CNAME", "@") in before
    assert made.links == tuple(
        AssetLink("record", f"address:{each}", hard=False) for each in ("192.0.2.7", "nave.example")
    )
    wanted = spec(zones, zone_name="nave.example", records=[{**WWW, "values": ["192.0.2.8"]}]).configuration
    await zones.change(GLOBAL_REGION, made.id, wanted)
    after = await records_of(cloud, "nave.example")
    assert after["www", "A", "192.0.2.8"] == before["www", "A", "192.0.2.7"]
    assert not [key for key in after if key[0] == "inner"]


async def test_what_no_domain_can_have_is_refused_by_its_field(cloud, spec):
    for field, record in (
        ("records.0.values", {"name": "www", "type": "A", "values": ["x"]}),
        ("records.0.values", {"name": "www", "type": "TXT", "values": ["back\\slash"]}),
        ("records.0", {"name": "@", "type": "NS", "values": ["ns.example"]}),
        ("records.0", {"name": "_canopy", "type": "TXT", "values": ["mine"]}),
        ("records.0.ttl_s", {"name": "www", "type": "TXT", "values": ["x"], "ttl_s": 10}),
    ):
        with pytest.raises(InvalidRequest) as caught:
            spec(cloud.dns_zones, zone_name="x.example", records=[record])
        assert caught.value.field == field, record
