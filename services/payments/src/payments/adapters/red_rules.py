"""Which rules of the Books are red, kept so that staff are told of a change and not of a state."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oja_events.books.report import Verdict
from oja_events.contracts.payments import BooksTurned
from oja_events.outbox import Outbox
from payments.adapters.tables import RedRuleRow

IDS_TOLD = 10


class SqlRedRules:
    """What turns is told in the same transaction."""

    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def judged(self, verdicts: Iterable[Verdict], at: datetime) -> None:
        """Note which rules are red now. One that could not be judged stays as it was."""
        before = set(self._session.scalars(select(RedRuleRow.rule)))
        for verdict in verdicts:
            if verdict.status == "red" and verdict.rule not in before:
                self._session.execute(insert(RedRuleRow).values(rule=verdict.rule, turned_at=at))
                self._tell(verdict, at)
            elif verdict.status == "green" and verdict.rule in before:
                self._session.execute(delete(RedRuleRow).where(RedRuleRow.rule == verdict.rule))
                self._tell(verdict, at)

    def _tell(self, verdict: Verdict, at: datetime) -> None:
        self._outbox.add(
            BooksTurned(
                rule=verdict.rule,
                says=verdict.says,
                status=verdict.status,
                faults=len(verdict.faults),
                ids=tuple(fault.id for fault in verdict.faults[:IDS_TOLD]),
                turned_at=at,
            )
        )
