"""The page on which a customer pays."""

import sqlite3
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, make_response, redirect, render_template, request

from sandbox.parts import parts
from sandbox.paystack import shapes
from sandbox.paystack.cards import CARDS, DECLINED, find_card
from sandbox.paystack.transactions import Attempt, NotPayable

blp = Blueprint("checkout", __name__, url_prefix="/checkout")


@blp.get("/<access_code>")
def page(access_code: str) -> str:
    row = _find(access_code)
    if row["paid_at"]:
        return render_template("paid.html", **_facts(row))
    return _form(row)


@blp.post("/<access_code>")
def choose(access_code: str) -> Any:
    row = _find(access_code)
    if row["paid_at"]:
        return _back_to_shop(row)
    if request.form.get("choice") == "abandon":
        return _abandoned(row)
    try:
        tried = parts().transactions.pay(row["reference"], _attempt(row))
    except NotPayable as refusal:
        return _form(row, str(refusal)), 409
    if tried["status"] == "success":
        return _paid(tried)
    if request.form.get("choice") == "transfer":
        return _form(tried, "The bank sends the money back: it was not the right amount."), 402
    return _form(tried, tried["gateway_response"]), 402


def _attempt(row: sqlite3.Row) -> Attempt:
    address = request.remote_addr
    match request.form.get("choice"):
        case "fail":
            return Attempt(card=DECLINED, ip_address=address)
        case "transfer":
            amount = row["requested_amount"] // 2
            return Attempt(channel="bank_transfer", amount=amount, ip_address=address)
        case "card":
            card = find_card(request.form.get("number", ""))
            pin = request.form.get("pin", "").strip()
            return Attempt(card=card, pin=pin or None, ip_address=address)
    return Attempt(ip_address=address)


def _paid(row: sqlite3.Row) -> Any:
    parts().webhooks.before_redirect(row["reference"])
    answer = make_response(_back_to_shop(row))
    webhooks, reference = parts().webhooks, row["reference"]
    answer.call_on_close(lambda: webhooks.after_redirect(reference))
    return answer


def _back_to_shop(row: sqlite3.Row) -> Any:
    if not row["callback_url"]:
        return render_template("paid.html", **_facts(row))
    query = urlencode({"trxref": row["reference"], "reference": row["reference"]})
    joint = "&" if "?" in row["callback_url"] else "?"
    return redirect(f"{row['callback_url']}{joint}{query}")


def _abandoned(row: sqlite3.Row) -> Any:
    try:
        row = parts().transactions.abandon(row["reference"])
    except NotPayable as refusal:
        return _form(row, str(refusal)), 409
    metadata = shapes.transaction(row)["metadata"]
    away = metadata.get("cancel_action") if isinstance(metadata, dict) else None
    if isinstance(away, str) and away.startswith(("http://", "https://")):
        return redirect(away)
    return render_template("abandoned.html", **_facts(row))


def _form(row: sqlite3.Row, refusal: str = "") -> str:
    return render_template("checkout.html", refusal=refusal, cards=CARDS.values(), **_facts(row))


def _facts(row: sqlite3.Row) -> dict[str, Any]:
    amount = f"{row['amount'] / 100:,.2f}"
    return {"payment": row, "amount": f"{row['currency']} {amount}"}


def _find(access_code: str) -> sqlite3.Row:
    row = parts().transactions.by_access_code(access_code)
    return row if row else abort(404)
