"""Has the Books audited now and then, keeps what was found (see oja_events.books), and tells when a
rule turns red or green.

Payments does this because it alone can ask Paystack.
"""

import json
import logging

from sqlalchemy import text

from oja_events.books.audit import audit
from oja_events.books.facts import Sources
from oja_events.books.money import Provider
from oja_events.books.report import Report
from payments.adapters.unit_of_work import SqlUnitsOfWork

log = logging.getLogger(__name__)

EVERY = 20.0  # seconds from one audit to the next
# Of a large shop an audit takes longer; it is to cost no more than a twentieth of the time.
SHARE = 20
_GIVEN_UP_AFTER = 600.0  # seconds; whoever runs it for longer is dead

_CLAIM = text("""
    UPDATE books SET next_at = now() + make_interval(secs => :given_up_after)
    WHERE next_at <= now() RETURNING id
""")
_KEEP = text("""
    UPDATE books SET report = CAST(:report AS jsonb), checked_at = :checked_at,
        next_at = now() + make_interval(secs => :pause)
""")


class Auditor:
    """Several may run; one of them audits at a time."""

    def __init__(self, unit_of_work: SqlUnitsOfWork, sources: Sources, provider: Provider) -> None:
        self._unit_of_work = unit_of_work
        self._sources = sources
        self._provider = provider

    def work(self) -> int:
        """Audit if it is time to; for a timer, which need not come back at once."""
        if self._claim():
            self._keep(audit(self._sources, self._provider))
        return 0

    def _claim(self) -> bool:
        with self._unit_of_work.at_once() as uow:
            claimed = uow.session.execute(_CLAIM, {"given_up_after": _GIVEN_UP_AFTER}).first()
            uow.commit()
        return claimed is not None

    def _keep(self, report: Report) -> None:
        for verdict in report.verdicts:
            if verdict.faults:
                ids = [fault.id for fault in verdict.faults[:10]]
                log.error("books are red", extra={"rule": verdict.rule, "ids": ids})
        values = {
            "report": json.dumps(report.as_dict()),
            "checked_at": report.began_at,
            "pause": max(EVERY, SHARE * report.seconds),
        }
        with self._unit_of_work() as uow:
            uow.session.execute(_KEEP, values)
            uow.red_rules.judged(report.verdicts, report.began_at)
            uow.commit()
