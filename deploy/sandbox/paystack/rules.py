"""What POST /transaction/initialize accepts."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.paystack.errors import PaystackError, missing

# The smallest amount of each currency, in its subunit.
MINIMUM = {"NGN": 5000, "USD": 200, "GHS": 10, "ZAR": 100, "KES": 300, "XOF": 100}
MAXIMUM = 10_000_000_00
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_REFERENCE = re.compile(r"[A-Za-z0-9.=_-]{1,100}")


@dataclass(frozen=True, slots=True)
class NewTransaction:
    """A checked request; `metadata` is JSON text, `reference` None where one is to be made."""

    email: str
    amount: int
    currency: str
    reference: str | None
    callback_url: str | None
    metadata: str
    channels: tuple[str, ...]
    label: str | None
    first_name: str
    last_name: str


def check(body: Mapping[str, Any], default_currency: str) -> NewTransaction:
    """The request as a value, or the first PaystackError it earns."""
    email = _email(body.get("email"))
    currency = _currency(body.get("currency"), default_currency)
    amount = whole_number(body.get("amount"))
    if amount < MINIMUM[currency]:
        raise PaystackError(400, "Invalid Amount Sent", "invalid_amount")
    if amount > MAXIMUM:
        raise PaystackError(400, "Transaction amount limit exceeded", "invalid_amount")
    return NewTransaction(
        email=email,
        amount=amount,
        currency=currency,
        reference=_reference(body.get("reference")),
        callback_url=_text(body.get("callback_url")),
        metadata=_metadata(body.get("metadata")),
        channels=_channels(body.get("channels")),
        label=_text(body.get("label")),
        first_name=_text(body.get("first_name")) or "",
        last_name=_text(body.get("last_name")) or "",
    )


def whole_number(value: Any) -> int:
    """An amount in the subunit from 2500, "2500" or 2500.0."""
    if value is None or value == "":
        raise missing("Amount is required")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}", value.strip()):
        return int(value)
    raise PaystackError(400, '"amount" must be an integer', "invalid_amount")


def _email(value: Any) -> str:
    if not value:
        raise missing("Email Address is required")
    if not isinstance(value, str) or not _EMAIL.fullmatch(value):
        raise PaystackError(400, "Invalid Email Address Passed", "invalid_email_address")
    return value


def _currency(value: Any, default: str) -> str:
    currency = value or default
    if currency not in MINIMUM:
        raise PaystackError(400, "Currency not supported by merchant", "unsupported_currency")
    return str(currency)


def _reference(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not _REFERENCE.fullmatch(str(value)):
        raise PaystackError(400, "Invalid character in transaction reference", "invalid_params")
    return str(value)


def _metadata(value: Any) -> str:
    # Text keeps its types; an object's numbers come back as strings, as at Paystack.
    if value is None or value == "":
        return '""'
    if isinstance(value, str):
        try:
            return json.dumps(json.loads(value), ensure_ascii=False)
        except ValueError:
            raise PaystackError(400, "Invalid metadata", "invalid_params") from None
    return json.dumps(_stringified(value), ensure_ascii=False)


def _stringified(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stringified(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_stringified(inner) for inner in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value


def _channels(value: Any) -> tuple[str, ...]:
    return tuple(str(channel) for channel in value) if isinstance(value, list) else ()


def _text(value: Any) -> str | None:
    return str(value) if value else None
