"""Forgetting customers who closed their account. Their reviews stay, nobody's."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from oja_events.audit import SqlAuditLog
from oja_events.contracts.catalog import CustomerReviewsErased
from oja_events.outbox import Outbox

# Who learns of a customer and who forgets them wait for each other here: neither could see what the
# other is about to commit. Those who learn do not wait for each other.
_TAKE_TURNS = """
    SELECT {lock}(hashtext('catalog erasures'), hashtext(CAST(:customer_id AS text)))
"""
_FORGETTING = text(_TAKE_TURNS.format(lock="pg_advisory_xact_lock"))
_LEARNING = text(_TAKE_TURNS.format(lock="pg_advisory_xact_lock_shared"))
_REMEMBER = text("""
    INSERT INTO erasures (customer_id, erased_at) VALUES (:customer_id, now())
    ON CONFLICT DO NOTHING
""")
_HAS_LEFT = text("SELECT EXISTS (SELECT FROM erasures WHERE customer_id = :customer_id)")
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

    def has_left(self, customer_id: UUID) -> bool:
        who = {"customer_id": customer_id}
        # Two statements, so that the second one sees what was committed meanwhile.
        self._session.execute(_LEARNING, who)
        return bool(self._session.scalar(_HAS_LEFT, who))

    def erase(self, customer_id: UUID) -> None:
        who = {"customer_id": customer_id}
        self._session.execute(_FORGETTING, who)
        self._session.execute(_REMEMBER, who)
        masked = self._session.execute(_MASK_REVIEWS, who).all()
        self._session.execute(_DROP_PURCHASES, who)
        self._session.execute(_DROP_BARS, who)
        SqlAuditLog(self._session).forget(customer_id)
        now = self._session.execute(select(func.now())).scalar_one()
        self._outbox.add(
            CustomerReviewsErased(customer_id=customer_id, reviews=len(masked), erased_at=now)
        )
