"""What does Vultr ask for? Invoices, what stands on them, and the charges of the running month.

Off or on, an instance costs the same (docs.vultr.com, "How to Stop a Vultr Cloud Compute Instance"); an hour begun is a
whole one; after 730 of a calendar month no more is counted.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from deploy.local.clouds import invoices
from deploy.local.clouds.invoices import Invoice, Item
from deploy.local.clouds.vultr import offers
from deploy.local.clouds.vultr.answers import moment, page_of
from deploy.local.clouds.world.monthly import Tariff, name_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal

BALANCE_USD = Decimal("-10.00")
"""What the account has paid ahead; each invoice is paid when it comes."""
_OPENED_S = 1_704_067_200.0
"""The first day of 2024, when this balance was paid in."""
TARIFF = Tariff("plan", offers.hour_usd, lambda _: offers.BLOCK_GIB_MONTH_USD, offers.MONTH_HOURS)


def actions() -> list[Action]:
    base = "/v2/billing"
    return [
        Action("GET", f"{base}/history", "billing.history", _history),
        Action("GET", f"{base}/invoices", "billing.invoices", _listed),
        Action("GET", f"{base}/invoices/{{id}}", "billing.invoice", _read),
        Action("GET", f"{base}/invoices/{{id}}/items", "billing.items", _items),
        Action("GET", f"{base}/pending-charges", "billing.pending_charges", _pending),
    ]


def account_facts(call: Call) -> dict[str, Any]:
    """The part of the account's document that is about money."""
    mine = TARIFF.billed(call)
    closed = invoices.closed(mine, call.now_s)
    paid_s, paid_usd = (closed[0].until_s, -closed[0].usd) if closed else (_OPENED_S, BALANCE_USD)
    return {
        "balance": float(BALANCE_USD), "pending_charges": float(invoices.running(mine, call.now_s).usd),
        "last_payment_date": moment(paid_s), "last_payment_amount": float(paid_usd),
    }  # fmt: skip


def _number(call: Call, invoice: Invoice) -> int:
    return invoices.number_of(call.account.account_id, invoice.month)


def _history(call: Call) -> Answer:
    """Each invoice and, with the next number, its payment."""
    closed = invoices.closed(TARIFF.billed(call), call.now_s)
    found = [(each, is_payment) for each in closed for is_payment in (False, True)]
    return page_of(
        call, "billing_history", found, lambda each: _number(call, each[0]) + each[1], lambda each: _event(call, *each)
    )


def _event(call: Call, invoice: Invoice, is_payment: bool) -> dict[str, Any]:  # noqa: FBT001 - half of a row
    facts = {**_document(call, invoice), "type": "invoice"}
    if not is_payment:
        return facts
    return facts | {
        "id": facts["id"] + 1, "type": "payment", "description": "Credit Card", "amount": -facts["amount"],
        "balance": float(BALANCE_USD),
    }  # fmt: skip


def _listed(call: Call) -> Answer:
    closed = invoices.closed(TARIFF.billed(call), call.now_s)
    return page_of(
        call, "billing_invoices", closed, lambda each: _number(call, each), lambda each: _document(call, each)
    )


def _document(call: Call, invoice: Invoice) -> dict[str, Any]:
    number, usd = _number(call, invoice), invoice.usd
    return {
        "id": number, "date": moment(invoice.until_s), "description": f"Invoice #{number}", "amount": float(usd),
        "balance": float(BALANCE_USD + usd),
    }  # fmt: skip


def _need(call: Call) -> Invoice:
    for each in invoices.closed(TARIFF.billed(call), call.now_s):
        if call.path["id"] == str(_number(call, each)):
            return each
    raise Refusal("not_found")


def _read(call: Call) -> Answer:
    return Answer(200, {"billing_invoice": _document(call, _need(call))})


def _items(call: Call) -> Answer:
    invoice = _need(call)
    numbered = list(enumerate(invoice.things, 1))
    return page_of(
        call, "invoice_items", numbered, lambda each: each[0], lambda each: _item(call, invoice.item(each[1]))
    )


def _pending(call: Call) -> Answer:
    """All of them at once."""
    invoice = invoices.running(TARIFF.billed(call), call.now_s)
    return Answer(200, {"pending_charges": [_item(call, invoice.item(each)) for each in invoice.things]})


def _item(call: Call, item: Item) -> dict[str, Any]:
    thing = item.thing
    price = thing.volumes_gib * thing.gib_month_usd / offers.MONTH_HOURS if thing.volumes_gib else thing.hour_usd
    size = f"{thing.volumes_gib} GB" if thing.volumes_gib else thing.kind
    return {
        "description": f"{name_of(call, thing, 'label')} ({size})",
        "product": "Vultr Block Storage" if thing.volumes_gib else "Vultr Cloud Compute",
        "start_date": moment(item.from_s), "end_date": moment(item.until_s), "units": item.hours, "unit_type": "hours",
        "unit_price": round(float(price), 6), "total": float(item.usd),
    }  # fmt: skip
