"""Does the simulated Linode speak as Linode does: bodies, filters, pages, limits?"""

import json

import httpx
import pytest

from tests.fixtures.tls import TLS

MINIMUM = {"region": "us-ord", "type": "g6-nanode-1"}


@pytest.fixture
def cloud(simulated_world):
    cloud = simulated_world["linode"]
    cloud.clear_faults()
    yield cloud
    cloud.clear_faults()


@pytest.fixture
def http(cloud):
    with httpx.Client(base_url=cloud.endpoint_url, headers={"Authorization": "Bearer test-key"}, verify=TLS) as client:
        yield client


def made(http, **wanted) -> dict:
    answer = http.post("/v4/linode/instances", json={**MINIMUM, **wanted})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"region": "moon"}, "region"),
        ({"type": "castle"}, "type"),
        ({"image": "linode/castle", "root_pass": "long enough 1234"}, "image"),
        ({"image": "linode/debian12"}, "root_pass"),
        ({"tags": ["ab"]}, "tags"),
        ({"tags": "web"}, "tags"),
        ({"tags": ["x" * 51]}, "tags"),
        ({"label": "-bad"}, "label"),
        ({"label": "a--b"}, "label"),
    ],
)
def test_a_refusal_names_the_field(http, wanted, field) -> None:
    answer = http.post("/v4/linode/instances", json={**MINIMUM, **wanted})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_a_list_is_filtered_by_a_header_and_paged(http) -> None:
    labels = [made(http, label=f"wire-{number}", tags=["wire:1"])["label"] for number in range(26)]
    answer = http.get("/v4/linode/instances", headers={"X-Filter": json.dumps({"tags": "wire:1"})})
    assert [each["label"] for each in answer.json()["data"]] == labels
    pages = [
        http.get("/v4/linode/instances?page_size=25", params={"page": number, "page_size": 25},
                 headers={"X-Filter": '{"tags": "wire:1", "region": "us-ord"}'}).json()
        for number in (1, 2)
    ]  # fmt: skip
    assert [(page["page"], page["pages"], page["results"], len(page["data"])) for page in pages] == [
        (1, 2, 26, 25),
        (2, 2, 26, 1),
    ]
    assert http.get("/v4/linode/instances", headers={"X-Filter": '{"label": "wire-3"}'}).json()["results"] == 1
    assert http.get("/v4/linode/instances", params={"page": 3000}).status_code == 404


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"+or": []}'])
def test_a_filter_that_makes_no_sense_is_refused(http, text) -> None:
    assert http.get("/v4/linode/instances", headers={"X-Filter": text}).status_code == 400


@pytest.mark.parametrize("size", [1, 24, 501, "x"])
def test_a_page_has_25_to_500_things(http, size) -> None:
    assert http.get("/v4/linode/types", params={"page_size": size}).status_code == 400


def test_one_change_at_a_time_and_no_booting_of_what_runs(http, cloud) -> None:
    linode = made(http, image="linode/debian12", root_pass="long enough 1234")
    path = f"/v4/linode/instances/{linode['id']}"
    assert http.post(f"{path}/shutdown").json() == {"errors": [{"reason": "Linode busy."}]}
    cloud.advance()
    assert "already booted" in http.post(f"{path}/boot").text
    assert http.post(f"{path}/shutdown").status_code == 200
    cloud.advance()
    assert "already shut down" in http.post(f"{path}/shutdown").text
    assert http.get(path).json()["status"] == "offline"


def test_one_without_an_image_is_off(http, cloud) -> None:
    linode = made(http)
    cloud.advance()
    assert http.get(f"/v4/linode/instances/{linode['id']}").json()["status"] == "offline"


def test_a_second_account_has_a_limit(cloud) -> None:
    with httpx.Client(
        base_url=cloud.endpoint_url, headers={"Authorization": "Bearer test-key-second"}, verify=TLS
    ) as http:
        codes = [http.post("/v4/linode/instances", json=MINIMUM).status_code for _ in range(11)]
        assert codes == [200] * 10 + [400]


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer invalid", "Basic test-key", "Bearer test-key-expired"])
def test_who_is_not_known_is_refused(cloud, authorization) -> None:
    answer = httpx.get(f"{cloud.endpoint_url}/v4/profile", headers={"Authorization": authorization}, verify=TLS)
    assert (answer.status_code, answer.json()) == (401, {"errors": [{"reason": "Invalid Token"}]})
