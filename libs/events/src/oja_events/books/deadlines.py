"""Every order that waits for money has a deadline that somebody looks at: none waits for ever."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from oja_events.books import mending, news
from oja_events.books.facts import Fact, Sources, by_ids, first_id, pages
from oja_events.books.report import Fault, Verdict

_WAITING = ("placed", "awaiting_payment")


def judge(sources: Sources, since: datetime, verdict: Verdict) -> None:
    """Payments keeps the deadline of an order from the moment at which it has heard of it."""
    look = partial(_look, sources)
    for page in pages(sources, "ordering", "orders.since", "order_id", after=first_id(since)):
        waiting = [order for order in page if order["status"] in _WAITING]
        verdict.checked += len(waiting)
        news.confirm(sources, verdict, _unwatched(sources, waiting), look)


def _look(sources: Sources, order_ids: list[str]) -> list[Fault]:
    orders = by_ids(sources, "ordering", "orders", "order_id", order_ids).values()
    return _unwatched(sources, [order for order in orders if order["status"] in _WAITING])


def _unwatched(sources: Sources, orders: Iterable[Fact]) -> list[Fault]:
    status = {order["order_id"]: order["status"] for order in orders}
    watched = by_ids(sources, "payments", "deadlines", "order_id", status)
    return [
        Fault("payments", order_id, f"the order is {status[order_id]} for ever", _mend(order_id))
        for order_id in status
        if not watched.get(order_id, {}).get("watched")
    ]


def _mend(order_id: str) -> str:
    look = (
        "UPDATE orders SET next_look_at = now()"  # noqa: S608  # nosec B608
        f" WHERE order_id = '{order_id}' AND next_look_at IS NULL"
    )
    return mending.sql("payments", look)
