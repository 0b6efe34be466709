"""Money and time as the shop's customers read them."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

SHOP_TIME = ZoneInfo("Africa/Lagos")
_SYMBOLS = {
    "NGN": "₦",
    "GHS": "GH₵",
    "KES": "KSh ",
    "ZAR": "R ",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
}
# Currencies without a minor unit (ISO 4217); in all others that we meet it is a hundredth.
_WHOLE = {"JPY", "KRW", "RWF", "UGX", "XAF", "XOF"}


def money(value: Mapping[str, Any], quantity: int = 1) -> str:
    """{"amount": 450000, "currency": "NGN"} -> ₦4,500.00; with `quantity`, so many times that."""
    amount, currency = value["amount"] * quantity, value["currency"]
    if currency in _WHOLE:
        figures = f"{abs(amount):,}"
    else:
        units, cents = divmod(abs(amount), 100)
        figures = f"{units:,}.{cents:02}"
    sign = "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{figures}" if symbol else f"{sign}{figures} {currency}"


def day(value: str) -> str:
    """2026-10-09T13:05:00Z -> Friday 9 October 2026, by the shop's clock."""
    local = _local(value)
    return f"{local:%A} {local.day} {local:%B %Y}"


def moment(value: str) -> str:
    """2026-10-09T13:05:00Z -> 9 October 2026, 14:05 (Lagos time)."""
    local = _local(value)
    return f"{local.day} {local:%B %Y}, {local:%H:%M} (Lagos time)"


def weblink(value: str | None) -> str:
    """The address if a browser may be sent there, else nothing."""
    is_web = value is not None and value.lower().startswith(("https://", "http://"))
    return value if value is not None and is_web else ""


def words(value: str) -> str:
    """bank_transfer -> bank transfer."""
    return value.replace("_", " ")


def _local(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(SHOP_TIME)


FILTERS: dict[str, Callable[..., str]] = {
    "money": money,
    "day": day,
    "moment": moment,
    "weblink": weblink,
    "words": words,
}
