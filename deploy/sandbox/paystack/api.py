"""The routes under /paystack."""

import hmac
import math
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.parts import parts
from sandbox.paystack import rules, shapes
from sandbox.paystack.errors import PaystackError, invalid_key, missing, unknown_reference

blp = Blueprint("paystack", __name__, url_prefix="/paystack")


@blp.errorhandler(PaystackError)
def refused(error: PaystackError) -> Response:
    return error.response()


@blp.before_request
def check_key() -> None:
    given = request.headers.get("Authorization", "")
    expected = f"Bearer {parts().settings.paystack_secret}"
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise invalid_key()


@blp.post("/transaction/initialize")
def initialize() -> Response:
    new = rules.check(_body(), parts().settings.default_currency)
    row = parts().transactions.open(new)
    return _ok("Authorization URL created", shapes.initialized(row, parts().settings.public_url))


@blp.get("/transaction/verify/<path:reference>")
def verify(reference: str) -> Response:
    row = parts().transactions.by_reference(reference)
    if row is None:
        raise unknown_reference()
    return _ok("Verification successful", shapes.transaction(row))


@blp.get("/transaction/<transaction_id>")
def fetch(transaction_id: str) -> Response:
    if not transaction_id.isdecimal():
        raise PaystackError(400, "Transaction ID should be numeric.")
    row = parts().transactions.by_id(_id(transaction_id))
    if row is None:
        raise PaystackError(404, "Transaction not found")
    return _ok("Transaction retrieved", shapes.transaction(row))


@blp.get("/transaction")
def list_transactions() -> Response:
    conditions = {
        "status": "t.status = ?",
        "customer": "t.customer_id = ?",
        "amount": "t.amount = ?",
        "from": "t.created_at >= ?",
        "to": "t.created_at <= ?",
    }
    where, values = _filters(conditions)
    total, volume = parts().transactions.totals(where, *values)
    meta = _meta(total, total_volume=volume)
    rows = parts().transactions.select(where, *values, limit=meta["perPage"], skip=meta["skipped"])
    return _ok("Transactions retrieved", [shapes.transaction(row) for row in rows], meta)


@blp.post("/refund")
def create_refund() -> Response:
    refund, paid = parts().refunds.create(_body())
    return _ok("Refund has been queued for processing", shapes.refund_queued(refund, paid))


@blp.get("/refund")
def list_refunds() -> Response:
    # Text compared with the number that `transaction` is here: a reference finds nothing.
    conditions = {
        "transaction": "CAST(transaction_id AS TEXT) = ?",
        "from": "created_at >= ?",
        "to": "created_at <= ?",
    }
    where, values = _filters(conditions)
    rows = parts().refunds.select(where, *values)
    meta = _meta(len(rows))
    shown = rows[meta["skipped"] : meta["skipped"] + meta["perPage"]]
    return _ok("Refunds retrieved", [shapes.listed_refund(row) for row in shown], meta)


@blp.get("/refund/<int:refund_id>")
def fetch_refund(refund_id: int) -> Response:
    row = parts().refunds.by_id(_id(str(refund_id)))
    if row is None:
        raise PaystackError(404, "Refund not found")
    return _ok("Refund retrieved", shapes.refund(row))


@blp.post("/refund/retry_with_customer_details/<int:refund_id>")
def retry_refund(refund_id: int) -> Response:
    if not isinstance(_body().get("refund_account_details"), Mapping):
        raise missing("Refund account details are required")
    row = parts().refunds.retry(_id(str(refund_id)))
    return _ok("Refund retried and has been queued for processing", shapes.refund(row))


@blp.get("/integration/payment_session_timeout")
def session_timeout() -> Response:
    seconds = int(parts().books.option("payment_session_timeout", "0"))
    return _ok("Payment session timeout retrieved", {"payment_session_timeout": seconds})


@blp.put("/integration/payment_session_timeout")
def set_session_timeout() -> Response:
    seconds = _body().get("timeout")
    if not str(seconds).isdecimal():
        raise PaystackError(400, "Invalid timeout", "invalid_params")
    parts().books.set_option("payment_session_timeout", str(seconds))
    return _ok("Payment session timeout updated", {"payment_session_timeout": int(str(seconds))})


def _body() -> Mapping[str, Any]:
    """The fields of a JSON object or a form."""
    if request.mimetype == "application/x-www-form-urlencoded":
        fields: dict[str, Any] = {}
        for name, values in request.form.lists():
            is_list = name.endswith("[]")
            fields[name.removesuffix("[]")] = values if is_list else values[-1]
        return fields
    body = request.get_json(force=True, silent=True)
    return body if isinstance(body, dict) else {}


def _id(text: str) -> int:
    # SQLite's integers end here; a larger id is simply not known.
    return min(int(text), 2**63 - 1)


def _filters(conditions: Mapping[str, str]) -> tuple[str, list[str]]:
    used = [name for name in conditions if request.args.get(name)]
    where = " AND ".join(conditions[name] for name in used) or "TRUE"
    return where, [request.args[name] for name in used]


def _meta(total: int, **extra: int) -> dict[str, int]:
    """Where the asked-for page lies among `total` rows."""
    per_page = min(1000, max(1, request.args.get("perPage", 50, type=int)))
    page = max(1, request.args.get("page", 1, type=int))
    place = {"skipped": (page - 1) * per_page, "perPage": per_page, "page": page}
    return {"total": total, **extra, **place, "pageCount": math.ceil(total / per_page)}


def _ok(message: str, data: Any, meta: dict[str, Any] | None = None) -> Response:
    body = {"status": True, "message": message, "data": data}
    return jsonify(body | ({"meta": meta} if meta else {}))
