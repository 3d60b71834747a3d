"""The billing export's rows are what the pure function says of machines and disks, in BigQuery's own form."""

from collections import Counter
from itertools import count

import pytest

from deploy.local.clouds.bills import COMPUTE, DAY_S, STORAGE, TRAFFIC, charges
from deploy.local.clouds.gcp import bigquery, billing
from deploy.local.clouds.gcp.billing_export import Export, day_of
from deploy.local.clouds.gcp.provider import GcpProvider
from tests.deploy.local.clouds.paying import paying, sign_in_at_google
from tests.fixtures.google_models import problems

MACHINES = 20
JULY_1, FEBRUARY_1 = day_of("20260701"), day_of("20260201")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with paying(GcpProvider(), tmp_path_factory.mktemp("gcp"), MACHINES) as payer:
        sign_in_at_google(payer)
        yield payer


def tables(cloud) -> str:
    return f"/bigquery/v2/projects/{cloud.accounts[0].account_id}/datasets/{bigquery.DATASET}/tables"


def table(cloud) -> str:
    return f"{tables(cloud)}/{bigquery.table_of(cloud.accounts[0].account_id)}"


def decoded(fields: list[dict], row: dict) -> dict:
    def value(field: dict, cell):
        if field["mode"] == "REPEATED":
            return [decoded(field["fields"], each["v"]) for each in cell]
        if cell is None or field["type"] not in {"RECORD", "FLOAT", "TIMESTAMP"}:
            return cell
        return decoded(field["fields"], cell) if field["type"] == "RECORD" else float(cell)

    return {field["name"]: value(field, cell["v"]) for field, cell in zip(fields, row["f"], strict=True)}


def rows(cloud, day: str = "", size: int = 5000, only: str = "") -> list[dict]:
    """All pages of a partition, or of the table; `only` some of the fields."""
    chosen = only and f"selectedFields={only}&"
    fields, found, token = cloud.get(f"{table(cloud)}?{chosen}")["schema"]["fields"], [], ""
    for number in count(1):
        page = cloud.get(
            f"{table(cloud)}{day and f'${day}'}/data?{chosen}maxResults={size}{token and f'&pageToken={token}'}"
        )
        found += [decoded(fields, each) for each in page.get("rows", [])]
        token = page.get("pageToken")
        if token is None:
            assert len(found) == int(page["totalRows"])
            assert number == max(1, -(-len(found) // size))
            return found
    raise AssertionError


def expected(cloud, first: int, last: int) -> dict:
    sums = Counter()
    for paid in billing.paid_for(cloud.call()):
        for day in range(first, last + 1):
            for charge in charges(paid.billed, day * DAY_S, (day + 1) * DAY_S):
                sums[charge.what] += float(charge.usd)
    return sums


def kind_of(row: dict) -> str:
    return {"hour": COMPUTE, "gibibyte month": STORAGE, "gibibyte": TRAFFIC}[row["usage"]["pricing_unit"]]


def test_a_partition_is_a_day_as_the_pure_function_has_it(cloud) -> None:
    found, sums = rows(cloud, "20260702", size=7), Counter()
    for each in found:
        sums[kind_of(each)] += each["cost"]
        assert JULY_1 * DAY_S <= each["usage_start_time"] < each["usage_end_time"] <= (JULY_1 + 1) * DAY_S
        assert each["export_time"] == (JULY_1 + 1) * DAY_S + 4 * 3600
        assert (each["invoice"]["month"], each["currency"], each["cost_type"]) == ("202607", "USD", "regular")
        assert each["usage"]["amount_in_pricing_units"] > 0
    assert sums == pytest.approx(expected(cloud, JULY_1, JULY_1))
    machine = next(each for each in found if kind_of(each) == COMPUTE)
    assert {"name", "environment"} <= {label["key"] for label in machine["labels"]}
    assert machine["system_labels"][1]["key"] == "compute.googleapis.com/machine_spec"


def test_the_table_is_the_sum_of_its_days(cloud) -> None:
    whole = rows(cloud, only="usage_start_time,usage_end_time,cost,usage,invoice.month")
    today = int(cloud.now_s // DAY_S)
    assert max(each["usage_end_time"] for each in whole) == today * DAY_S
    starts = [each["usage_start_time"] // DAY_S for each in whole]
    assert starts == sorted(starts)
    assert sum(each["cost"] for each in whole) == pytest.approx(sum(expected(cloud, today - 400, today - 1).values()))
    days = Counter(starts)
    export = Export(cloud.accounts[0].account_id, billing.paid_for(cloud.call()), cloud.now_s)
    assert days == {day: export.count(day) for day in range(export.first_day, today) if export.count(day)}
    july = [each for each in whole if each["invoice"]["month"] == "202607"]
    february = [each for each in whole if each["invoice"]["month"] == "202602"]
    wanted = expected(cloud, JULY_1, JULY_1 + 30)
    assert sum(each["cost"] for each in july) == pytest.approx(sum(wanted.values()))
    sent = {
        day: sum(each["usage"]["amount_in_pricing_units"] for each in found if kind_of(each) == TRAFFIC)
        / sum(kind_of(each) == TRAFFIC for each in found)
        for day, found in (("july", july), ("february", february))
    }  # fmt: skip
    assert sent["july"] > 1.5 * sent["february"]


def test_what_is_stopped_pays_for_its_disks_only(cloud) -> None:
    call = cloud.call()
    there = [each for each in call.list("machine") if each.created_s < JULY_1 * DAY_S]
    off = {each.facts["labels"]["name"] for each in there if each.state == "TERMINATED"}
    assert off
    paying_now = {
        label["value"]
        for each in rows(cloud, "20260702")
        if kind_of(each) == COMPUTE
        for label in each["labels"]
        if label["key"] == "name"
    }
    assert paying_now == {each.facts["labels"]["name"] for each in there} - off
    capacity = sum(
        each["usage"]["amount_in_pricing_units"] for each in rows(cloud, "20260702") if kind_of(each) == STORAGE
    )
    disks = [each for each in call.list("volume") if each.created_s < JULY_1 * DAY_S]
    assert capacity >= sum(int(each.facts["sizeGb"]) for each in disks) * 24 / 730 - 1e-6


def test_answers_are_as_the_discovery_document_says(cloud) -> None:
    listed, one = cloud.get(tables(cloud)), cloud.get(table(cloud))
    page = cloud.get(f"{table(cloud)}/data?maxResults=3")
    for name, document in (("TableList", listed), ("Table", one), ("TableDataList", page)):
        assert problems("bigquery", name, document) == []
    assert listed["tables"][0]["tableReference"] == one["tableReference"]
    assert one["numRows"] == page["totalRows"]
    assert "numRows" not in cloud.get(f"{table(cloud)}?view=BASIC")


def test_fields_and_forms_of_time_are_chosen(cloud) -> None:
    chosen = "selectedFields=usage_start_time,usage.unit,labels.key&maxResults=1"
    first = {}
    for form in ("FLOAT64", "INT64", "ISO8601_STRING"):
        page = cloud.get(f"{table(cloud)}$20260702/data?{chosen}&formatOptions.timestampOutputFormat={form}")
        start, labels, usage = page["rows"][0]["f"]
        assert usage["v"] == {"f": [{"v": "seconds"}]}
        assert {len(each["v"]["f"]) for each in labels["v"]} == {1}
        first[form] = start["v"]
    assert first == {
        "FLOAT64": "1.782864E9", "INT64": "1782864000000000", "ISO8601_STRING": "2026-07-01T00:00:00.000000000000Z",
    }  # fmt: skip
    by_flag = cloud.get(f"{table(cloud)}$20260702/data?{chosen}&formatOptions.useInt64Timestamp=true")
    assert by_flag["rows"][0]["f"][0]["v"] == first["INT64"]


def test_who_may_read_may_see_it_and_others_may_not(cloud) -> None:
    project = cloud.accounts[0].account_id
    for account, status, words in (
        (0, 200, ""), (2, 200, ""), (3, 401, "invalid authentication credentials"), (1, 403, "Permission denied"),
    ):  # fmt: skip
        answer = cloud.ask("GET", tables(cloud), account=account)
        assert answer[0] == status, account
        assert words in answer[1].get("error", {}).get("message", "")
    for url, status, words in (
        (f"{table(cloud)}x", 404, f"Not found: Table {project}:{bigquery.DATASET}"),
        (tables(cloud).replace(bigquery.DATASET, "nowhere"), 404, f"Not found: Dataset {project}:nowhere"),
        (f"{table(cloud)}$2026/data", 400, "Invalid table decorator"),
        (f"{table(cloud)}/data?pageToken=x", 400, "Invalid page token"),
        (f"{table(cloud)}/data?maxResults=x", 400, "maxResults"),
        (f"{table(cloud)}/data?selectedFields=tears", 400, "No such field: tears"),
        (f"{table(cloud)}/data?formatOptions.timestampOutputFormat=x", 400, "timestampOutputFormat"),
    ):
        answer = cloud.ask("GET", url)
        assert (answer[0], words in answer[1]["error"]["message"]) == (status, True), url
