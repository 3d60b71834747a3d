"""The simulated Google Cloud answers tokens, pages, filters, repeats, faults and quotas as Google does."""

import json
import time
from uuid import uuid4

import pytest
import requests
from google.auth import crypt, jwt

from deploy.local.clouds.gcp.accounts import new_key
from deploy.local.clouds.gcp.lists import selected
from deploy.local.clouds.gcp.tokens import AUDIENCE, GRANT
from deploy.local.clouds.world.provider import Refusal
from tests.deploy.local.clouds.gcp.conftest import SCOPES, ZONE, machine

INSTANCES = f"zones/{ZONE}/instances"


def ask_token(gcp, key, **claims):
    now = int(time.time())
    signer = crypt.RSASigner.from_string(key["private_key"], key["private_key_id"])
    said = {"iss": key["client_email"], "aud": AUDIENCE, "iat": now, "exp": now + 3600, "scope": SCOPES[0], **claims}
    form = {"grant_type": GRANT, "assertion": jwt.encode(signer, said).decode()}
    return requests.post(f"{gcp.endpoint_url}/token", data=form, timeout=10)


def test_a_signed_assertion_gets_a_token(gcp, rest):
    answer = ask_token(gcp, rest.key)
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "expires_in", "token_type"}


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"aud": "https://elsewhere.example/token"}, "audience"),
        ({"exp": 1_000_000_000, "iat": 999_999_000}, "timeframe"),
        ({"exp": 9_999_999_999}, "timeframe"),
        ({"iss": "nobody@test-project.iam.gserviceaccount.com"}, "account not found"),
    ],
)
def test_a_wrong_assertion_is_no_grant(gcp, rest, claims, words):
    answer = ask_token(gcp, rest.key, **claims)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert words in answer.json()["error_description"]


def test_a_foreign_key_with_a_known_name_signs_nothing(gcp, rest):
    """The signature is really verified."""
    forged = {**new_key("stranger", "test-project"), "client_email": rest.key["client_email"]}
    answer = ask_token(gcp, forged)
    assert answer.json() == {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}


@pytest.mark.parametrize("form", [{}, {"grant_type": "password"}, {"grant_type": GRANT, "assertion": "a.b"}])
def test_what_is_no_assertion_is_refused(gcp, form):
    assert requests.post(f"{gcp.endpoint_url}/token", data=form, timeout=10).status_code == 400


@pytest.mark.parametrize("header", [None, "Bearer invalid", "Bearer ya29.e30.x", "Basic abc"])
def test_a_call_without_a_good_token_is_unauthenticated(gcp, rest, header):
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(f"{rest.base}/regions", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_project_is_its_accounts_alone(rest, rest_of):
    other = rest_of(1)
    status, document = rest.ask("GET", f"{other.base}/regions")
    assert (status, document["error"]["errors"][0]["reason"]) == (403, "forbidden")
    assert rest_of(2).ask("POST", INSTANCES, machine("reader"))[0] == 403
    assert rest_of(2).get(INSTANCES)["kind"] == "compute#instanceList"


def test_pages_and_filters(rest):
    group = f"g{uuid4().hex[:8]}"
    made = sorted(rest.insert(labels={"group": group}).rpartition("/")[2] for _ in range(3))
    first = rest.get(INSTANCES, filter=f"labels.group={group}", maxResults="2")
    second = rest.get(INSTANCES, filter=f"labels.group={group}", maxResults="2", pageToken=first["nextPageToken"])
    assert [each["name"] for each in first["items"] + second["items"]] == made
    assert "nextPageToken" not in second
    assert "items" not in rest.get(INSTANCES, filter="labels.group=none")
    for wrong in ({"filter": "labels.group ~ x"}, {"maxResults": "501"}, {"pageToken": "?"}):
        assert rest.ask("GET", INSTANCES, **wrong)[0] == 400


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("name=a", ["a"]),
        ('name!="a"', ["b"]),
        ("labels.team:*", ["a"]),
        ('(labels.team=photos) AND (status="RUNNING")', ["a"]),
        ('name eq "[ab]"', ["a", "b"]),
        ('name ne "a.*"', ["b"]),
        ("", ["a", "b"]),
    ],
)
def test_a_filter_means_what_google_says(expression, names):
    rows = [{"name": "a", "status": "RUNNING", "labels": {"team": "photos"}}, {"name": "b", "status": "RUNNING"}]
    assert [each["name"] for each in selected(expression, rows)] == names


def test_a_request_id_is_answered_once_and_a_name_is_taken(rest, gcp):
    name, request_id = f"test-{uuid4().hex[:12]}", str(uuid4())
    first = rest.change("POST", INSTANCES, machine(name), requestId=request_id)
    again = rest.change("POST", INSTANCES, machine(name), requestId=request_id)
    assert again["name"] == first["name"]
    assert [each["repeated"] for each in gcp.ledger() if f"{INSTANCES}/{name}" in each["result_ids"]] == [False, True]
    status, document = rest.ask("POST", INSTANCES, machine(name), requestId=str(uuid4()))
    assert (status, document["error"]["errors"][0]["reason"]) == (409, "alreadyExists")
    assert rest.ask("POST", INSTANCES, machine(name), requestId="no-uuid")[0] == 400
    gcp.advance(3601)
    assert rest.ask("POST", INSTANCES, machine(name), requestId=request_id)[0] == 409


def test_a_change_quotes_what_it_changes(rest):
    path = rest.insert(labels={"a": "b"})
    fingerprint = rest.get(path)["labelFingerprint"]
    rest.change("POST", f"{path}/setLabels", {"labels": {"a": "c"}, "labelFingerprint": fingerprint})
    status, document = rest.ask("POST", f"{path}/setLabels", {"labels": {}, "labelFingerprint": fingerprint})
    assert (status, document["error"]["errors"][0]["reason"]) == (412, "conditionNotMet")


@pytest.mark.parametrize("labels", [{"Name": "x"}, {"name": "Über"}, {"a:b": "c"}, {f"k{n}": "" for n in range(65)}])
def test_labels_that_google_does_not_take(rest, labels):
    assert rest.ask("POST", INSTANCES, machine(f"test-{uuid4().hex[:12]}", labels=labels))[0] == 400


def test_a_throttled_call_has_googles_words(rest, gcp):
    gcp.fault(match={"service": "gcp", "action": "regions.list"}, status=429, retry_after_s=3, count=1)
    rest.get(rest.base)
    answer = rest.session.get(f"{rest.base}/regions", timeout=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")
    assert answer.json()["error"]["errors"][0]["reason"] == "rateLimitExceeded"


def test_a_used_up_quota_is_told_inside_the_operation(rest_of):
    rest, zone = rest_of(1), "southamerica-east1-a"

    def insert() -> dict:
        body = machine(f"test-{uuid4().hex[:12]}", machineType=f"zones/{zone}/machineTypes/e2-micro")
        return rest.done(rest.change("POST", f"zones/{zone}/instances", body))

    quotas = rest.get("regions/southamerica-east1")["quotas"]
    [quota] = [each for each in quotas if each["metric"] == "INSTANCES"]
    for _ in range(int(quota["limit"] - quota["usage"])):
        assert "error" not in insert()
    [error] = insert()["error"]["errors"]
    assert (error["code"], "Limit: 8.0" in error["message"]) == ("QUOTA_EXCEEDED", True)
    assert len(rest.get(f"zones/{zone}/instances")["items"]) == 8


def test_a_deleted_machine_leaves_the_api_and_stays_in_the_controls(rest, gcp):
    path = rest.insert(metadata={"items": [{"key": "canopy-tags", "value": json.dumps({"canopy:token": "t:9"})}]})
    gcp.advance()
    rest.change("DELETE", path)
    gcp.advance()
    assert rest.ask("GET", path)[0] == 404
    [row] = [each for each in gcp.machines() if each["id"] == path]
    assert (row["state"], row["token"], row["account"]) == ("DELETED", "t:9", "test-project")
    again = rest.insert(path.rpartition("/")[2])
    assert again == path
    assert [each["state"] for each in gcp.machines() if each["id"] == path] == ["DELETED", "STAGING"]


def test_a_filter_that_is_none_is_refused():
    with pytest.raises(Refusal):
        selected("name", [])
