"""Linode's invoices are what the pure function says of Linodes and volumes, and Linode's own client reads them."""

from decimal import Decimal

import pytest
from linode_api4.objects.account import Account, Invoice, InvoiceItem

from deploy.local.clouds.bills import Month, charges
from deploy.local.clouds.linode import billing, offers
from deploy.local.clouds.linode.provider import Linode
from tests.deploy.local.clouds.paying import MACHINES, paying

BASE = "/v4/account/invoices"
JULY = Month(2026, 7)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with paying(Linode(), tmp_path_factory.mktemp("linode")) as payer:
        yield payer


def read(cloud, url: str) -> list[dict]:
    found, number, pages = [], 0, 1
    while number < pages:
        number += 1
        page = cloud.get(f"{url}?page_size=25&page={number}")
        found, pages = found + page["data"], page["pages"]
    assert len(found) == page["results"]
    return found


def test_invoices_add_up_and_a_month_is_capped(cloud) -> None:
    listed, mine = read(cloud, BASE), billing.TARIFF.billed(cloud.call())
    assert [each["date"] for each in listed] == [
        f"{year}-{month:02d}-01T00:00:00" for year, month in ((2025, 12), *((2026, each) for each in range(1, 9)))
    ]  # fmt: skip
    assert len(mine) == MACHINES
    for each in listed:
        items = read(cloud, f"{BASE}/{each['id']}/items")
        assert round(sum(item["amount"] for item in items), 2) == each["total"] == each["subtotal"], each
        assert cloud.get(f"{BASE}/{each['id']}") == each
    exact = sum(charge.usd for thing in mine for charge in charges(thing, JULY.from_s, JULY.until_s))
    assert abs(exact - Decimal(str(listed[-1]["total"]))) <= Decimal("0.005") * len(items)
    whole = [item for item in items if item["quantity"] == 744]
    assert len(items) > 25
    assert whole
    monthly = {each["price"]["hourly"]: each["price"]["monthly"] for each in offers.types()}
    assert {item["amount"] for item in whole} == {monthly[float(item["unit_price"])] for item in whole}


def test_linodes_own_client_takes_them(cloud) -> None:
    """linode_api4's objects, made of the answers."""
    first = cloud.get(BASE)["data"][0]
    invoice = Invoice(None, first["id"], json=first)
    item = InvoiceItem(None, "label", invoice.id, json=cloud.get(f"{BASE}/{invoice.id}/items")["data"][0])
    account = Account(None, "email", json=cloud.get("/v4/account"))
    assert (invoice.total, invoice.date.year, item.type) == (invoice.subtotal, 2025, "hourly")
    assert item.from_date < item.to_date
    running = sum(
        charge.usd
        for thing in billing.TARIFF.billed(cloud.call())
        for charge in charges(thing, JULY.until_s, cloud.now_s)
    )
    assert account.balance_uninvoiced == pytest.approx(float(running), abs=0.005 * MACHINES)


def test_off_costs_as_much_as_on(cloud) -> None:
    (last,) = [each for each in read(cloud, BASE) if each["date"].startswith("2026-08")]
    off = [each for each in cloud.call().list("machine") if each.state == "offline" and each.created_s < JULY.from_s]
    assert off
    labels = {item["label"]: item["quantity"] for item in read(cloud, f"{BASE}/{last['id']}/items")}
    for each in off:
        assert [hours for label, hours in labels.items() if label.endswith(f"({each.id})")] == [744]


def test_who_may_read_may_see_it_and_a_wrong_token_may_not(cloud) -> None:
    for account, expected in ((0, 200), (1, 200), (2, 200), (3, 401)):
        assert cloud.ask("GET", BASE, account=account)[0] == expected, account
    assert cloud.ask("GET", BASE, account=1)[1]["data"] == []
    status, refused = cloud.send("GET", BASE, b"", {"authorization": "Bearer invalid"})
    assert (status, refused) == (401, {"errors": [{"reason": "Invalid Token"}]})
    assert cloud.ask("GET", f"{BASE}/1")[0] == 404
