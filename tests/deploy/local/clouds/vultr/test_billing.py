"""Vultr's invoices and pending charges are what the pure function says of instances and block storage."""

from decimal import Decimal

import pytest

from deploy.local.clouds.bills import Month, charges
from deploy.local.clouds.vultr import billing, offers
from deploy.local.clouds.vultr.provider import Vultr
from tests.deploy.local.clouds.paying import MACHINES, paying

BASE = "/v2/billing"
JULY = Month(2026, 7)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with paying(Vultr(), tmp_path_factory.mktemp("vultr")) as payer:
        yield payer


def read(cloud, url: str, field: str, size: int = 4) -> list[dict]:
    found, cursor = [], ""
    while True:
        page = cloud.get(f"{url}?per_page={size}&cursor={cursor}")
        found += page[field]
        cursor = page["meta"]["links"]["next"]
        if not cursor:
            assert len(found) == page["meta"]["total"]
            return found


def test_invoices_add_up_and_a_month_is_capped(cloud) -> None:
    listed = read(cloud, f"{BASE}/invoices", "billing_invoices")
    assert [each["date"][:7] for each in listed] == ["2025-12", *(f"2026-{month:02d}" for month in range(1, 9))]
    for each in listed:
        items = read(cloud, f"{BASE}/invoices/{each['id']}/items", "invoice_items", 15)
        assert round(sum(item["total"] for item in items), 2) == each["amount"], each
        assert cloud.get(f"{BASE}/invoices/{each['id']}") == {"billing_invoice": each}
    mine = billing.TARIFF.billed(cloud.call())
    assert len(mine) == MACHINES
    exact = sum(charge.usd for thing in mine for charge in charges(thing, JULY.from_s, JULY.until_s))
    assert abs(exact - Decimal(str(listed[-1]["amount"]))) <= Decimal("0.005") * len(items)
    whole = {(item["units"], item["total"]) for item in items if item["description"].endswith("(vc2-1c-1gb)")}
    assert (744, round(730 * float(offers.hour_usd("vc2-1c-1gb")), 2)) in whole


def test_each_invoice_is_paid(cloud) -> None:
    history = read(cloud, f"{BASE}/history", "billing_history")
    assert [each["type"] for each in history[:2]] == ["invoice", "payment"]
    assert round(sum(each["amount"] for each in history), 2) == 0
    account = cloud.get("/v2/account")["account"]
    assert (account["balance"], account["last_payment_amount"]) == (history[-1]["balance"], history[-1]["amount"])
    pending = cloud.get(f"{BASE}/pending-charges")["pending_charges"]
    assert round(sum(each["total"] for each in pending), 2) == account["pending_charges"] > 0
    assert {each["end_date"] for each in pending} == {"2026-08-10T12:00:00+00:00"}


def test_off_costs_as_much_as_on(cloud) -> None:
    (last,) = [
        each for each in read(cloud, f"{BASE}/invoices", "billing_invoices") if each["date"].startswith("2026-08")
    ]
    off = [each for each in cloud.call().list("machine") if each.state == "stopped" and each.created_s < JULY.from_s]
    assert off
    items = read(cloud, f"{BASE}/invoices/{last['id']}/items", "invoice_items", 500)
    for each in off:
        name = f"{each.facts['label']} ({each.facts['plan']})"
        assert [item["units"] for item in items if item["description"] == name] == [744]


def test_who_may_read_may_see_it_and_a_wrong_token_may_not(cloud) -> None:
    for account, expected in ((0, 200), (1, 200), (2, 200), (3, 401)):
        assert cloud.ask("GET", f"{BASE}/invoices", account=account)[0] == expected, account
    assert cloud.ask("GET", f"{BASE}/invoices", account=1)[1]["billing_invoices"] == []
    status, refused = cloud.send("GET", f"{BASE}/history", b"", {"authorization": "Bearer invalid"})
    assert (status, refused["error"]) == (401, "Invalid API token.")
    assert cloud.ask("GET", f"{BASE}/invoices/1")[0] == 404
