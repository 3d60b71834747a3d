"""Does the simulated Vultr speak as Vultr does: bodies, cursors, three words of state?"""

import httpx
import pytest

from tests.fixtures.tls import TLS

MINIMUM = {"region": "nrt", "plan": "vc2-1c-1gb", "os_id": 2284}


@pytest.fixture
def cloud(simulated_world):
    cloud = simulated_world["vultr"]
    cloud.clear_faults()
    yield cloud
    cloud.clear_faults()


@pytest.fixture
def http(cloud):
    with httpx.Client(base_url=cloud.endpoint_url, headers={"Authorization": "Bearer test-key"}, verify=TLS) as client:
        yield client


def made(http, **wanted) -> dict:
    answer = http.post("/v2/instances", json={**MINIMUM, **wanted})
    assert answer.status_code == 202, answer.text
    return answer.json()["instance"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"region": "moon"}, "Invalid region."),
        ({"region": None}, "Invalid region."),
        ({"plan": "castle"}, "Invalid plan."),
        ({"os_id": 1}, "Invalid OS."),
        ({"os_id": "castle"}, "Invalid OS."),
        ({"tags": "web"}, "Invalid tags."),
    ],
)
def test_a_refusal_says_what_is_wrong(http, wanted, words) -> None:
    answer = http.post("/v2/instances", json={**MINIMUM, **wanted})
    assert (answer.status_code, answer.json()) == (400, {"error": words, "status": 400})


def test_a_password_is_told_once(http) -> None:
    instance = made(http)
    assert instance["default_password"]
    assert "default_password" not in http.get(f"/v2/instances/{instance['id']}").json()["instance"]


def test_a_cursor_stays_where_it_is_though_things_go(http) -> None:
    instances = [made(http, label="wire-cursor")["id"] for _ in range(5)]
    first = http.get("/v2/instances?label=wire-cursor&per_page=2").json()
    assert first["meta"]["total"] == 5
    http.delete(f"/v2/instances/{instances[0]}")
    cursor = first["meta"]["links"]["next"]
    second = http.get("/v2/instances", params={"label": "wire-cursor", "per_page": 2, "cursor": cursor}).json()
    assert [each["id"] for each in second["instances"]] == instances[2:4]
    third = http.get(
        "/v2/instances",
        params={"label": "wire-cursor", "per_page": 2, "cursor": second["meta"]["links"]["next"]},
    ).json()
    assert ([each["id"] for each in third["instances"]], third["meta"]["links"]["next"]) == (instances[4:], "")


@pytest.mark.parametrize("cursor", ["castle", "bmV4dF9feA==", "****"])
def test_a_cursor_that_it_never_gave_is_refused(http, cursor) -> None:
    assert http.get("/v2/instances", params={"cursor": cursor}).status_code == 400


def test_states_are_said_in_three_words(http, cloud) -> None:
    path = f"/v2/instances/{made(http)['id']}"

    def words() -> tuple[str, str, str]:
        instance = http.get(path).json()["instance"]
        return instance["status"], instance["power_status"], instance["server_status"]

    assert words() == ("pending", "running", "none")
    cloud.advance(15)
    assert words() == ("active", "running", "installingbooting")
    cloud.advance(15)
    assert words() == ("active", "running", "ok")
    assert http.post("/v2/instances/halt", json={"instance_ids": [path.rpartition("/")[2]]}).status_code == 204
    assert words() == ("active", "running", "locked")
    assert "locked" in http.post(f"{path}/start").json()["error"]
    cloud.advance()
    assert words() == ("active", "stopped", "ok")
    assert http.patch(path, json={"plan": "vc2-2c-4gb"}).status_code == 202
    assert words() == ("resizing", "stopped", "locked")
    cloud.advance()
    assert http.get(path).json()["instance"]["plan"] == "vc2-2c-4gb"
    assert "downgrade" in http.patch(path, json={"plan": "vc2-1c-1gb"}).json()["error"]


@pytest.mark.parametrize("body", [{}, {"instance_ids": []}, {"instance_ids": "x"}])
def test_a_halt_names_its_instances(http, body) -> None:
    assert http.post("/v2/instances/halt", json=body).status_code == 400


def test_a_second_account_has_a_limit(cloud) -> None:
    with httpx.Client(
        base_url=cloud.endpoint_url, headers={"Authorization": "Bearer test-key-second"}, verify=TLS
    ) as http:
        answers = [http.post("/v2/instances", json=MINIMUM) for _ in range(11)]
        assert [each.status_code for each in answers] == [202] * 10 + [400]
        assert "maximum monthly fee limit" in answers[-1].json()["error"]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer invalid", "Basic test-key", "Bearer test-key-expired"])
def test_who_is_not_known_is_refused(cloud, authorization) -> None:
    answer = httpx.get(f"{cloud.endpoint_url}/v2/account", headers={"Authorization": authorization}, verify=TLS)
    assert (answer.status_code, answer.json()) == (401, {"error": "Invalid API token.", "status": 401})
