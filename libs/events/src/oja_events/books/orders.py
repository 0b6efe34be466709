"""What catalog holds and notifier writes agrees with what ordering says of each order."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from oja_events.books import news
from oja_events.books.facts import Fact, Sources, by_ids, first_id, pages
from oja_events.books.report import Fault, Verdict
from oja_events.contracts.ordering import (
    OrderCancelled,
    OrderCompleted,
    OrderPlaced,
    OrderShipped,
)
from oja_events.contracts.payments import PaymentConfirmed, PaymentRefunded

# Where the stock of an order is once all news of it was handled. None may stay `placed` then.
_STOCK = {
    "placed": (),
    "awaiting_payment": ("held",),
    "processing": ("committed",),
    "shipped": ("committed",),
    "completed": ("committed",),
    "cancelled": ("released", "rejected"),
}
# What a unit of a line has done to the shelf by then.
_MOVED = {"held": 0, "committed": -1, "released": 0}
_MAILS = {
    "order_received": OrderPlaced.TYPE,
    "payment_confirmed": PaymentConfirmed.TYPE,
    "order_shipped": OrderShipped.TYPE,
    "order_completed": OrderCompleted.TYPE,
    "order_cancelled": OrderCancelled.TYPE,
    "refund_done": PaymentRefunded.TYPE,
}


def judge_reservations(sources: Sources, since: datetime, verdict: Verdict) -> None:
    """Both ways: what every order needs, and that nothing is held for an order that is none."""
    look = partial(_look_at_stock, sources)
    for page in pages(sources, "ordering", "orders.since", "order_id", after=first_id(since)):
        verdict.checked += len(page)
        suspects = _compare_stock(sources, page)
        news.confirm(sources, verdict, suspects, look)
    for held in pages(sources, "catalog", "reservations.since", "order_id", after=first_id(since)):
        suspects = _without_order(sources, [row["order_id"] for row in held])
        news.confirm(sources, verdict, suspects, partial(_without_order, sources))


def judge_mails(sources: Sources, since: datetime, verdict: Verdict) -> None:
    """Every mail that an order's life calls for is written; when it leaves is another matter."""
    look = partial(_look_at_mails, sources)
    for page in pages(sources, "ordering", "orders.since", "order_id", after=first_id(since)):
        verdict.checked += len(page)
        news.confirm(sources, verdict, _compare_mails(sources, page), look)


def _look_at_stock(sources: Sources, order_ids: list[str]) -> list[Fault]:
    orders = by_ids(sources, "ordering", "orders", "order_id", order_ids)
    return _compare_stock(sources, orders.values(), with_mend=True)


def _compare_stock(
    sources: Sources, orders: Iterable[Fact], *, with_mend: bool = False
) -> list[Fault]:
    by_id = {order["order_id"]: order for order in orders}
    stocks = by_ids(sources, "catalog", "reservations", "order_id", by_id)
    wrong = {
        order_id: detail
        for order_id, order in by_id.items()
        if (detail := _stock_trouble(order, stocks.get(order_id)))
    }
    told = news.of_orders(sources, wrong) if with_mend else {}
    return [
        Fault("catalog", order_id, detail, _mend_stock(told, by_id[order_id]))
        for order_id, detail in wrong.items()
    ]


def _stock_trouble(order: Fact, stock: Fact | None) -> str | None:
    state = stock["state"] if stock else "not known"
    if state not in _STOCK[order["status"]]:
        return f"the order is {order['status']}, its stock is {state}"
    lines = stock["lines"] if stock else []
    if state == "rejected" or (state == "released" and not lines):
        return "something is held all the same" if lines else None
    wanted: Counter[str] = Counter()
    for line in order["lines"]:
        wanted[line["sku"]] += line["quantity"]
    if wanted != Counter({line["sku"]: line["quantity"] for line in lines}):
        return f"{state} is not what was ordered"
    for line in lines:
        if (line["state"], line["moved"]) != (state, _MOVED[state] * line["quantity"]):
            return f"{line['sku']} is {line['state']} and moved the shelf by {line['moved']}"
    return None


def _mend_stock(told: news.News, order: Fact) -> str:
    if order["order_id"] not in told:
        return ""
    cause = PaymentConfirmed.TYPE
    if order["status"] == "cancelled":
        cause = OrderCancelled.TYPE
    elif order["status"] in ("placed", "awaiting_payment"):
        cause = OrderPlaced.TYPE
    return news.mend(told[order["order_id"]], cause, "catalog")


def _without_order(sources: Sources, order_ids: list[str]) -> list[Fault]:
    orders = by_ids(sources, "ordering", "orders", "order_id", order_ids)
    return [
        Fault(
            "ordering",
            order_id,
            "catalog knows this order, ordering does not",
            "put the order back from a backup, or give its stock back by hand",
        )
        for order_id in order_ids
        if order_id not in orders
    ]


def _look_at_mails(sources: Sources, order_ids: list[str]) -> list[Fault]:
    orders = by_ids(sources, "ordering", "orders", "order_id", order_ids)
    return _compare_mails(sources, orders.values(), with_mend=True)


def _compare_mails(
    sources: Sources, orders: Iterable[Fact], *, with_mend: bool = False
) -> list[Fault]:
    by_id = {order["order_id"]: order for order in orders}
    mails = by_ids(sources, "notifier", "mails", "order_id", by_id)
    missing = {
        order_id: lacking
        for order_id, order in by_id.items()
        if (lacking := _wanted_mails(order) - _written(mails.get(order_id)))
    }
    told = news.of_orders(sources, missing) if with_mend else {}
    return [
        Fault("notifier", order_id, _names(lacking), _mend_mails(told, order_id, lacking))
        for order_id, lacking in missing.items()
    ]


Mail = tuple[str, str]
"""A template and the occasion of the mail."""


def _wanted_mails(order: Fact) -> set[Mail]:
    templates = {
        "order_received": True,
        # Cancelled meanwhile: the money goes back by itself, so nothing is confirmed.
        "payment_confirmed": order["paid"] and not order["cancelled"],
        "order_shipped": order["shipped"],
        "order_completed": order["completed"],
        "order_cancelled": order["cancelled"],
    }
    mails = {(name, order["order_id"]) for name, wanted in templates.items() if wanted}
    return mails | {("refund_done", refund_id) for refund_id in order["refunds"]}


def _written(mails: Fact | None) -> set[Mail]:
    return {(mail["template"], mail["occasion"]) for mail in mails["mails"]} if mails else set()


def _names(lacking: set[Mail]) -> str:
    return f"never written: {', '.join(sorted(template for template, _ in lacking))}"


def _mend_mails(told: news.News, order_id: str, lacking: set[Mail]) -> str:
    if order_id not in told:
        return ""
    commands = {news.mend(told[order_id], _MAILS[name], "notifier") for name, _ in lacking}
    return " && ".join(sorted(commands))
