"""What staff must look at, told once."""

from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from oja_events.contracts.payments import PaymentAlertRaised
from oja_events.outbox import Outbox
from payments.adapters.tables import AlertRow
from payments.use_cases.ports import Alert


class SqlAlertRepository:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def add(self, alert: Alert) -> None:
        statement = upsert(AlertRow).values(
            kind=alert.kind, about=alert.about, detail=alert.detail[:1000], order_id=alert.order_id
        )
        added = statement.on_conflict_do_nothing().returning(AlertRow.raised_at)
        raised_at = self._session.scalar(added)
        if raised_at is not None:
            self._outbox.add(
                PaymentAlertRaised(
                    kind=alert.kind,
                    about=alert.about,
                    detail=alert.detail[:1000],
                    order_id=alert.order_id,
                    raised_at=raised_at,
                )
            )
