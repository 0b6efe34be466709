"""The read side: plain SELECTs, which need no transaction."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import Engine, Row, func, select
from sqlalchemy.orm import Session, sessionmaker

from payments.adapters.mapping import bill_from, payment_from, refund_from
from payments.adapters.tables import BooksRow, OrderRow, PaymentRow, RefundRow
from payments.domain.values import Bill
from payments.use_cases.errors import PaymentNotFound
from payments.use_cases.queries import PaymentPage, PaymentView


class SqlQueries:
    def __init__(self, alone: Engine) -> None:
        """`alone` is for statements that need no transaction around them (autocommit)."""
        self._sessions = sessionmaker(alone)

    def payment(self, reference: str, *, customer_id: UUID | None = None) -> PaymentView:
        query = _WITH_ORDER.where(PaymentRow.reference == reference)
        if customer_id is not None:
            query = query.where(PaymentRow.customer_id == customer_id)
        with self._sessions() as session:
            found = _views(session, session.execute(query).all())
        if not found:
            raise PaymentNotFound(reference)
        return found[0]

    def payments(
        self,
        *,
        size: int,
        customer_id: UUID | None = None,
        order_id: UUID | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> PaymentPage:
        query = _WITH_ORDER
        if customer_id is not None:
            query = query.where(PaymentRow.customer_id == customer_id)
        if order_id is not None:
            query = query.where(PaymentRow.order_id == order_id)
        with self._sessions() as session:
            count = query.with_only_columns(func.count())
            total = session.scalar(count) if with_total else None
            if after is not None:
                query = query.where(PaymentRow.id < after)
            # Ids are UUIDv7: their order is the order of beginning.
            page = session.execute(query.order_by(PaymentRow.id.desc()).limit(size + 1)).all()
            found = _views(session, page[:size])
        return PaymentPage(found, found[-1].payment.id if len(page) > size else None, total)

    def books(self) -> Mapping[str, object] | None:
        with self._sessions() as session:
            return session.scalar(select(BooksRow.report))


_WITH_ORDER = select(PaymentRow, OrderRow).join(OrderRow, PaymentRow.order_id == OrderRow.order_id)


def _views(session: Session, rows: Sequence[Row[PaymentRow, OrderRow]]) -> list[PaymentView]:
    bills = {payment.reference: bill_from(order) for payment, order in rows}
    refunds = _refunds(session, bills)
    return [
        PaymentView(
            payment_from(payment, bills[payment.reference]),
            tuple(
                refund_from(refund, bills[payment.reference])
                for refund in refunds
                if refund.reference == payment.reference
            ),
        )
        for payment, _ in rows
    ]


def _refunds(session: Session, bills: dict[str, Bill]) -> Sequence[RefundRow]:
    if not bills:
        return []
    query = select(RefundRow).where(RefundRow.reference.in_(bills)).order_by(RefundRow.id)
    return session.scalars(query).all()
