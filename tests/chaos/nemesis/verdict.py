"""The last judgement: is everything decided, once, and do money, stock and mails agree with it?

Customers say what they were told, the sandbox what was paid and mailed; neither looks into the
shop's own tables, which are what is judged.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import requests

from oja_events import operating
from stack.operating.services import Databases
from stack.services import SERVICES
from tests.chaos.nemesis.arena import Arena
from tests.chaos.nemesis.customers import Market, Purchase
from tests.support.books import audit_of, red, settled

RESTS_WITHIN = 900.0
_PAUSE = 3.0
_ENDS = {("processing", "paid"), ("cancelled", "unpaid"), ("cancelled", "refunded")}
_ORDERS = """
    SELECT id::text, contact ->> 'email', status, payment_status, total_amount, lines
    FROM ordering.orders WHERE contact ->> 'email' = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    email: str
    status: str
    payment_status: str
    total: int
    lines: list[dict[str, Any]]

    @property
    def is_sold(self) -> bool:
        return (self.status, self.payment_status) == ("processing", "paid")

    @property
    def is_decided(self) -> bool:
        return (self.status, self.payment_status) in _ENDS


@dataclass(slots=True)
class Verdict:
    """Each list names what is wrong; all must be empty, but `repeated`: a mail whose server had
    taken it when the connection or the sender broke comes again under the same Message-ID."""

    placed: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    money: list[str] = field(default_factory=list)
    stock: list[str] = field(default_factory=list)
    promises: list[str] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    books: list[str] = field(default_factory=list)
    parked: list[str] = field(default_factory=list)
    mailed: int = 0
    repeated: list[str] = field(default_factory=list)
    seconds_to_rest: float | None = None

    @property
    def faults(self) -> dict[str, list[str]]:
        """What is wrong, by what it is about."""
        about = (
            *("lost", "doubled", "undecided", "money", "stock"),
            *("promises", "mails", "books", "parked"),
        )
        found = {name: list(getattr(self, name)) for name in about}
        return {name: faults for name, faults in found.items() if faults}


def judge(arena: Arena, market: Market, stock: int) -> Verdict:
    """Wait for rest, then judge; `stock` is what there was of each SKU."""
    verdict = Verdict(seconds_to_rest=_await_rest(arena, market))
    orders = orders_of(arena, market)
    verdict.outcomes |= Counter(f"{order.status}, {order.payment_status}" for order in orders)
    judge_orders(market.purchases, orders, verdict)
    judge_money(orders, market.shop.control("GET", "/books"), verdict)
    judge_stock(orders, market.staff.levels(), stock, verdict)
    judge_mails(orders, _mails(market), verdict)
    verdict.books += [
        f"{rule}: {fault}"
        for rule, faults in red(audit_of(market.shop)).items()
        for fault in faults
    ]
    verdict.parked += [f"{name}: {lag.parked}" for name, lag in _lags(arena).items() if lag.parked]
    return verdict


def judge_orders(purchases: Iterable[Purchase], orders: Iterable[Order], verdict: Verdict) -> None:
    """What customers were told is so, and nothing else is there."""
    found = defaultdict(list)
    for order in orders:
        found[order.email].append(order)
    for purchase in purchases:
        mine = found[purchase.email]
        verdict.placed += purchase.order_id is not None
        if len(mine) > 1:
            verdict.doubled.append(f"{purchase.email}: {[order.id for order in mine]}")
        if purchase.order_id and purchase.order_id not in [order.id for order in mine]:
            verdict.lost.append(f"{purchase.email}: {purchase.order_id}")
        for order in mine:
            _judge_promise(purchase, order, verdict)


def judge_money(orders: Iterable[Order], books: Any, verdict: Verdict) -> None:
    """Paystack has the money of what was sold, once, and of nothing else."""
    kept = _kept(books)
    for order in orders:
        due = order.total if order.is_sold else 0
        if kept[order.id] != due:
            verdict.money.append(f"order {order.id}: Paystack has {kept[order.id]}, due is {due}")


def judge_stock(
    orders: Iterable[Order], levels: dict[str, Any], stock: int, verdict: Verdict
) -> None:
    """What was sold is gone, nothing else is, and nothing is held."""
    sold: Counter[str] = Counter()
    for order in orders:
        if order.is_sold:
            sold.update({line["sku"]: line["quantity"] for line in order.lines})
    for sku, level in levels.items():
        there, expected = (level["on_hand"], level["reserved"]), (stock - sold[sku], 0)
        if there != expected:
            verdict.stock.append(f"{sku}: {there} on hand and reserved, should be {expected}")


def judge_mails(orders: Iterable[Order], inbox: dict[str, list[str]], verdict: Verdict) -> None:
    """Each mail that is due is there, and none twice under another Message-ID. `inbox` has the
    Message-IDs by recipient."""
    for order in orders:
        received = inbox.get(order.email, [])
        names = Counter(template_of(each) for each in set(received))
        verdict.mailed += len(received)
        verdict.repeated += [
            f"{order.email}: {each}" for each, n in Counter(received).items() if n > 1
        ]
        verdict.mails += [f"{order.email}: {n} times {name}" for name, n in names.items() if n > 1]
        verdict.mails += [f"{order.email}: no {name}" for name in due(order) - names.keys()]


def due(order: Order) -> set[str]:
    """The mails that must have been sent about an order and its customer's account."""
    said = "payment_confirmed" if order.is_sold else "order_cancelled"
    return {"welcome", "verify_email", "order_received", said}


def template_of(message_id: str) -> str:
    return message_id.strip("<>").split("@")[0].partition(".")[2]


def orders_of(arena: Arena, market: Market) -> list[Order]:
    """Every order of these customers, whatever they know of it."""
    emails = [purchase.email for purchase in market.purchases]
    return [Order(*row) for row in arena.sql(_ORDERS, emails)]


def _await_rest(arena: Arena, market: Market) -> float | None:
    """Seconds until nothing moves any more; None if that does not come."""
    began = time.monotonic()
    while not _is_at_rest(arena, market):
        if time.monotonic() > began + RESTS_WITHIN:
            return None
        time.sleep(_PAUSE)
    return time.monotonic() - began


def _is_at_rest(arena: Arena, market: Market) -> bool:
    decided = all(order.is_decided for order in orders_of(arena, market))
    return (
        decided
        and not any(lag.pending or lag.backlog for lag in _lags(arena).values())
        and settled(audit_of(market.shop))
    )


def _lags(arena: Arena) -> dict[str, operating.Lag]:
    databases = Databases(arena.stack)
    try:
        return {service: operating.lag(databases[service]) for service in SERVICES}
    finally:
        databases.dispose()


def _judge_promise(purchase: Purchase, order: Order, verdict: Verdict) -> None:
    told = f"order {order.id} is {order.status}, {order.payment_status}"
    if not order.is_decided:
        verdict.undecided.append(told)
    if (purchase.cancelled or purchase.refund_asked) and order.status != "cancelled":
        verdict.promises.append(f"{told} although it was cancelled or refunded")
    if purchase.paid and order.payment_status == "unpaid":
        verdict.promises.append(f"{told} although it was paid")


def _kept(books: Any) -> Counter[str]:
    """What Paystack has of each order's money and has not given back."""
    kept: Counter[str] = Counter()
    order_of: dict[str, str] = {}
    for each in books["transactions"]:
        metadata = each["metadata"]
        if each["status"] in ("success", "reversed") and isinstance(metadata, dict):
            order_of[each["reference"]] = str(metadata.get("order_id"))
            kept[order_of[each["reference"]]] += each["amount"]
    for each in books["refunds"]:
        if each["status"] == "processed":
            kept[order_of.get(each["transaction_reference"], "")] -= each["amount"]
    return kept


def _mails(market: Market) -> dict[str, list[str]]:
    """Message-IDs in the sandbox's inbox, by recipient."""
    found = defaultdict(list)
    messages = f"{market.shop.sandbox}/mail/messages"
    for each in requests.get(messages, {"limit": 1_000_000}, timeout=300).json()["items"]:
        for recipient in each["to"]:
            found[recipient].append(each["message_id"])
    return found
