"""What catalog does about the news of others. Each says what happens when it is repeated, early
or late; the inbox keeps a repeated delivery from coming here at all, and the order's own row makes
it harmless if it does."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from catalog.domain.stock import SELL, UNDO, Change, OrderStock, Reservation, Shortage
from catalog.use_cases.errors import TooEarly
from catalog.use_cases.ports import UnitOfWork
from catalog.use_cases.stock_news import tell_levels
from oja_events.contracts import SkuQuantity
from oja_events.contracts import catalog as told
from oja_events.contracts.identity import CustomerErased
from oja_events.contracts.ordering import OrderCancelled, OrderCompleted, OrderPlaced
from oja_events.contracts.payments import PaymentConfirmed


def customer_erased(event: CustomerErased, *, uow: UnitOfWork) -> None:
    """Forget the customer; their reviews stay, nobody's. Repeated: another receipt. Late: what
    they wrote meanwhile is nobody's too. What comes later of them is not kept."""
    with uow:
        uow.erasures.erase(event.customer_id)
        uow.commit()


def order_placed(event: OrderPlaced, *, uow: UnitOfWork) -> None:
    """Hold every line or none, and say which. Repeated: silence.

    Late (the cancellation came first): nothing is held and nothing is told, for nobody waits for an
    answer any more.
    """
    wanted: Counter[str] = Counter()
    for line in event.lines:
        wanted[line.sku] += line.quantity
    with uow:
        if reservation := uow.stock.reserve(event.order_id, wanted):
            _tell_reserved(event.order_id, reservation, uow)
        uow.commit()


def order_cancelled(event: OrderCancelled, *, uow: UnitOfWork) -> None:
    """Free what is held, or put back what was sold. Repeated, or nothing was held: silence.

    Early (the order itself was not heard of yet): remembered, so that it will hold nothing.
    """
    with uow:
        state = uow.stock.claim(event.order_id, OrderStock.RELEASED)
        step = UNDO.get(state) if state else None
        if step:
            changes = uow.stock.move(event.order_id, step)
            uow.tell(
                told.StockReleased(
                    order_id=event.order_id, lines=_lines(changes), released_at=uow.now()
                )
            )
            tell_levels(changes, uow=uow)
        uow.commit()


def payment_confirmed(event: PaymentConfirmed, *, uow: UnitOfWork) -> None:
    """What was held is sold. Repeated (or paid twice): silence.

    Early (before the order itself): TooEarly, to be delivered again. Late (released or rejected
    meanwhile): nothing, for ordering sends the money back.
    """
    with uow:
        if changes := uow.stock.move(event.order_id, SELL):
            uow.tell(
                told.StockCommitted(
                    order_id=event.order_id, lines=_lines(changes), committed_at=uow.now()
                )
            )
        # Held after all: the order came between the two looks.
        elif uow.stock.state_of(event.order_id) in (None, SELL.since):
            raise TooEarly(f"payment for {event.order_id}, of which nothing was known yet")
        uow.commit()


def order_completed(event: OrderCompleted, *, uow: UnitOfWork) -> None:
    """Remember who has received what, for reviews written before and after. Repeated, or bought
    again: silence.

    Late (the customer was erased while the order was under way): nothing is remembered of them.
    """
    with uow:
        if uow.erasures.has_left(event.customer_id):
            uow.commit()
            return
        bought = {line.product_id for line in event.lines}
        uow.reviews.note_purchases(event.customer_id, bought, event.completed_at)
        uow.commit()


def _tell_reserved(order_id: UUID, reservation: Reservation, uow: UnitOfWork) -> None:
    if reservation.shortages:
        uow.tell(
            told.StockRejected(
                order_id=order_id,
                shortages=tuple(_told_shortage(each) for each in reservation.shortages),
                rejected_at=uow.now(),
            )
        )
        return
    lines = _lines(reservation.changes)
    uow.tell(told.StockReserved(order_id=order_id, lines=lines, reserved_at=uow.now()))
    tell_levels(reservation.changes, uow=uow)


def _lines(changes: Sequence[Change]) -> tuple[SkuQuantity, ...]:
    return tuple(SkuQuantity(sku=change.sku, quantity=change.quantity) for change in changes)


def _told_shortage(shortage: Shortage) -> told.Shortage:
    return told.Shortage(
        sku=shortage.sku, requested=shortage.requested, available=shortage.available
    )
