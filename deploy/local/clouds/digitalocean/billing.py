"""What does DigitalOcean ask for? Balance, invoices and what stands on them.

Off or on, a droplet costs the same; an hour begun is a whole one; after 672 of a calendar month no more is counted
(docs.digitalocean.com/products/droplets/details/pricing, until 2025).
"""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

from deploy.local.clouds import invoices
from deploy.local.clouds.bills import Billed
from deploy.local.clouds.digitalocean import offers
from deploy.local.clouds.digitalocean.answers import moment, page_of
from deploy.local.clouds.invoices import Invoice, Item
from deploy.local.clouds.world.monthly import Tariff, name_of
from deploy.local.clouds.world.provider import Action, Answer, Call, Refusal

PREVIEW = "preview"
"""In place of the running month's invoice id (docs.digitalocean.com/reference/api, Billing)."""
_DROPLETS, _VOLUMES = "Droplets", "Volumes"
TARIFF = Tariff("size", offers.hour_usd, offers.gib_month_usd, offers.HOURS_PER_MONTH)


def actions() -> list[Action]:
    mine = "/v2/customers/my"
    return [
        Action("GET", f"{mine}/balance", "balance.get", _balance),
        Action("GET", f"{mine}/billing_history", "billing_history.list", _history),
        Action("GET", f"{mine}/invoices", "invoices.list", _invoices),
        Action("GET", f"{mine}/invoices/{{id}}", "invoices.items", _items),
        Action("GET", f"{mine}/invoices/{{id}}/summary", "invoices.summary", _summary),
    ]


def _balance(call: Call) -> Answer:
    """Every invoice was paid at once: the account's balance is nothing but the running month."""
    usage = str(invoices.running(TARIFF.billed(call), call.now_s).usd)
    return Answer(
        200,
        {
            "month_to_date_balance": usage, "account_balance": "0.00", "month_to_date_usage": usage,
            "generated_at": moment(call.now_s),
        },
    )  # fmt: skip


def _history(call: Call) -> Answer:
    """Each invoice and its payment, the newest first."""
    found = [
        (each, kind) for each in invoices.closed(TARIFF.billed(call), call.now_s) for kind in ("Payment", "Invoice")
    ]
    return page_of(call, "billing_history", found, lambda each: _event(call, *each))


def _event(call: Call, invoice: Invoice, kind: str) -> dict[str, Any]:
    if kind == "Payment":
        return {
            "description": "Payment (Visa 4242)", "amount": str(-invoice.usd), "date": moment(invoice.until_s + 86_400),
            "type": kind,
        }  # fmt: skip
    return {
        "description": f"Invoice for {invoice.month}", "amount": str(invoice.usd), "invoice_id": _id_of(call, invoice),
        "invoice_uuid": _uuid_of(call, invoice), "date": moment(invoice.until_s), "type": kind,
    }  # fmt: skip


def _invoices(call: Call) -> Answer:
    mine = TARIFF.billed(call)
    answer = page_of(call, "invoices", invoices.closed(mine, call.now_s), lambda each: _invoice(call, each))
    now = {**_invoice(call, invoices.running(mine, call.now_s)), "updated_at": moment(call.now_s)}
    return Answer(200, {**answer.document, "invoice_preview": now})


def _invoice(call: Call, invoice: Invoice) -> dict[str, Any]:
    return {
        "invoice_uuid": _uuid_of(call, invoice), "invoice_id": _id_of(call, invoice), "amount": str(invoice.usd),
        "invoice_period": str(invoice.month),
    }  # fmt: skip


def _need(call: Call) -> Invoice:
    mine = TARIFF.billed(call)
    now = invoices.running(mine, call.now_s)
    wanted = call.path["id"]
    for each in (now, *invoices.closed(mine, call.now_s)):
        if wanted == _uuid_of(call, each) or (wanted == PREVIEW and each is now):
            return each
    raise Refusal("not_found")


def _items(call: Call) -> Answer:
    invoice = _need(call)
    return page_of(call, "invoice_items", list(invoice.things), lambda each: _item(call, invoice.item(each)))


def _item(call: Call, item: Item) -> dict[str, Any]:
    thing = item.thing
    name = name_of(call, thing, "name")
    size = f"{thing.volumes_gib}GB" if thing.volumes_gib else thing.kind
    return {
        "product": _product(thing), "resource_id": thing.id, "group_description": "", "description": f"{name} ({size})",
        **({"resource_uuid": thing.id} if thing.volumes_gib else {}), "amount": str(item.usd),
        "duration": str(item.hours), "duration_unit": "Hours", "start_time": moment(item.from_s),
        "end_time": moment(item.until_s), "project_name": "Canopy",
    }  # fmt: skip


def _summary(call: Call) -> Answer:
    invoice = _need(call)
    charges = [_grouped(invoice, product) for product in (_DROPLETS, _VOLUMES)]
    amount = str(invoice.usd)
    nothing = {"overages": "Overages", "taxes": "Taxes", "credits_and_adjustments": "Credits & adjustments"}
    return Answer(
        200,
        {
            "invoice_uuid": _uuid_of(call, invoice), "invoice_id": _id_of(call, invoice),
            "billing_period": str(invoice.month), "amount": amount, "user_name": "Operations",
            "user_billing_address": {"address_line1": "", "city": "", "region": "", "postal_code": "",
                                     "country_iso2_code": "US", "created_at": "2024-01-01T00:00:00Z"},
            "user_company": "Canopy", "user_email": "operations@canopy.test",
            "product_charges": {"name": "Product usage charges", "amount": amount,
                                "items": [each for each in charges if each["count"] != "0"]},
            **{field: {"name": name, "amount": "0.00"} for field, name in nothing.items()},
        },
    )  # fmt: skip


def _grouped(invoice: Invoice, product: str) -> dict[str, str]:
    found = [invoice.item(each).usd for each in invoice.things if _product(each) == product]
    return {"name": product, "amount": str(sum(found, Decimal("0.00"))), "count": str(len(found))}


def _product(thing: Billed) -> str:
    return _VOLUMES if thing.volumes_gib else _DROPLETS


def _uuid_of(call: Call, invoice: Invoice) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"invoice {call.account.account_id} {invoice.month}"))


def _id_of(call: Call, invoice: Invoice) -> str:
    return str(invoices.number_of(call.account.account_id, invoice.month))
