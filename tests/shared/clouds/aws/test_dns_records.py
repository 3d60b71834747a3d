"""Record sets of Route 53 and records in our words say the same, and become each other with the fewest changes."""

from shared.clouds.aws import dns_records

ZONE = [
    {"Name": "example.com.", "Type": "NS", "TTL": 172800, "ResourceRecords": [{"Value": "ns-2.example.net."}]},
    {"Name": "example.com.", "Type": "SOA", "TTL": 900, "ResourceRecords": [{"Value": "ns. host. 1 2 3 4 5"}]},
    {"Name": "\\052.example.com.", "Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": "Web.example.net."}]},
    {"Name": "example.com.", "Type": "TXT", "TTL": 300, "ResourceRecords": [{"Value": '"a" "b"'}, {"Value": '"a c"'}]},
]


def test_odd_names_and_texts_are_plain_in_our_words():
    assert dns_records.from_aws(ZONE[2]) == {
        "name": "*.example.com", "type": "CNAME", "values": ["Web.example.net."], "ttl_s": 60
    }  # fmt: skip
    text = dns_records.from_aws(ZONE[3])
    assert text["values"] == ['"a" "b"', "a c"]
    assert dns_records.to_aws(text)["ResourceRecords"] == [{"Value": '"a" "b"'}, {"Value": '"a c"'}]


def test_only_what_differs_is_changed_and_the_zones_own_stays():
    wanted = [
        {"name": "*.example.com", "type": "CNAME", "values": ["web.example.net."], "ttl_s": 60},
        {"name": "example.com", "type": "MX", "values": ["10 mail.example.com."], "ttl_s": 300},
    ]
    changes = dns_records.changes(ZONE, [dns_records.to_aws(each) for each in wanted])
    assert [(each["Action"], each["ResourceRecordSet"]["Type"]) for each in changes] == [
        ("DELETE", "TXT"), ("UPSERT", "CNAME"), ("UPSERT", "MX")
    ]  # fmt: skip
    assert changes[0]["ResourceRecordSet"] is ZONE[3]
    same = [dns_records.to_aws(dns_records.from_aws(each)) for each in ZONE[2:]]
    assert dns_records.changes(ZONE, same) == []


def test_changes_go_in_parts_that_route_53_takes():
    def change(values: int) -> dict[str, object]:
        return {"Action": "UPSERT", "ResourceRecordSet": {"ResourceRecords": [{"Value": "x"}] * values}}

    parts = list(dns_records.batches([change(300), change(200), change(1), change(400)]))
    assert [len(part) for part in parts] == [2, 2]
    assert list(dns_records.batches([])) == []


def test_where_records_lead_is_told_by_address_and_buckets_by_their_names():
    alias = {"AliasTarget": {"DNSName": "s3-website-us-east-1.amazonaws.com."}, "Name": "www.example.com.", "Type": "A"}
    address = {"Name": "a.example.com.", "Type": "A", "TTL": 1, "ResourceRecords": [{"Value": "192.0.2.7"}]}
    assert dns_records.targets([*ZONE, alias, address]) == [
        "address:192.0.2.7", "address:web.example.net", "storage:www.example.com"
    ]  # fmt: skip


def test_the_servers_of_a_zone_are_its_own_and_those_of_a_part_are_not():
    part = {"Name": "part.example.com.", "Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.example.org."}]}
    sets = [*ZONE, part]
    assert dns_records.name_servers(sets) == ["ns-2.example.net"]
    assert [dns_records.is_own(each, sets) for each in sets] == [True, True, False, False, False]
