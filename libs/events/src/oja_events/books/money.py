"""Every paid order has its capture at Paystack, and every capture has its order or goes back.

Paystack's own lists are the referee. They are read a day at a time; whoever seems to be missing in
them is asked for by name before anything is called wrong.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from oja_events.books import news
from oja_events.books.facts import Fact, Sources, by_ids, first_id, pages
from oja_events.books.report import Fault, Verdict

_SLICE = timedelta(days=1)
_BATCH = 100
_ENDED_BADLY = "failed"
_DONE = "processed"


@dataclass(frozen=True, slots=True)
class Capture:
    """Money that came, as Paystack has it; `order_id` is our note on it."""

    reference: str
    provider_id: int
    amount: int
    currency: str
    order_id: str | None


@dataclass(frozen=True, slots=True)
class BookedRefund:
    """Money on its way back, as Paystack has it; `capture_id` is the capture's `provider_id`."""

    id: int
    capture_id: int
    amount: int
    status: str


class Provider(Protocol):
    """Paystack's books. Every call may raise SourceAway."""

    def captures(self, start: datetime, end: datetime) -> Iterator[Capture]:
        """Of the payments that were begun then."""

    def refunds(self, start: datetime, end: datetime) -> Iterator[BookedRefund]: ...

    def capture(self, reference: str) -> Capture | None: ...

    def refunds_of(self, provider_id: int) -> list[BookedRefund]: ...


@dataclass(frozen=True, slots=True)
class Verdicts:
    paid: Verdict
    captured: Verdict
    refunded: Verdict


@dataclass(slots=True)
class _Book:
    """What Paystack's lists said of a day."""

    captures: dict[str, Capture]
    refunds: dict[int, list[BookedRefund]] = field(default_factory=dict)


def judge(
    sources: Sources, provider: Provider, since: datetime, now: datetime, verdicts: Verdicts
) -> None:
    """Judge a day at a time, so that no list grows with the shop's age."""
    refunds: dict[int, list[BookedRefund]] = defaultdict(list)
    for refund in provider.refunds(since, now):
        refunds[refund.capture_id].append(refund)
    start = since
    while start < now:
        end = min(start + _SLICE, now)
        listed = provider.captures(start, end)
        book = _Book({capture.reference: capture for capture in listed}, refunds)
        _judge_paid(sources, provider, book, (start, end), verdicts.paid)
        _judge_captures(sources, provider, book, verdicts.captured)
        _judge_refunds(sources, provider, book, (start, end), verdicts.refunded)
        start = end


def _judge_paid(
    sources: Sources,
    provider: Provider,
    book: _Book,
    day: tuple[datetime, datetime],
    verdict: Verdict,
) -> None:
    start, end = (first_id(moment) for moment in day)
    for page in pages(sources, "ordering", "orders.since", "order_id", after=start, before=end):
        paid = [order for order in page if _needs_capture(order)]
        verdict.checked += len(paid)
        suspects = [
            fault for order in paid if (fault := _unpaid(order, _listed(book, provider, order)))
        ]
        news.confirm(sources, verdict, suspects, _looking_at_paid(sources, provider))


def _looking_at_paid(sources: Sources, provider: Provider) -> news.Look:
    def look(order_ids: list[str]) -> list[Fault]:
        orders = by_ids(sources, "ordering", "orders", "order_id", order_ids).values()
        found = [
            _unpaid(order, provider.capture(order["payment_reference"] or ""))
            for order in orders
            if _needs_capture(order)
        ]
        return [fault for fault in found if fault]

    return look


def _needs_capture(order: Fact) -> bool:
    delivered = order["status"] in ("processing", "shipped", "completed")
    return delivered or order["payment_reference"] is not None


def _listed(book: _Book, provider: Provider, order: Fact) -> Capture | None:
    reference = order["payment_reference"] or ""
    return book.captures.get(reference) or provider.capture(reference)


def _unpaid(order: Fact, capture: Capture | None) -> Fault | None:
    due = f"{order['total_amount']} {order['currency']}"
    if capture is None:
        reference = order["payment_reference"]
        detail = f"paid with {reference}, of which Paystack has no capture; {due} are due"
    elif (capture.amount, capture.currency) != (order["total_amount"], order["currency"]):
        detail = f"Paystack captured {capture.amount} {capture.currency}; {due} are due"
    elif capture.order_id not in (None, order["order_id"]):
        detail = f"{capture.reference} was paid for order {capture.order_id}"
    else:
        return None
    path = f"/api/admin/orders/{order['order_id']}"
    mend = f"ask Paystack about {order['payment_reference']}; PATCH {path} cancels the order"
    return Fault("ordering", order["order_id"], detail, mend)


def _judge_captures(sources: Sources, provider: Provider, book: _Book, verdict: Verdict) -> None:
    every = iter(book.captures.values())
    while batch := list(islice(every, _BATCH)):
        payments = _payments(sources, batch)
        suspects = _misplaced(sources, batch, book.refunds, payments)
        orders = {each.reference: each.order_id or "" for each in batch}
        orders |= {reference: payment["order_id"] for reference, payment in payments.items()}
        verdict.checked += len(batch)
        look = _looking_at_captures(sources, provider)
        news.confirm(sources, verdict, _not_awaited(suspects, verdict), look, order_of=orders)


def _looking_at_captures(sources: Sources, provider: Provider) -> news.Look:
    def look(references: list[str]) -> list[Fault]:
        found = [provider.capture(reference) for reference in references]
        captures = [capture for capture in found if capture]
        refunds = {each.provider_id: provider.refunds_of(each.provider_id) for each in captures}
        suspects = _misplaced(sources, captures, refunds, _payments(sources, captures))
        return [fault for fault in suspects if fault.detail]

    return look


def _not_awaited(suspects: list[Fault], verdict: Verdict) -> list[Fault]:
    verdict.waiting += sum(1 for suspect in suspects if not suspect.detail)
    return [suspect for suspect in suspects if suspect.detail]


def _payments(sources: Sources, captures: Sequence[Capture]) -> dict[str, Fact]:
    references = [capture.reference for capture in captures]
    return by_ids(sources, "payments", "payments", "reference", references)


def _misplaced(
    sources: Sources,
    captures: Sequence[Capture],
    refunds: Mapping[int, list[BookedRefund]],
    payments: Mapping[str, Fact],
) -> list[Fault]:
    """What is wrong with them; without a detail where payments has yet to ask Paystack."""
    order_ids = [payment["order_id"] for payment in payments.values()]
    orders = by_ids(sources, "ordering", "orders", "order_id", order_ids)
    found = []
    for capture in captures:
        payment = payments.get(capture.reference)
        order = orders.get(payment["order_id"]) if payment else None
        detail = _trouble(capture, payment, order, refunds.get(capture.provider_id, []))
        if detail is not None:
            mend = f"POST /api/admin/payments/{capture.reference}/refunds"
            found.append(Fault("payments", capture.reference, detail, mend))
    return found


def _trouble(
    capture: Capture, payment: Fact | None, order: Fact | None, refunds: list[BookedRefund]
) -> str | None:
    money = f"{capture.amount} {capture.currency}"
    if payment is None:
        # Others may use the same account at Paystack: theirs do not carry our orders.
        return f"captured {money}, and payments knows no such payment" if capture.order_id else None
    if payment["captured_amount"] is None:
        return "" if payment["watched"] else f"captured {money}, and payments has not noticed"
    ours = (payment["captured_amount"], payment["captured_currency"])
    if ours != (capture.amount, capture.currency):
        return f"Paystack captured {money}, payments wrote down {ours[0]} {ours[1]}"
    back = sum(refund.amount for refund in refunds if refund.status == _DONE)
    if back > capture.amount:
        return f"captured {money}, and {back} went back"
    if order and order["payment_reference"] == capture.reference and _keeps_money(order):
        return None
    leaving = sum(refund.amount for refund in refunds if refund.status != _ENDED_BADLY)
    if max(leaving, payment["going_back"]) >= capture.amount:
        return None
    return f"captured {money}, which paid for no order, and {leaving} of it go back"


def _keeps_money(order: Fact) -> bool:
    return bool(order["payment_status"] == "paid" and order["status"] != "cancelled")


def _judge_refunds(
    sources: Sources,
    provider: Provider,
    book: _Book,
    day: tuple[datetime, datetime],
    verdict: Verdict,
) -> None:
    """What payments calls done is done at Paystack. Refunds end there first, so one that is not
    listed as done is asked for again, and no news can be in between."""
    start, end = (first_id(moment) for moment in day)
    for page in pages(sources, "payments", "refunds.since", "id", after=start, before=end):
        done = [refund for refund in page if refund["status"] == _DONE]
        verdict.checked += len(done)
        for refund in done:
            listed = book.refunds.get(refund["capture_id"] or 0, [])
            if _is_booked(refund, listed):
                continue
            asked = provider.refunds_of(refund["capture_id"]) if refund["capture_id"] else []
            if not _is_booked(refund, asked):
                verdict.add(_not_booked(refund))


def _is_booked(refund: Fact, booked: Sequence[BookedRefund]) -> bool:
    wanted = (refund["provider_id"], refund["amount"], _DONE)
    return any((each.id, each.amount, each.status) == wanted for each in booked)


def _not_booked(refund: Fact) -> Fault:
    detail = f"payments says that {refund['amount']} {refund['currency']} are back, Paystack not"
    mend = f"POST /api/admin/payments/{refund['reference']}/refunds"
    return Fault("payments", refund["id"], detail, mend)
