"""A value of ours is a record of Vultr's and back again, and only what differs is changed."""

import pytest

from shared.clouds.vultr.dns_records import Line, changes, is_plain, lines_of, read, records_of, written

ROWS = [
    ("A", "192.0.2.1", "192.0.2.1", None),
    ("AAAA", "2001:db8::1", "2001:db8::1", None),
    ("CNAME", "example.com", "example.com", None),
    ("MX", "10 mail.example.com", "mail.example.com", 10),
    ("SRV", "10 5 5060 sip.example.com", "5 5060 sip.example.com", 10),
    ("TXT", "v=spf1 -all", '"v=spf1 -all"', None),
    ("CAA", "0 issue letsencrypt.org", '0 issue "letsencrypt.org"', None),
]


@pytest.mark.parametrize(("kind", "value", "data", "priority"), ROWS, ids=[row[0] for row in ROWS])
def test_a_value_is_written_and_read(kind, value, data, priority):
    line = Line("www", kind, value, 300, "1")
    assert written(line) == (data, priority)
    assert read("www", kind, data, priority or 0, 300, "1") == line


def test_what_others_spelled_is_read_in_our_spelling():
    assert read("", "AAAA", "2001:DB8:0::1", 0, 300, "1").value == "2001:db8::1"
    assert read("", "MX", "Mail.Example.com.", 10, 300, "1").value == "10 mail.example.com"


def test_only_what_differs_is_changed_and_a_cname_stands_alone():
    there = [
        Line("", "NS", "ns1.vultr.com", 300, "1"),
        Line("_canopy", "TXT", "mark", 300, "2"),
        Line("", "A", "192.0.2.1", 300, "3"),
        Line("", "A", "192.0.2.2", 300, "4"),
        Line("www", "A", "192.0.2.1", 300, "5"),
        Line("old", "CNAME", "example.com", 300, "6"),
        Line("", "A", "192.0.2.1", 300, "7"),
    ]
    assert [each.id for each in there if is_plain(each)] == ["3", "4", "5", "6", "7"]
    records = [
        {"name": "@", "type": "A", "values": ["192.0.2.1"], "ttl_s": 60},
        {"name": "old", "type": "A", "values": ["192.0.2.3"], "ttl_s": 300},
        {"name": "www", "type": "CNAME", "values": ["example.com"], "ttl_s": 300},
    ]
    wanted = lines_of(records)
    assert records_of(wanted) == records
    found = changes(there, wanted, and_no_others=True)
    assert [each.id for each in found.gone_first] == ["5", "6"]
    assert [(each.name, each.type) for each in found.new] == [("old", "A"), ("www", "CNAME")]
    assert [(each.id, each.ttl_s) for each in found.changed] == [("3", 60)]
    assert [each.id for each in found.gone] == ["4", "7"]
    kept = changes(there, lines_of(records[:1]), and_no_others=False)
    assert (kept.gone_first, kept.gone, kept.new) == ([], [], [])
