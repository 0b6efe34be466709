"""Rows of the books as the JSON that Paystack answers with."""

import hashlib
import json
import sqlite3
from datetime import datetime, timedelta
from typing import Any

from sandbox.books import at_text
from sandbox.paystack.cards import CARDS, PAYING

Row = sqlite3.Row
JSON = dict[str, Any]
INTEGRATION = 100032


def fees(amount: int, currency: str) -> int:
    """Paystack's share, in the subunit, rounded up."""
    if currency == "NGN":
        # The flat part is waived for small amounts; the whole is capped at NGN 2,000.
        flat = 10_000 if amount >= 250_000 else 0
        return min(-(-amount * 15 // 1000) + flat, 200_000)
    return -(-amount * 29 // 1000)


def initialized(row: Row, public_url: str) -> JSON:
    return {
        "authorization_url": f"{public_url}/checkout/{row['access_code']}",
        "access_code": row["access_code"],
        "reference": row["reference"],
    }


def transaction(row: Row) -> JSON:
    """As verify, fetch and list show it."""
    return _core(row) | {
        "receipt_number": None,
        "createdAt": row["created_at"],
        "transaction_date": row["created_at"],
        "log": _log(row),
        "authorization": authorization(row) if row["paid_at"] else {},
        "plan": None,
        "plan_object": {},
        "source": None,
        "connect": None,
    }


def charge_success(row: Row) -> JSON:
    """The `data` of the webhook: verify's, with the differences that Paystack has there."""
    extra = {"receiver_bank_account_number": None, "receiver_bank": None}
    source = {
        "type": "api",
        "source": "merchant_api",
        "entry_point": "transaction_initialize",
        "identifier": None,
    }
    return _core(row) | {
        "log": None,
        "authorization": authorization(row) | extra,
        "plan": {},
        "source": source,
    }


def _core(row: Row) -> JSON:
    return {
        "id": row["id"],
        "domain": "test",
        "status": row["status"],
        "reference": row["reference"],
        "amount": row["amount"],
        "message": None,
        "gateway_response": row["gateway_response"],
        "paid_at": row["paid_at"],
        "created_at": row["created_at"],
        "channel": row["channel"] or "card",
        "currency": row["currency"],
        "ip_address": row["ip_address"],
        "metadata": json.loads(row["metadata"]),
        "fees_breakdown": None,
        "fees": row["fees"],
        "fees_split": None,
        "customer": _customer(row),
        "subaccount": {},
        "split": {},
        "order_id": None,
        "paidAt": row["paid_at"],
        "requested_amount": row["requested_amount"],
        "pos_transaction_data": None,
    }


def authorization(row: Row) -> JSON:
    card = CARDS.get(row["card"] or "", PAYING)
    mark = hashlib.sha256(card.number.encode()).hexdigest()
    return {
        "authorization_code": f"AUTH_{hashlib.sha256(row['reference'].encode()).hexdigest()[:10]}",
        "bin": card.number[:6],
        "last4": card.number[-4:],
        "exp_month": "12",
        "exp_year": "2030",
        "channel": row["channel"],
        "card_type": f"{card.brand} ",
        "bank": "TEST BANK",
        "country_code": "NG",
        "brand": card.brand,
        "reusable": card.pin is None,
        "signature": f"SIG_{mark[:20]}",
        "account_name": None,
    }


def _customer(row: Row) -> JSON:
    return {
        "id": row["customer_id"],
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "email": row["email"],
        "customer_code": row["customer_code"],
        "phone": "",
        "metadata": None,
        "risk_action": "default",
        "international_format_phone": None,
    }


def _log(row: Row) -> JSON | None:
    if not row["attempts"]:
        return None
    return {
        "start_time": int(datetime.fromisoformat(row["created_at"]).timestamp()),
        "time_spent": 1,
        "attempts": row["attempts"],
        "errors": row["attempts"] - bool(row["paid_at"]),
        "success": bool(row["paid_at"]),
        "mobile": False,
        "input": [],
        "history": [{"type": "action", "message": row["gateway_response"], "time": 1}],
    }


def transfer_rejected(row: Row, amount: int) -> JSON:
    return {
        "bank_transfer": {
            "amount": str(amount),
            "message": "incorrect amount sent",
            "message_type": "INCORRECT_AMOUNT",
            "transaction_id": str(row["id"]),
        },
        "customer": _customer(row),
    }


def refund_queued(refund: Row, paid: Row) -> JSON:
    """POST /refund's answer, the only one in which `transaction` is an object."""
    return {
        "transaction": _refunded_transaction(paid),
        "integration": INTEGRATION,
        "deducted_amount": 0,
        "channel": None,
        "merchant_note": refund["merchant_note"],
        "customer_note": refund["customer_note"],
        "status": refund["status"],
        "refunded_by": "sandbox@example.com",
        "expected_at": _expected_at(refund),
        "currency": refund["currency"],
        "domain": "test",
        "amount": refund["amount"],
        "fully_deducted": False,
        "id": refund["id"],
        "createdAt": refund["created_at"],
        "updatedAt": refund["updated_at"],
    }


def _refunded_transaction(paid: Row) -> JSON:
    return {
        "id": paid["id"],
        "domain": "test",
        "reference": paid["reference"],
        "amount": paid["amount"],
        "paid_at": paid["paid_at"],
        "channel": paid["channel"],
        "currency": paid["currency"],
        "authorization": {"exp_month": None, "exp_year": None, "account_name": None},
        "customer": {"international_format_phone": None},
        "plan": {},
        "subaccount": {"currency": None},
        "split": {},
        "order_id": None,
        "paidAt": paid["paid_at"],
        "pos_transaction_data": None,
        "source": None,
        "fees_breakdown": None,
    }


def refund(row: Row) -> JSON:
    """As fetch shows it; `transaction` is the id."""
    return {
        "integration": INTEGRATION,
        "transaction": row["transaction_id"],
        "dispute": None,
        "settlement": None,
        "id": row["id"],
        "domain": "test",
        "currency": row["currency"],
        "amount": row["amount"],
        "status": row["status"],
        "refunded_at": row["updated_at"] if row["status"] == "processed" else None,
        "refunded_by": "sandbox@example.com",
        "customer_note": row["customer_note"],
        "merchant_note": row["merchant_note"],
        "deducted_amount": row["amount"] if row["status"] == "processed" else 0,
        "fully_deducted": row["status"] == "processed",
        "bank_reference": row["reference"],
        "channel": None,
        "expected_at": _expected_at(row),
        "createdAt": row["created_at"],
        "updatedAt": row["updated_at"],
    }


def listed_refund(row: Row) -> JSON:
    """As the list shows it: other names for the times, a number for a boolean."""
    shown = refund(row)
    shown["created_at"] = shown.pop("createdAt")
    shown["updated_at"] = shown.pop("updatedAt")
    shown["fully_deducted"] = 1 if shown["fully_deducted"] else None
    return shown


def refund_event(row: Row, paid: Row) -> JSON:
    troubled = row["status"] in ("failed", "needs-attention")
    return {
        "status": row["status"],
        "transaction_reference": paid["reference"],
        "refund_reference": row["reference"],
        # Paystack sends a number in some of these events and text in the others.
        "amount": row["amount"] if troubled else str(row["amount"]),
        "currency": row["currency"],
        "processor": "test",
        "customer": {key: paid[key] for key in ("first_name", "last_name", "email")},
        "integration": INTEGRATION,
        "domain": "test",
        "id": str(row["id"]),
        "customer_note": row["customer_note"],
        "merchant_note": row["merchant_note"],
    }


def _expected_at(row: Row) -> str:
    due = datetime.fromisoformat(row["created_at"]) + timedelta(days=9)
    return at_text(due.timestamp())
