"""The read side: plain SELECTs, each in a short transaction of its own."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, sessionmaker

from oja_events.envelope import Envelope, decode
from ordering.adapters.mapping import cart_from, offer_from, order_from
from ordering.adapters.tables import CartRow, HistoryRow, OfferRow, OrderRow
from ordering.domain.order import Order
from ordering.domain.values import HistoryEntry
from ordering.use_cases.errors import OrderNotFound
from ordering.use_cases.ports import CartView
from ordering.use_cases.queries import OrderPage, ToldEvent

_TOLD = text("SELECT envelope FROM event_log WHERE subject = :order_id ORDER BY sequence")


class SqlQueries:
    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def order(self, order_id: UUID, *, customer_id: UUID | None = None) -> Order:
        query = select(OrderRow).where(OrderRow.id == order_id)
        if customer_id is not None:
            query = query.where(OrderRow.customer_id == customer_id)
        with self._sessions() as session:
            row = session.scalars(query).one_or_none()
        if row is None:
            raise OrderNotFound(order_id)
        return order_from(row)

    def orders(
        self,
        *,
        size: int,
        customer_id: UUID | None = None,
        status: Collection[str] | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> OrderPage:
        query = select(OrderRow)
        if customer_id is not None:
            query = query.where(OrderRow.customer_id == customer_id)
        if status is not None:
            query = query.where(OrderRow.status.in_(status))
        with self._sessions() as session:
            count = select(func.count()).select_from(query.subquery())
            total = session.scalar(count) if with_total else None
            if after is not None:
                query = query.where(OrderRow.id < after)
            # Ids are UUIDv7: their order is the order of placing.
            rows = session.scalars(query.order_by(OrderRow.id.desc()).limit(size + 1)).all()
        found = [order_from(row) for row in rows[:size]]
        return OrderPage(found, found[-1].id if len(rows) > size else None, total)

    def history(self, order_id: UUID) -> list[HistoryEntry]:
        query = select(HistoryRow).where(HistoryRow.order_id == order_id).order_by(HistoryRow.id)
        with self._sessions() as session:
            rows = session.scalars(query).all()
        return [HistoryEntry(row.at, row.type, row.actor, row.detail, row.cause) for row in rows]

    def told(self, order_id: UUID) -> list[ToldEvent]:
        with self._sessions() as session:
            envelopes = session.scalars(_TOLD, {"order_id": str(order_id)}).all()
        return [_told(decode(bytes(envelope))) for envelope in envelopes]

    def cart(self, customer_id: UUID) -> CartView:
        with self._sessions() as session:
            row = session.get(CartRow, customer_id)
            cart = cart_from(customer_id, row.items if row else {})
            offers = session.scalars(select(OfferRow).where(OfferRow.sku.in_(cart.items))).all()
        return CartView(cart, {offer.sku: offer_from(offer) for offer in offers})


def _told(envelope: Envelope) -> ToldEvent:
    return ToldEvent(
        id=envelope.id,
        type=envelope.type,
        at=envelope.time,
        cause=envelope.causationid,
        correlation_id=envelope.correlationid,
    )
