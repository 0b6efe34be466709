"""The control API under /_sandbox, for tests and demonstrations. Nothing here is a provider's."""

import json
import sqlite3
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.bodies import NUMBER, BadBody, read, times, with_defaults
from sandbox.parts import parts
from sandbox.paystack import shapes
from sandbox.paystack.cards import find_card
from sandbox.paystack.transactions import Attempt, NotPayable
from sandbox.paystack.webhooks import SCOPE as WEBHOOK

blp = Blueprint("control", __name__, url_prefix="/_sandbox")
JSON = dict[str, Any]
ORDERS = ("before_redirect", "after_redirect")
FAULTS = ("rate_limit", "error", "hang", "drop_answer", "capture_amount")
MAIL_FAULTS = ("421", "450", "550", "hang", "drop_before_store", "drop_after_store")


@blp.errorhandler(BadBody)
def bad_body(error: BadBody) -> tuple[JSON, int]:
    return {"error": str(error)}, 400


@blp.errorhandler(KeyError)
def unknown_reference(error: KeyError) -> tuple[JSON, int]:
    return {"error": f"no transaction has the reference {error}"}, 404


@blp.errorhandler(NotPayable)
def not_payable(error: NotPayable) -> tuple[JSON, int]:
    return {"error": str(error)}, 409


@blp.get("/ready")
def ready() -> JSON:
    return {"ready": True}


@blp.post("/reset")
def reset() -> tuple[str, int]:
    """Forget everything, switches included. Ids are not given out again."""
    parts().deliveries.clear()
    parts().books.clear()
    return "", 204


@blp.post("/paystack/transactions/<reference>/pay")
def pay(reference: str) -> JSON:
    body = with_defaults(read(card=str, amount=int, channel=str), channel="card")
    if body["card"] is None:
        attempt = Attempt(channel=body["channel"], amount=body["amount"])
    else:
        attempt = Attempt(find_card(body["card"]), body["channel"], body["amount"])
    row = parts().transactions.pay(reference, attempt)
    parts().webhooks.before_redirect(reference)
    parts().webhooks.after_redirect(reference)
    return _shown(row)


@blp.post("/paystack/transactions/<reference>/fail")
def fail(reference: str) -> JSON:
    return _shown(parts().transactions.fail(reference))


@blp.post("/paystack/transactions/<reference>/abandon")
def abandon(reference: str) -> JSON:
    return _shown(parts().transactions.abandon(reference))


@blp.get("/paystack/transactions/<reference>")
def transaction(reference: str) -> JSON:
    row = parts().transactions.by_reference(reference)
    if row is None:
        raise KeyError(reference)
    return _shown(row)


@blp.get("/paystack/transactions")
def transactions() -> JSON:
    status = request.args.get("status")
    rows = parts().transactions.select("?1 IS NULL OR t.status = ?1", status)
    return {"items": [_shown(row) for row in rows]}


@blp.get("/paystack/refunds")
def refunds() -> JSON:
    return {"items": [_shown_refund(row) for row in parts().refunds.select()]}


@blp.get("/books")
def books() -> JSON:
    """Every payment and refund of the provider's side, to compare with the shop's."""
    return {"transactions": transactions()["items"], "refunds": refunds()["items"]}


@blp.post("/webhooks/switches")
def switch_webhooks() -> tuple[JSON, int]:
    setting = read(
        times=int,
        event=str,
        reference=str,
        delay=NUMBER,
        repeat=int,
        drop=bool,
        alter=dict,
        signature=("valid", "invalid"),
        order=ORDERS,
    )
    count = times(setting.pop("times"))
    given = {name: value for name, value in setting.items() if value is not None}
    return _switched(WEBHOOK, given, count)


@blp.get("/webhooks/switches")
def webhook_switches() -> JSON:
    return {"items": parts().switches.all(WEBHOOK)}


@blp.delete("/webhooks/switches")
def clear_webhook_switches() -> tuple[str, int]:
    parts().switches.clear(WEBHOOK)
    return "", 204


@blp.get("/webhooks")
def deliveries() -> JSON:
    limit = request.args.get("limit", 500, type=int)
    return {"items": parts().deliveries.all(request.args.get("reference"), limit)}


@blp.post("/webhooks/<int:delivery_id>/resend")
def resend(delivery_id: int) -> tuple[JSON, int]:
    if not parts().deliveries.resend(delivery_id):
        return {"error": f"no webhook has the id {delivery_id}"}, 404
    return {"id": delivery_id}, 202


@blp.post("/webhooks")
def send_any() -> tuple[JSON, int]:
    """Send an event of one's own making; the switches apply to it too."""
    body = read(event=str, data=dict, reference=str)
    if not body["event"] or body["data"] is None:
        raise BadBody("event and data are required")
    parts().webhooks.emit(body["event"], body["data"], body["reference"])
    return {"event": body["event"]}, 202


@blp.get("/calls")
def calls() -> JSON:
    """The providers' API calls that came in, newest first, without their secrets."""
    rows = parts().books.rows(
        "SELECT * FROM calls WHERE (?1 IS NULL OR provider = ?1)"
        " AND (?2 IS NULL OR instr(path, ?2)) ORDER BY id DESC LIMIT ?3",
        request.args.get("provider"),
        request.args.get("path"),
        request.args.get("limit", 500, type=int),
    )
    return {"items": [{**dict(row), "fields": json.loads(row["fields"])} for row in rows]}


@blp.delete("/calls")
def clear_calls() -> tuple[str, int]:
    parts().books.write("DELETE FROM calls")
    return "", 204


@blp.post("/faults")
def switch_fault() -> tuple[JSON, int]:
    body = read(
        provider=("paystack", "cloudinary", "delivery"),
        fault=FAULTS,
        times=int,
        method=str,
        path=str,
        when=("before", "after"),
        status=int,
        seconds=NUMBER,
        amount=int,
        reference=str,
    )
    if not body["provider"] or not body["fault"]:
        raise BadBody("provider and fault are required")
    count = times(body.pop("times"))
    if body["fault"] == "capture_amount":
        return _switched("capture", _altered_capture(body), count)
    when = "after" if body["fault"] == "drop_answer" else "before"
    return _switched(
        body["provider"], with_defaults(body, when=when, status=500, seconds=60), count
    )


@blp.get("/faults")
def faults() -> JSON:
    scopes = ("paystack", "cloudinary", "delivery", "capture")
    return {"items": [fault for scope in scopes for fault in parts().switches.all(scope)]}


@blp.delete("/faults")
def clear_faults() -> tuple[str, int]:
    for scope in ("paystack", "cloudinary", "delivery", "capture"):
        parts().switches.clear(scope)
    return "", 204


@blp.post("/mail/faults")
def switch_mail_fault() -> tuple[JSON, int]:
    """`recipient` is an address or a pattern such as *@example.com."""
    body = read(recipient=str, fault=MAIL_FAULTS, stage=("rcpt", "data"), seconds=NUMBER, times=int)
    if not body["fault"]:
        raise BadBody("fault is required")
    count = times(body.pop("times"))
    stage = "data" if body["fault"] in ("hang", *MAIL_FAULTS[4:]) else "rcpt"
    return _switched("mail", with_defaults(body, recipient="*", stage=stage, seconds=60), count)


@blp.get("/mail/faults")
def mail_faults() -> JSON:
    return {"items": parts().switches.all("mail")}


@blp.delete("/mail/faults")
def clear_mail_faults() -> tuple[str, int]:
    parts().switches.clear("mail")
    return "", 204


def _switched(scope: str, setting: JSON, count: int | None) -> tuple[JSON, int]:
    return {"id": parts().switches.add(scope, setting, count)}, 201


def _altered_capture(body: JSON) -> JSON:
    if not body["amount"]:
        raise BadBody("amount is required to capture another amount")
    return {name: body[name] for name in ("fault", "amount", "reference")}


def _shown(row: sqlite3.Row) -> JSON:
    extra = {"access_code": row["access_code"], "callback_url": row["callback_url"]}
    checkout = f"{parts().settings.public_url}/checkout/{row['access_code']}"
    return shapes.transaction(row) | extra | {"authorization_url": checkout}


def _shown_refund(row: sqlite3.Row) -> JSON:
    paid = parts().transactions.by_id(row["transaction_id"])
    return shapes.refund(row) | {"transaction_reference": paid["reference"] if paid else None}


@blp.app_errorhandler(404)
def nothing_here(_error: Exception) -> Response:
    answer = jsonify({"error": "there is nothing at this address"})
    answer.status_code = 404
    return answer
