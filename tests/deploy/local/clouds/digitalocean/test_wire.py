"""Does the simulated DigitalOcean speak as DigitalOcean does: bodies, pages, tags, monitoring?"""

import httpx
import pytest

from tests.fixtures.tls import TLS

MINIMUM = {"name": "web", "region": "blr1", "size": "s-1vcpu-1gb", "image": "ubuntu-24-04-x64"}


@pytest.fixture
def cloud(simulated_world):
    cloud = simulated_world["digitalocean"]
    cloud.clear_faults()
    yield cloud
    cloud.clear_faults()


@pytest.fixture
def http(cloud):
    with httpx.Client(base_url=cloud.endpoint_url, headers={"Authorization": "Bearer test-key"}, verify=TLS) as client:
        yield client


def made(http, **wanted) -> dict:
    answer = http.post("/v2/droplets", json={**MINIMUM, **wanted})
    assert answer.status_code == 202, answer.text
    return answer.json()["droplet"]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"region": "moon1"}, "invalid region"),
        ({"size": "castle"}, "invalid size"),
        ({"image": "castle"}, "invalid image"),
        ({"image": 5}, "invalid image"),
        ({"name": "no host name"}, "hostname"),
        ({"name": ""}, "hostname"),
        ({"tags": ["with space"]}, "Tags may only"),
        ({"tags": ["x" * 256]}, "Tags may only"),
        ({"tags": "web"}, "Tags may only"),
    ],
)
def test_a_refusal_says_what_is_wrong(http, wanted, words) -> None:
    answer = http.post("/v2/droplets", json={**MINIMUM, **wanted})
    assert answer.status_code == 422
    assert answer.json()["id"] == "unprocessable_entity"
    assert words in answer.json()["message"]


def test_pages_are_linked_to_each_other(http) -> None:
    names = [made(http, name=f"page-{number}", tags=["wire-page"])["name"] for number in range(5)]
    listed, url = [], "/v2/droplets?tag_name=wire-page&per_page=2"
    totals = set()
    while url:
        answer = http.get(url).json()
        listed += [each["name"] for each in answer["droplets"]]
        totals.add(answer["meta"]["total"])
        url = answer["links"].get("pages", {}).get("next")
    assert (listed, totals) == (names, {5})
    last = http.get("/v2/droplets?tag_name=wire-page&per_page=2&page=3").json()["links"]["pages"]
    assert set(last) == {"first", "prev"}
    assert http.get("/v2/droplets?tag_name=wire-page").json()["links"] == {}


def test_a_tag_s_first_spelling_is_its_only_one_and_case_is_ignored(http) -> None:
    assert http.post("/v2/tags", json={"name": "Wire-Case"}).json()["tag"]["name"] == "Wire-Case"
    assert http.post("/v2/tags", json={"name": "WIRE-CASE"}).json()["tag"]["name"] == "Wire-Case"
    droplet = made(http)
    resources = {"resources": [{"resource_id": str(droplet["id"]), "resource_type": "droplet"}]}
    assert http.post("/v2/tags/wire-case/resources", json=resources).status_code == 204
    assert http.get("/v2/tags/Wire-Case").json()["tag"]["resources"]["droplets"]["count"] == 1
    found = http.get("/v2/droplets?tag_name=wire-CASE").json()["droplets"]
    assert [each["id"] for each in found] == [droplet["id"]]
    assert http.request("DELETE", "/v2/tags/wire-case/resources", json=resources).status_code == 204
    assert http.get("/v2/droplets?tag_name=wire-case").json()["droplets"] == []
    assert http.post("/v2/tags/no-such-tag/resources", json=resources).status_code == 404


def test_a_droplet_s_tags_come_to_be_with_it_in_their_first_spelling(http) -> None:
    assert made(http, tags=["Wire-Born"])["tags"] == ["Wire-Born"]
    assert made(http, tags=["wire-born", "WIRE-BORN"])["tags"] == ["Wire-Born"]
    assert http.get("/v2/tags/wire-born").json()["tag"]["resources"]["count"] == 2


@pytest.mark.parametrize(
    "resources", [{}, {"resources": []}, {"resources": ["x"]}, {"resources": [{"resource_type": "castle"}]}]
)
def test_resources_that_make_no_sense_are_refused(http, resources) -> None:
    http.post("/v2/tags", json={"name": "wire-bad"})
    assert http.post("/v2/tags/wire-bad/resources", json=resources).status_code == 422


def test_an_action_needs_its_state(http, cloud) -> None:
    droplet = made(http)
    path = f"/v2/droplets/{droplet['id']}/actions"
    assert "pending event" in http.post(path, json={"type": "power_off"}).json()["message"]
    cloud.advance()
    assert "powered off" in http.post(path, json={"type": "resize", "size": "c-2"}).json()["message"]
    assert "not supported" in http.post(path, json={"type": "castle"}).json()["message"]
    action = http.post(path, json={"type": "power_off"}).json()["action"]
    assert (action["status"], action["completed_at"]) == ("in-progress", None)
    assert http.get(f"/v2/droplets/{droplet['id']}").json()["droplet"]["locked"] is True
    cloud.advance()
    assert http.get(f"/v2/actions/{action['id']}").json()["action"]["status"] == "completed"
    assert http.get(f"/v2/droplets/{droplet['id']}").json()["droplet"]["locked"] is False


def test_monitoring_wants_a_droplet_a_window_and_for_bandwidth_a_direction(http, cloud) -> None:
    droplet = made(http)
    cloud.advance(600)
    now = cloud._ask("POST", "/_sim/advance", {"seconds": 0})["now_s"]
    metrics, window = "/v2/monitoring/metrics/droplet", {"host_id": droplet["id"], "start": now - 300, "end": now}
    assert http.get(f"{metrics}/cpu", params={"host_id": "1", "start": 0, "end": 1}).status_code == 404
    assert http.get(f"{metrics}/castle", params=window).status_code == 404
    assert http.get(f"{metrics}/cpu", params={"host_id": droplet["id"]}).status_code == 400
    assert http.get(f"{metrics}/bandwidth", params=window).status_code == 400
    long = {"host_id": droplet["id"], "start": -1e12, "end": now}
    assert http.get(f"{metrics}/cpu", params=long).status_code == 200  # from the droplet's creation on
    answer = http.get(f"{metrics}/cpu", params=window).json()
    assert answer["data"]["resultType"] == "matrix"
    assert {each["metric"]["mode"] for each in answer["data"]["result"]} == {"user", "system", "iowait", "idle"}
    for series in answer["data"]["result"]:
        values = [float(value) for _, value in series["values"]]
        assert values == sorted(values)


def test_a_throttled_answer_says_how_many_calls_are_left(http, cloud) -> None:
    cloud.fault(match={"service": "digitalocean"}, status=429, retry_after_s=3, count=1)
    answer = http.get("/v2/account")
    assert (answer.headers["ratelimit-remaining"], answer.headers["retry-after"]) == ("0", "3")
