"""Does each kind of fault do what it says, to the calls it names and no others?"""

import http.client
import time

import pytest


@pytest.mark.parametrize(
    ("status", "identifier"),
    [
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (409, "conflict"),
        (422, "unprocessable_entity"),
        (429, "too_many_requests"),
        (500, "server_error"),
        (503, "service_unavailable"),
    ],
)
def test_a_status_is_refused_in_the_provider_s_own_words(world, status, identifier) -> None:
    before = len(world.ledger())
    world.fault("droplets.create", status=status)
    answer = world.create()
    assert (answer.status, answer.document["id"]) == (status, identifier)
    assert len(world.ledger()) == before


def test_a_status_of_no_kind_keeps_its_number(world) -> None:
    world.fault(status=502)
    assert world.call("GET", "/v2/account").status == 502


@pytest.mark.parametrize(("kind", "words"), [("quota", "droplet limit"), ("no_capacity", "not available")])
def test_a_code_may_name_a_kind_of_refusal(world, kind, words) -> None:
    world.fault("droplets.create", status=422, code=kind)
    assert words in world.create().document["message"]


def test_a_throttled_call_says_when_to_come_again_only_when_told(world) -> None:
    world.fault("account.get", status=429, retry_after_s=7, count=1)
    world.fault("account.get", status=429, count=1)
    assert world.call("GET", "/v2/account").headers["retry-after"] == "7"
    assert "retry-after" not in world.call("GET", "/v2/account").headers
    assert world.call("GET", "/v2/account").status == 200


def test_a_reset_loses_the_call_or_only_its_answer(world) -> None:
    before = len(world.sim("GET", "instances")["instances"])
    world.fault("droplets.create", reset=True, count=1)
    with pytest.raises(ConnectionError):
        world.create()
    assert len(world.sim("GET", "instances")["instances"]) == before
    world.fault("droplets.create", reset=True, after=True, count=1)
    with pytest.raises(ConnectionError):
        world.create()
    assert len(world.sim("GET", "instances")["instances"]) == before + 1


def test_a_call_may_be_done_and_answered_with_a_failure(world) -> None:
    before = len(world.ledger())
    world.fault("droplets.create", status=503, after=True, count=1)
    assert world.create().status == 503
    assert len(world.ledger()) == before + 1


def test_latency_delays_an_answer_that_is_good(world) -> None:
    world.fault("account.get", latency_ms=300, count=1)
    began = time.monotonic()
    assert world.call("GET", "/v2/account").status == 200
    assert time.monotonic() - began >= 0.3


def test_a_delayed_call_holds_up_no_other(world) -> None:
    world.fault("account.get", latency_ms=5000, count=1)
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=10)
    connection.request("GET", "/v2/account", headers={"Authorization": f"Bearer {world.tokens[0]}"})
    time.sleep(0.1)  # it has arrived
    began = time.monotonic()
    assert world.call("GET", "/v2/account").status == 200
    assert time.monotonic() - began < 3
    connection.close()


def test_a_slow_body_drips_and_is_whole(world) -> None:
    world.fault("sizes.list", slow_body_ms=300, count=1)
    began = time.monotonic()
    assert world.call("GET", "/v2/sizes").document["sizes"]
    assert time.monotonic() - began >= 0.3


def test_a_cut_body_ends_in_the_middle(world) -> None:
    world.fault("sizes.list", cut_body=True, count=1)
    with pytest.raises(http.client.IncompleteRead):
        world.call("GET", "/v2/sizes")
    assert world.call("GET", "/v2/sizes").status == 200


def test_an_operation_that_fails_is_accepted_and_ends_badly(world) -> None:
    world.fault("droplets.create", fail_operation=True, count=1)
    droplet = world.created()
    assert world.status(droplet) == "new"
    world.advance()
    assert world.status(droplet) is None


def test_a_stale_list_leaves_out_what_is_young_and_a_read_finds_it(world) -> None:
    droplet = world.created(tags=["stale-list"])
    world.fault("droplets.list", stale_s=20)
    path = "/v2/droplets?tag_name=stale-list"
    assert world.call("GET", path).document["droplets"] == []
    assert world.status(droplet) == "new"
    world.advance(21)
    assert [each["id"] for each in world.call("GET", path).document["droplets"]] == [droplet]


def test_a_lost_region_refuses_its_calls_and_says_so_in_the_list_of_regions(world) -> None:
    there, here = world.created(region="sgp1"), world.created(region="lon1")
    world.fault(match={"region": "sgp1"}, status=503)
    assert world.call("GET", f"/v2/droplets/{there}").status == 503
    assert world.create(region="sgp1").status == 503
    assert world.call("GET", f"/v2/droplets/{here}").status == 200
    # a fault that names every action loses the region as one that names none does
    regions = {each["slug"]: each["available"] for each in world.call("GET", "/v2/regions").document["regions"]}
    assert (regions["sgp1"], regions["lon1"]) == (False, True)
    world.sim("DELETE", "fault")
    assert all(each["available"] for each in world.call("GET", "/v2/regions").document["regions"])


def test_a_fault_of_one_action_or_a_mild_one_loses_no_region(world) -> None:
    world.fault("droplets.create", match={"region": "sgp1"}, status=503)
    world.fault(match={"region": "lon1"}, latency_ms=1)
    assert all(each["available"] for each in world.call("GET", "/v2/regions").document["regions"])


def test_a_fault_concerns_the_account_the_service_and_the_region_that_it_names(world) -> None:
    first, second = (each["account_id"] for each in world.sim("GET", "accounts")["accounts"][:2])
    world.fault("account.get", match={"account": second}, status=500)
    world.sim("POST", "fault", {"match": {"service": "another"}, "status": 500})
    assert first != second
    assert world.call("GET", "/v2/account", account=0).status == 200
    assert world.call("GET", "/v2/account", account=1).status == 500


def test_a_fault_ends_after_its_time_and_is_listed_as_long_as_it_is_there(world) -> None:
    world.fault("account.get", status=500, duration_s=0.3)
    assert len(world.sim("GET", "fault")["faults"]) == 1
    assert world.call("GET", "/v2/account").status == 500
    time.sleep(0.35)
    assert world.call("GET", "/v2/account").status == 200
    assert world.sim("DELETE", "fault") == {"cleared": 0}


def test_refused_calls_are_counted_and_those_without_a_good_token_are_not(world) -> None:
    def count() -> int:
        rows = world.sim("GET", "calls")["calls"]
        return sum(row["count"] for row in rows if row["action"] == "account.get")

    before = count()
    world.fault("account.get", status=500, count=1)
    world.call("GET", "/v2/account")
    world.call("GET", "/v2/account", account=None)
    assert count() == before + 1
