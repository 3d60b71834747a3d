"""What does Linode ask for? Invoices and what stands on them.

Off or on, a Linode costs the same; an hour begun is a whole one; none costs more in a calendar month than its type's
monthly price (techdocs.akamai.com/cloud-computing/docs/understanding-how-billing-works).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from deploy.local.clouds import invoices
from deploy.local.clouds.invoices import Invoice, Item
from deploy.local.clouds.linode import offers
from deploy.local.clouds.linode.answers import moment, page_of
from deploy.local.clouds.world.monthly import Tariff, name_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal

TARIFF = Tariff("type", offers.hour_usd, offers.gib_month_usd, offers.MONTH_HOURS)
_HOUR_OF_MONTH = Decimal("0.0015")
"""What of a month's price an hour costs."""


def actions() -> list[Action]:
    base = "/v4/account/invoices"
    return [
        Action("GET", base, "invoices.list", _listed),
        Action("GET", f"{base}/{{id}}", "invoices.get", lambda call: Answer(200, _document(call, _need(call)))),
        Action("GET", f"{base}/{{id}}/items", "invoices.items", _items),
    ]


def uninvoiced_usd(call: Call) -> Decimal:
    """What the running month has cost so far."""
    return invoices.running(TARIFF.billed(call), call.now_s).usd


def _listed(call: Call) -> Answer:
    """The oldest first."""
    found = invoices.closed(TARIFF.billed(call), call.now_s)[::-1]
    return page_of(call, found, lambda each: _document(call, each))


def _document(call: Call, invoice: Invoice) -> dict[str, Any]:
    usd = float(invoice.usd)
    return {
        "id": invoices.number_of(call.account.account_id, invoice.month), "date": moment(invoice.until_s),
        "label": f"Invoice #{invoices.number_of(call.account.account_id, invoice.month)}", "subtotal": usd, "tax": 0.0,
        "tax_summary": [], "total": usd, "billing_source": "linode",
    }  # fmt: skip


def _need(call: Call) -> Invoice:
    for each in invoices.closed(TARIFF.billed(call), call.now_s):
        if call.path["id"] == str(invoices.number_of(call.account.account_id, each.month)):
            return each
    raise Refusal("not_found")


def _items(call: Call) -> Answer:
    invoice = _need(call)
    return page_of(call, list(invoice.things), lambda each: _item(call, invoice.item(each)))


def _item(call: Call, item: Item) -> dict[str, Any]:
    """`quantity` are all its hours and `unit_price` that of one; where the month's price is less, `amount` is that."""
    thing, usd = item.thing, float(item.usd)
    title = "Storage Volume" if thing.volumes_gib else (offers.type_(thing.kind) or {"label": thing.kind})["label"]
    price = thing.volumes_gib * thing.gib_month_usd * _HOUR_OF_MONTH if thing.volumes_gib else thing.hour_usd
    return {
        "label": f"{title} - {name_of(call, thing, 'label')} ({thing.id})", "type": "hourly",
        "from": moment(item.from_s), "to": moment(item.until_s), "quantity": item.hours,
        "unit_price": f"{price.normalize():f}", "amount": usd, "tax": 0.0, "total": usd, "region": thing.region,
    }  # fmt: skip
