"""When is a fault healed? When everybody is ready and an order goes all the way again."""

import time

import requests

from stack.programs import everything
from stack.readiness import all_ready
from tests.chaos.nemesis.arena import Arena
from tests.chaos.nemesis.customers import Customer, GaveUp, Market
from tests.support.shop import TIMEOUT

WITHIN = 300.0
_PAUSE = 0.2
_MAIL = "payment_confirmed"


def heal(arena: Arena, market: Market) -> float | None:
    """Seconds until all processes are ready and a new customer's order was placed, paid, accepted
    and its mails sent; None if that took too long."""
    began = time.monotonic()
    while not all(all_ready(arena.stack, everything(arena.stack)).values()):
        if time.monotonic() > began + WITHIN:
            return None
        time.sleep(_PAUSE)
    probe = Customer(market, "keep", patience=began + WITHIN - time.monotonic())
    probe.go_shopping()
    return time.monotonic() - began if _arrived(market, probe) else None


def _arrived(market: Market, probe: Customer) -> bool:
    if not probe.purchase.paid:
        return False
    try:
        probe.await_order("processing")
        while not _has_mail(market, probe.purchase.email):
            probe.rest("the mail about the payment")
    except GaveUp as trouble:
        probe.purchase.trouble = f"probe: {trouble}"
        return False
    return True


def _has_mail(market: Market, email: str) -> bool:
    try:
        answer = requests.get(
            f"{market.shop.sandbox}/mail/messages", {"recipient": email}, timeout=TIMEOUT
        )
    except requests.RequestException:
        return False
    return any(f".{_MAIL}@" in each["message_id"] for each in answer.json()["items"])
