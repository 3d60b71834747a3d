"""Records are spelled as a zone file has them, come back as they were asked for, and change in few calls."""

import pytest

from shared.clouds.gcp import dns_records
from shared.clouds.registry import catalog_of

ZONE = "example.com."
VALUES = {
    "A": ["192.0.2.1", "192.0.2.2"],
    "AAAA": ["2001:db8::1"],
    "CAA": ["0 issue letsencrypt.org"],
    "CNAME": ["web.example.net"],
    "MX": ["10 mail.example.net"],
    "NS": ["ns.example.net"],
    "PTR": ["host.example.net"],
    "SRV": ["10 5 5060 sip.example.net"],
    "TXT": ['say "yes" \\ no', "x" * 300],
}


def record(kind, **more):
    return {"name": "www", "type": kind, "values": VALUES[kind], "ttl_s": 60, **more}


@pytest.mark.parametrize("kind", VALUES)
def test_a_record_comes_back_as_it_was_asked_for(kind):
    [asked] = catalog_of("gcp").configuration(
        "dns", "cloud_dns_zone", {"zone_name": "example.com", "records": [record(kind)]}
    )["records"]
    written = dns_records.to_google(asked, ZONE)
    assert written["name"] == "www.example.com."
    assert dns_records.from_google(written, ZONE) == asked


def changed(there, wanted, *, and_no_others=True):
    found = list(dns_records.changes(there, wanted, ZONE, and_no_others=and_no_others))
    return [tuple(len(each[part]) for part in ("additions", "deletions")) for each in found]


def test_what_is_there_already_is_no_change_and_what_google_or_others_keep_stays():
    own = [{"name": ZONE, "type": kind, "ttl": 21600, "rrdatas": ["x."]} for kind in ("NS", "SOA")]
    steered = {"name": "geo.example.com.", "type": "A", "ttl": 60, "routingPolicy": {"geo": {}}}
    there = [*own, steered, dns_records.to_google(record("A"), ZONE)]
    assert changed(there, [record("A")]) == []
    assert changed(there, [record("A", ttl_s=61)]) == [(1, 1)]
    assert changed(there, [record("CNAME")]) == [(1, 1)]
    assert changed(there, []) == [(0, 1)]
    assert changed(there, [], and_no_others=False) == []


def test_a_change_is_cut_where_google_takes_no_more():
    there = [dns_records.to_google(record("A", name=f"a{number}"), ZONE) for number in range(1500)]
    assert changed(there, [record("TXT")]) == [(0, 1000), (0, 500), (1, 0)]


def test_a_record_leads_to_an_address_or_a_bucket():
    sets = [
        dns_records.to_google(record("CNAME", name="photos", values=["c.storage.googleapis.com"]), ZONE),
        dns_records.to_google(record("A", values=["192.0.2.1"]), ZONE),
        dns_records.to_google(record("TXT", values=["192.0.2.9"]), ZONE),
    ]
    assert [each.target for each in dns_records.links(sets)] == ["address:192.0.2.1", "storage:photos.example.com"]
