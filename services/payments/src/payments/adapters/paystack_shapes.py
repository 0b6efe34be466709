"""Paystack's JSON in our words. Whatever does not have the shape that is documented is refused."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from payments.domain.charge import Charge, ChargeState
from payments.domain.refund import RefundStatus
from payments.domain.values import Money
from payments.use_cases.ports import Page, ProviderEvent, ProviderRefund

_STATES = {
    "success": ChargeState.CAPTURED,
    "failed": ChargeState.FAILED,
    # Paystack's name for "not paid yet", from the moment on that the payment is opened.
    "abandoned": ChargeState.OPEN,
    "ongoing": ChargeState.MOVING,
    "pending": ChargeState.MOVING,
    "processing": ChargeState.MOVING,
    "queued": ChargeState.MOVING,
    "reversed": ChargeState.RETURNED,
}


class BadShape(ValueError):
    """This is not what Paystack documents."""


def page_from(data: Any, reference: str) -> Page:
    fields = _object(data)
    if fields.get("reference") != reference:
        raise BadShape("it is about another reference")
    return Page(_text(fields, "authorization_url"), _text(fields, "access_code"))


def charge_from(data: Any) -> Charge:
    """From verify's `data` or that of a charge.* event."""
    fields = _object(data)
    state = _STATES.get(_text(fields, "status"))
    if state is None:
        raise BadShape("the status is unknown")
    return Charge(
        reference=_text(fields, "reference"),
        state=state,
        amount=Money(_integer(fields.get("amount")), _text(fields, "currency")),
        mode=_text(fields, "domain"),
        provider_id=_integer(fields["id"]) if fields.get("id") is not None else None,
        order_id=_order_id(fields.get("metadata")),
        channel=_optional_text(fields.get("channel")),
        paid_at=_instant(fields.get("paid_at") or fields.get("paidAt")),
    )


def refund_from(data: Any) -> ProviderRefund:
    fields = _object(data)
    try:
        status = RefundStatus(_text(fields, "status"))
    except ValueError:
        raise BadShape("the refund's status is unknown") from None
    return ProviderRefund(
        id=_integer(fields.get("id")),
        status=status,
        amount=_integer(fields.get("amount")),
        note=_optional_text(fields.get("merchant_note")) or "",
    )


def refunded_capture(data: Any) -> int:
    """The id of the payment that a refund is of: a number, or the payment itself."""
    transaction = _object(data).get("transaction")
    return _integer(transaction.get("id") if isinstance(transaction, dict) else transaction)


def event_key(body: bytes) -> str:
    """There is no event id: the event's name and the id of what it is about stand in for it."""
    try:
        event = _object(json.loads(body))
        return f"{_text(event, 'event')[:100]}:{_integer(_object(event.get('data')).get('id'))}"
    except (ValueError, RecursionError):
        return f"sha256:{hashlib.sha256(body).hexdigest()}"


def event_from(body: bytes) -> ProviderEvent:
    try:
        event = _object(json.loads(body))
    except RecursionError:
        raise BadShape("it is nested too deep") from None
    name, data = _text(event, "event"), _object(event.get("data"))
    charge = charge_from(data) if name == "charge.success" else None
    return ProviderEvent(name, event_key(body), _reference(data), charge)


def _reference(data: Mapping[str, Any]) -> str | None:
    """Refunds and disputes name their payment in other fields than charges do."""
    transaction = data.get("transaction")
    whole = transaction if isinstance(transaction, dict) else {}
    named = data.get("transaction_reference") or data.get("reference") or whole.get("reference")
    return _optional_text(named)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadShape("an object is missing")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value or len(value) > 2000 or "\0" in value:
        raise BadShape(f"{name} is not text")
    return value


def _optional_text(value: Any) -> str | None:
    return value[:300] if isinstance(value, str) and value and "\0" not in value else None


def _integer(value: Any) -> int:
    """Paystack sends some numbers as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        return int(value)
    if type(value) is not int or not 0 <= value < 2**63:
        raise BadShape("a number is missing")
    return value


def _order_id(metadata: Any) -> str | None:
    """Metadata comes back as an object, as text, or as "", 0 or null where there is none."""
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            return None
    value = metadata.get("order_id") if isinstance(metadata, dict) else None
    return None if value is None else str(value)[:100]


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
