"""Forgetting customers who closed their account. Their reviews stay, nobody's."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from oja_events.audit import SqlAuditLog
from oja_events.contracts.catalog import CustomerReviewsErased
from oja_events.outbox import Outbox

_MASK_REVIEWS = text("""
    UPDATE reviews SET author = 'Former customer', updated_at = now(), version = version + 1
    WHERE customer_id = :customer_id AND author <> 'Former customer'
    RETURNING id
""")
_DROP_PURCHASES = text("DELETE FROM purchases WHERE customer_id = :customer_id")
_DROP_BARS = text("DELETE FROM barred_reviewers WHERE customer_id = :customer_id")


class SqlErasures:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def erase(self, customer_id: UUID) -> None:
        who = {"customer_id": customer_id}
        masked = self._session.execute(_MASK_REVIEWS, who).all()
        self._session.execute(_DROP_PURCHASES, who)
        self._session.execute(_DROP_BARS, who)
        SqlAuditLog(self._session).forget(customer_id)
        now = self._session.execute(select(func.now())).scalar_one()
        self._outbox.add(
            CustomerReviewsErased(customer_id=customer_id, reviews=len(masked), erased_at=now)
        )
