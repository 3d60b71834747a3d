"""Do the controls tell the truth, and do they refuse what makes no sense without harm?"""

import pytest


def test_the_ledger_names_every_accepted_mutation_in_order_and_no_other(world) -> None:
    last = max((each["sequence"] for each in world.ledger()), default=0)
    droplet = world.created(region="fra1")
    world.create(size="castle")
    world.call("GET", f"/v2/droplets/{droplet}")
    world.call("POST", "/v2/tags", {"name": "ledger"})
    world.call("POST", "/v2/tags", {"name": "LEDGER"})
    world.call("DELETE", f"/v2/droplets/{droplet}")
    world.call("DELETE", f"/v2/droplets/{droplet}")
    entries = world.sim("GET", f"ledger?since={last}")["entries"]
    assert [each["sequence"] for each in entries] == list(range(last + 1, last + 5))
    assert [(each["action"], each["region"], each["repeated"]) for each in entries] == [
        ("droplets.create", "fra1", False),
        ("tags.create", "global", False),
        ("tags.create", "global", True),
        ("droplets.destroy", "fra1", False),
    ]
    assert entries[0]["result_ids"] == entries[3]["result_ids"] == [str(droplet)]
    assert entries[0]["provider"] == "digitalocean"
    assert entries[0]["account"] == world.sim("GET", "accounts")["accounts"][0]["account_id"]


def test_machines_of_all_accounts_are_listed_with_where_and_what_they_are(world) -> None:
    mine = world.created(region="tor1", tags=["env:prod"])
    listed = {each["id"]: each for each in world.sim("GET", "instances")["instances"]}
    assert {"id", "account", "region", "state", "token", "tags"} <= set(listed[str(mine)])
    assert (listed[str(mine)]["region"], listed[str(mine)]["tags"]) == ("tor1", {"env": "prod"})
    assert world.sim("GET", "volumes") == {"volumes": []}
    assert world.sim("GET", "snapshots") == {"snapshots": []}


def test_states_take_the_time_that_is_advanced(world) -> None:
    droplet = world.created()
    assert world.status(droplet) == "new"
    world.advance(15)
    assert world.status(droplet) == "new"
    world.advance(15)
    assert world.status(droplet) == "active"


BAD = [
    ("POST", "advance", {"seconds": -1}),
    ("POST", "advance", {"seconds": "many"}),
    ("POST", "advance", {"seconds": True}),
    ("POST", "advance", {}),
    ("POST", "advance", b'{"seconds": NaN}'),
    ("POST", "advance", b'{"seconds": Infinity}'),
    ("POST", "advance", {"seconds": 1e300}),
    ("POST", "advance", b"[1]"),
    ("POST", "advance", b"no JSON"),
    ("POST", "advance", b"\xff\xfe"),
    ("POST", "fault", {"colour": "red"}),
    ("POST", "fault", {"status": 200}),
    ("POST", "fault", {"status": "bad"}),
    ("POST", "fault", {"latency_ms": -1}),
    ("POST", "fault", b'{"latency_ms": NaN}'),
    ("POST", "fault", b'{"duration_s": Infinity}'),
    ("POST", "fault", {"latency_ms": 1e300}),
    ("POST", "fault", {"match": []}),
    ("POST", "fault", {"match": {"colour": "red"}}),
    ("POST", "fault", {"match": {"action": 5}}),
    ("POST", "load", {}),
    ("POST", "load", {"instance_id": 5, "cpu": 50}),
    ("POST", "load", {"instance_id": "1"}),
    ("POST", "load", {"instance_id": "1", "cpu": 101}),
    ("POST", "load", {"instance_id": "1", "castle": 1}),
    ("POST", "load", b'{"instance_id": "1", "response_time_ms": NaN}'),
    ("GET", "ledger?since=x", None),
    ("GET", "ledger?since=99999999999999999999", None),
    ("GET", "ledger?since=%ff", None),
]


@pytest.mark.parametrize(("method", "path", "given"), BAD, ids=[f"{path} {given}" for _, path, given in BAD])
def test_bad_input_is_refused_with_a_reason_and_harms_nothing(world, method, path, given) -> None:
    sent = {"body": given} if isinstance(given, bytes) else {"document": given}
    answer = world.call(method, f"/_sim/{path}", account=None, **sent)
    assert answer.status == 422
    assert answer.document["error"]
    assert world.sim("GET", "fault") == {"faults": []}
    assert world.status(world.created()) == "new"


def test_an_unknown_control_is_not_found(world) -> None:
    assert world.call("GET", "/_sim/castle", account=None).status == 404
    assert world.call("PUT", "/_sim/fault", account=None).status == 404
    assert world.call("GET", "/healthz", account=None).document == {"status": "ok"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/droplets", b"no JSON"),
        ("/v2/droplets", b"[]"),
        ("/v2/droplets", b"\xff"),
        ("/v2/droplets", b'{"name": ' + b'"' + b"x" * 17_000_000 + b'"}'),
        ("/v2/tags", b'{"name": 5}'),
        ("/v2/tags", b"{}"),
    ],
    ids=["no JSON", "a list", "no text", "too long", "no name", "nothing"],
)
def test_a_body_that_makes_no_sense_is_the_caller_s_mistake(world, path, body) -> None:
    assert world.call("POST", path, body=body).status == 422


def test_a_query_that_is_no_text_is_the_caller_s_mistake_too(world) -> None:
    assert world.call("GET", "/v2/droplets?tag_name=%ff%fe&page=%ff").status == 200
