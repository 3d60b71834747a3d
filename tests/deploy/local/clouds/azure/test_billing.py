"""Cost Management's rows are what the pure function says of machines and disks, for every period, group and page."""

from collections import defaultdict
from urllib.parse import urlsplit

import pytest

from deploy.local.clouds.azure import billing, cost_management
from deploy.local.clouds.azure.provider import AzureProvider
from deploy.local.clouds.bills import COMPUTE, DAY_S, STORAGE, TRAFFIC, Month, charges
from tests.deploy.local.clouds.paying import paying, sign_in_at_azure

VERSION = "?api-version=2025-03-01"
JULY, JANUARY = Month(2026, 7), Month(2026, 1)
COST = {"cost": {"name": "Cost", "function": "Sum"}}
SERVICES = {COMPUTE: "Virtual Machines", TRAFFIC: "Bandwidth", STORAGE: "Storage"}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with paying(AzureProvider(), tmp_path_factory.mktemp("azure")) as payer:
        sign_in_at_azure(payer)
        yield payer


def query(cloud, dataset: dict, *, month: Month | None = JULY, group: str = "", account: int = 0, **more):
    """Status and the first page."""
    sub = cloud.accounts[0].account_id
    period = {} if month is None else {
        "timeframe": "Custom",
        "timePeriod": {"from": f"{month}-01T00:00:00+00:00", "to": f"{month}-31T23:59:59+00:00"},
    }  # fmt: skip
    scope = f"/subscriptions/{sub}" + (f"/resourceGroups/{group}" if group else "")
    body = {"type": "ActualCost", **period, "dataset": {"aggregation": COST, **dataset}, **more}
    url = f"{scope}/providers/Microsoft.CostManagement/query{VERSION}"
    return cloud.ask("POST", url, body, account), body


def rows(cloud, dataset: dict, **more) -> list[dict]:
    """All pages, each row by the names of its columns."""
    (status, answer), body = query(cloud, dataset, **more)
    found = []
    while True:
        assert status == 200, answer
        properties = answer["properties"]
        names = [column["name"] for column in properties["columns"]]
        found += [dict(zip(names, row, strict=True)) for row in properties["rows"]]
        if properties["nextLink"] is None:
            return found
        parts = urlsplit(properties["nextLink"])
        status, answer = cloud.ask("POST", f"{parts.path}?{parts.query}", body)


def by(name: str, kind: str = "Dimension") -> list[dict]:
    return [{"type": kind, "name": name}]


def total(found: list[dict]) -> float:
    return sum(each["Cost"] for each in found)


def expected(cloud, month: Month, key) -> dict:
    sums = defaultdict(float)
    for paid in billing.paid_for(cloud.call()):
        for day in range(31):
            from_s = month.from_s + day * DAY_S
            for charge in charges(paid.billed, from_s, from_s + DAY_S):
                sums[key(paid, charge, day)] += float(charge.usd)
    return dict(sums)


def test_an_answer_has_the_documented_shape(cloud) -> None:
    """learn.microsoft.com/rest/api/cost-management/query/usage, QueryResult: azure-mgmt-costmanagement is not here."""
    (status, answer), _ = query(
        cloud, {"granularity": "Daily", "grouping": [*by("ServiceName"), *by("Team", "TagKey")]}
    )
    assert (status, set(answer)) == (200, {"id", "name", "type", "location", "sku", "eTag", "properties"})
    assert answer["type"] == "Microsoft.CostManagement/query"
    assert answer["id"].endswith(f"/providers/Microsoft.CostManagement/query/{answer['name']}")
    assert set(answer["properties"]) == {"nextLink", "columns", "rows"}
    assert [(each["name"], each["type"]) for each in answer["properties"]["columns"]] == [
        ("Cost", "Number"), ("UsageDate", "Number"), ("ServiceName", "String"), ("TagKey", "String"),
        ("TagValue", "String"), ("Currency", "String"),
    ]  # fmt: skip
    assert list(map(type, answer["properties"]["rows"][0])) == [float, int, str, str, str, str]


def test_days_services_and_months_are_the_pure_functions(cloud) -> None:
    daily = rows(cloud, {"granularity": "Daily", "grouping": by("ServiceName")})
    wanted = expected(cloud, JULY, lambda _, charge, day: (20260701 + day, SERVICES[charge.what]))
    assert {(each["UsageDate"], each["ServiceName"]): each["Cost"] for each in daily} == pytest.approx(wanted)
    assert list(daily[0]) == ["Cost", "UsageDate", "ServiceName", "Currency"]
    (whole,) = rows(cloud, {"granularity": "None"})
    (month,) = rows(cloud, {"granularity": "Monthly", "aggregation": {"c": {"name": "PreTaxCost", "function": "Sum"}}})
    assert whole == {"Cost": pytest.approx(total(daily)), "Currency": "USD"}
    assert month == {
        "PreTaxCost": pytest.approx(total(daily)), "BillingMonth": "2026-07-01T00:00:00", "Currency": "USD",
    }  # fmt: skip


def test_a_summer_month_is_dearer_by_what_is_sent(cloud) -> None:
    """Of machines that were there in both."""
    old = {paid.names[TRAFFIC]["ResourceId"] for paid in billing.paid_for(cloud.call()) if TRAFFIC in paid.names
           and paid.billed.launched_s < JANUARY.from_s and paid.billed.gone_s is None}  # fmt: skip
    assert len(old) > 3
    only = {"dimensions": {"name": "ResourceId", "operator": "In", "values": sorted(old)}}
    summer, winter = (
        {each["MeterCategory"]: each["Cost"]
         for each in rows(cloud, {"grouping": by("MeterCategory"), "filter": only}, month=month)}
        for month in (JULY, JANUARY)
    )  # fmt: skip
    assert summer["Bandwidth"] > 1.5 * winter["Bandwidth"]
    assert summer["Virtual Machines"] == pytest.approx(winter["Virtual Machines"])


def test_what_is_deallocated_pays_for_its_disks_only(cloud) -> None:
    call = cloud.call()
    machines = [each for each in call.list("machine") if each.created_s < JULY.from_s]
    stopped = {each.id.lower() for each in machines if each.state == "deallocated"}
    assert stopped
    july = {each["ResourceId"]: each["Cost"] for each in rows(cloud, {"grouping": by("ResourceId")})}
    assert {each.id.lower() for each in machines} - july.keys() == stopped
    disks = [each for each in call.list("volume") if str(each.facts.get("managedBy")).lower() in stopped]
    assert all(july[each.id.lower()] > 0 for each in disks)
    assert len(disks) >= len(stopped)


def test_groups_and_filters_divide_the_whole(cloud) -> None:
    whole = total(rows(cloud, {}))
    groups = rows(cloud, {"grouping": by("ResourceGroup")})
    assert total(groups) == pytest.approx(whole)
    for each in groups:
        assert total(rows(cloud, {}, group=each["ResourceGroup"])) == pytest.approx(each["Cost"])
    tagged = rows(cloud, {"grouping": by("Environment", "TagKey")})
    assert {each["TagKey"] for each in tagged} == {"environment"}
    assert total(tagged) == pytest.approx(whole)
    production = {"tags": {"name": "Environment", "operator": "In", "values": ["production"]}}
    east = {"dimensions": {"name": "ResourceLocation", "operator": "In", "values": ["east us"]}}
    both = total(rows(cloud, {"filter": {"and": [production, east]}}))
    either = total(rows(cloud, {"filter": {"or": [production, east]}}))
    one, other = (total(rows(cloud, {"filter": each})) for each in (production, east))
    assert one == pytest.approx(next(each["Cost"] for each in tagged if each["TagValue"] == "production"))
    assert 0 < both < min(one, other)
    assert both + either == pytest.approx(one + other)


def test_pages_are_read_to_the_end(cloud) -> None:
    """31 days of some 110 resources."""
    dataset = {"granularity": "Daily", "grouping": by("ResourceId")}
    (_, first), _ = query(cloud, dataset)
    assert len(first["properties"]["rows"]) == cost_management.PAGE_ROWS
    found = rows(cloud, dataset)
    keys = [(each["UsageDate"], each["ResourceId"]) for each in found]
    assert len(keys) > 2 * cost_management.PAGE_ROWS
    assert keys == sorted(set(keys))
    assert total(found) == pytest.approx(total(rows(cloud, {})))


def test_the_running_month_ends_now(cloud) -> None:
    daily = rows(cloud, {"granularity": "Daily"}, month=None, timeframe="MonthToDate")
    assert [each["UsageDate"] for each in daily] == list(range(20260801, 20260811))
    assert daily[-1]["Cost"] < 0.8 * daily[-2]["Cost"]
    assert total(rows(cloud, {}, month=None, timeframe="TheLastMonth")) == pytest.approx(total(rows(cloud, {})))


def test_refusals_are_azures(cloud) -> None:
    tag = {"tags": {"name": "a", "operator": "In", "values": ["b"]}}
    for dataset, more, words in (
        ({"grouping": by("owner")}, {}, "Invalid dataset grouping: 'owner'; valid values: 'ResourceGroup'"),
        ({"grouping": by("a", "Label")}, {}, "Invalid dataset grouping type"),
        ({"grouping": by("Meter") * 3}, {}, "at most 2"),
        ({"aggregation": {"x": {"name": "Tears", "function": "Sum"}}}, {}, "Invalid dataset aggregation 'Tears'"),
        ({"granularity": "Hourly"}, {}, "Invalid dataset granularity"),
        ({"filter": {"not": tag}}, {}, "one and only one of and/or/not/dimension/tag"),
        ({"filter": {**tag, "and": [tag, tag]}}, {}, "one and only one of"),
        ({"filter": {"and": [tag]}}, {}, "at least two"),
        ({"filter": {"dimensions": {"name": "Meter", "operator": "Contains", "values": ["b"]}}}, {}, "operator is 'In'"),
        ({"filter": {"dimensions": {"name": "x", "operator": "In", "values": ["b"]}}}, {}, "Invalid dataset filter: 'x'"),
        ({}, {"type": "Guess"}, "Invalid definition type"),
        ({}, {"timeframe": "Always"}, "Invalid timeframe"),
        ({}, {"timePeriod": {"from": "2026-07-01"}}, "Invalid time period"),
        ({}, {"timePeriod": {"from": "2026-07-01", "to": "9999-12-31"}}, "years are 2000 to 3000"),
        ({"grouping": ["Meter"]}, {}, "malformed"),
        ({}, {"timePeriod": {"from": "2026-07-02", "to": "2026-07-01"}}, "start time must be less"),
        ({}, {"timePeriod": {"from": "2025-07-01", "to": "2026-07-02"}}, "cannot exceed 1 year"),
    ):  # fmt: skip
        (status, answer), _ = query(cloud, dataset, **more)
        assert (status, answer["error"]["code"]) == (400, "BadRequest"), words
        assert answer["error"]["message"].startswith("Invalid query definition: "), words
        assert words in answer["error"]["message"]
    assert query(cloud, {}, group="nowhere")[0][1]["error"]["code"] == "ResourceGroupNotFound"


def test_who_may_read_may_see_it_and_others_may_not(cloud) -> None:
    for account, expected_status, code in (
        (0, 200, None), (1, 404, "SubscriptionNotFound"), (2, 200, None), (3, 401, "InvalidAuthenticationToken"),
    ):  # fmt: skip
        (status, answer), _ = query(cloud, {}, account=account)
        assert (status, answer.get("error", {}).get("code")) == (expected_status, code), account
