"""DigitalOcean's invoices are what the pure function says of droplets and volumes, page by page and month by month."""

from decimal import Decimal

import pytest

from deploy.local.clouds import invoices
from deploy.local.clouds.bills import Month, charges
from deploy.local.clouds.digitalocean import billing
from deploy.local.clouds.digitalocean.provider import DigitalOcean
from tests.deploy.local.clouds.paying import MACHINES, paying

BASE = "/v2/customers/my"
JULY = Month(2026, 7)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with paying(DigitalOcean(), tmp_path_factory.mktemp("digitalocean")) as payer:
        yield payer


def read(cloud, url: str, field: str) -> list[dict]:
    found = []
    while url:
        page = cloud.get(url)
        found += page[field]
        url = page["links"].get("pages", {}).get("next")
    assert len(found) == page["meta"]["total"]
    return found


def test_invoices_add_up(cloud) -> None:
    listed = read(cloud, f"{BASE}/invoices?per_page=4", "invoices")
    assert [each["invoice_period"] for each in listed] == [str(Month(2026, month)) for month in range(7, 0, -1)] + [
        "2025-12", "2025-11",
    ]  # fmt: skip
    mine = billing.TARIFF.billed(cloud.call())
    assert len(mine) == MACHINES
    for each in listed:
        items = read(cloud, f"{BASE}/invoices/{each['invoice_uuid']}?per_page=7", "invoice_items")
        assert sum(Decimal(item["amount"]) for item in items) == Decimal(each["amount"]), each
        month = Month(*map(int, each["invoice_period"].split("-")))
        exact = sum(charge.usd for thing in mine for charge in charges(thing, month.from_s, month.until_s))
        assert abs(exact - Decimal(each["amount"])) <= Decimal("0.005") * len(items)
        summary = cloud.get(f"{BASE}/invoices/{each['invoice_uuid']}/summary")
        assert (summary["amount"], summary["billing_period"]) == (each["amount"], each["invoice_period"])
        assert sum(Decimal(part["amount"]) for part in summary["product_charges"]["items"]) == Decimal(each["amount"])
    history = read(cloud, f"{BASE}/billing_history", "billing_history")
    assert sum(Decimal(each["amount"]) for each in history) == 0
    assert [each["amount"] for each in history if each["type"] == "Invoice"] == [each["amount"] for each in listed]


def test_the_running_month_is_the_preview(cloud) -> None:
    preview = cloud.get(f"{BASE}/invoices")["invoice_preview"]
    balance = cloud.get(f"{BASE}/balance")
    items = read(cloud, f"{BASE}/invoices/preview", "invoice_items")
    assert sum(Decimal(each["amount"]) for each in items) == Decimal(preview["amount"])
    assert balance["month_to_date_usage"] == balance["month_to_date_balance"] == preview["amount"]
    assert {each["end_time"] for each in items} == {"2026-08-10T12:00:00Z"}


def test_a_month_is_capped_and_off_costs_as_much_as_on(cloud) -> None:
    """An hour of the smallest is USD 0.00893: 672 of them are its month's price, though July has 744."""
    july = next(
        each for each in invoices.closed(billing.TARIFF.billed(cloud.call()), cloud.now_s) if each.month == JULY
    )
    items = [july.item(each) for each in july.things if each.kind == "s-1vcpu-1gb" and each.launched_s < JULY.from_s]
    assert {(each.hours, each.usd) for each in items} == {(744, Decimal("6.00"))}
    states = {cloud.get(f"/v2/droplets/{each.thing.id}")["droplet"]["status"] for each in items}
    assert states == {"active", "off"}


def test_who_may_read_may_see_it_and_a_wrong_token_may_not(cloud) -> None:
    for account, expected in ((0, 200), (1, 200), (2, 200), (3, 401)):
        assert cloud.ask("GET", f"{BASE}/invoices", account=account)[0] == expected, account
    assert cloud.ask("GET", f"{BASE}/invoices", account=1)[1]["invoices"] == []
    status, refused = cloud.send("GET", f"{BASE}/balance", b"", {"authorization": "Bearer invalid"})
    assert (status, refused["id"]) == (401, "unauthorized")
    assert cloud.ask("GET", f"{BASE}/invoices/no-such-invoice")[0] == 404
