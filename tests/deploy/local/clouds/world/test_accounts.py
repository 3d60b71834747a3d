"""Who may do what? A full account, a second one beside it, one that may only read, one whose time is over, nobody."""

import pytest

from deploy.local.clouds.world.accounts import Account, load_accounts, parse_accounts

FULL, SECOND, READER, EXPIRED = range(4)


def test_accounts_see_their_own_things_only(world) -> None:
    droplet = world.created()
    assert world.call("GET", f"/v2/droplets/{droplet}", account=SECOND).status == 404
    assert world.call("DELETE", f"/v2/droplets/{droplet}", account=SECOND).status == 404
    listed = world.call("GET", "/v2/droplets?per_page=200", account=SECOND).document["droplets"]
    assert droplet not in {each["id"] for each in listed}


def test_a_reader_reads_what_its_account_has_and_changes_nothing(world) -> None:
    droplet = world.created()
    before = len(world.ledger())
    assert world.call("GET", f"/v2/droplets/{droplet}", account=READER).status == 200
    assert world.create(account=READER).status == 403
    assert world.call("DELETE", f"/v2/droplets/{droplet}", account=READER).status == 403
    assert world.call("POST", "/v2/tags", {"name": "x"}, account=READER).document["id"] == "forbidden"
    assert len(world.ledger()) == before


@pytest.mark.parametrize("account", [EXPIRED, None])
def test_an_expired_token_and_none_are_refused_alike(world, account) -> None:
    answer = world.call("GET", "/v2/account", account=account)
    assert (answer.status, answer.document["id"]) == (401, "unauthorized")


def test_time_that_is_advanced_expires_no_token(world) -> None:
    world.advance(3600 * 24)
    assert world.call("GET", "/v2/account").status == 200


def test_a_second_account_has_a_new_team_s_quota(world) -> None:
    answers = [world.create(account=SECOND) for _ in range(11)]
    assert [answer.status for answer in answers] == [202] * 10 + [422]
    assert "droplet limit" in answers[-1].document["message"]


def test_what_is_not_served_is_not_found_in_the_provider_s_words(world) -> None:
    answer = world.call("GET", "/v2/castles")
    assert (answer.status, answer.document["id"]) == (404, "not_found")
    assert world.call("PATCH", "/v2/droplets").status == 404


def test_accounts_are_kept_and_a_new_provider_gets_its_own(tmp_path) -> None:
    def make(name: str):
        return lambda: [Account(name, f"{name}-1", {"token": f"{name}-token"}, scope="read", expires_s=5.0)]

    [first] = load_accounts(tmp_path, {"one": make("one")})
    again = load_accounts(tmp_path, {"one": make("other"), "two": make("two")})
    assert again[0] == first
    assert [account.provider for account in again] == ["one", "two"]
    assert (tmp_path / "accounts.json").stat().st_mode & 0o077 == 0
    assert first.is_expired(5.0)
    assert not first.is_expired(4.9)
    assert not first.may_write
    assert "one-token" not in repr(first)


@pytest.mark.parametrize("text", ["[]", "{}", '{"accounts": [{"provider": "x"}]}', '{"accounts": 5}', "no JSON"])
def test_a_file_of_another_shape_is_refused(text) -> None:
    with pytest.raises(ValueError):
        parse_accounts(text)
