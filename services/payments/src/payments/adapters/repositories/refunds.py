"""Money on its way back."""

from typing import cast
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from oja_events.outbox import Outbox
from payments.adapters.mapping import bill_from, new_refund_row, refund_from, write_refund
from payments.adapters.tables import OrderRow, PaymentRow, RefundRow
from payments.domain.refund import Refund

_REFUNDS = (
    select(RefundRow, OrderRow)
    .join(PaymentRow, RefundRow.reference == PaymentRow.reference)
    .join(OrderRow, PaymentRow.order_id == OrderRow.order_id)
)

_CLAIM_REFUND = text("""
    WITH due AS (
        SELECT id FROM refunds WHERE next_look_at <= now()
        ORDER BY next_look_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE refunds SET looks = looks + 1, next_look_at = now() + interval '60 seconds'
    FROM due WHERE refunds.id = due.id
    RETURNING refunds.id
""")
# Only those that Paystack has for sure: another look at one that is just being asked for could
# find nothing yet and ask for it a second time.
_HURRY_REFUNDS = text("""
    UPDATE refunds SET next_look_at = now()
    WHERE reference = :reference AND next_look_at IS NOT NULL AND provider_id IS NOT NULL
""")


class SqlRefundRepository:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def add(self, refund: Refund) -> None:
        self._session.add(new_refund_row(refund))
        self._session.flush()

    def get(self, refund_id: UUID) -> Refund:
        query = _REFUNDS.where(RefundRow.id == refund_id).with_for_update(of=RefundRow)
        return self._found(query)[0]

    def of_payment(self, reference: str) -> list[Refund]:
        return self._found(_REFUNDS.where(RefundRow.reference == reference))

    def save(self, refund: Refund) -> None:
        write_refund(refund, self._session.get_one(RefundRow, refund.id))
        self._session.flush()
        self._outbox.add(*refund.pull_events())

    def claim_due(self) -> UUID | None:
        return cast("UUID | None", self._session.scalar(_CLAIM_REFUND))

    def hurry(self, reference: str) -> None:
        self._session.execute(_HURRY_REFUNDS, {"reference": reference})

    def _found(self, query: Select[RefundRow, OrderRow]) -> list[Refund]:
        rows = self._session.execute(
            query.order_by(RefundRow.id), execution_options={"populate_existing": True}
        )
        return [refund_from(refund, bill_from(order)) for refund, order in rows]
