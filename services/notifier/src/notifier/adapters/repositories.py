"""The ledger in Postgres. Concluding a mail also hands its events to the outbox."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Select, func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from notifier.adapters.alerts import SqlAlertRepository
from notifier.adapters.composing import compose, message_id
from notifier.adapters.mapping import copy_of, mail_from, progress_of, values_of
from notifier.adapters.pace import Pace
from notifier.adapters.tables import MailRow
from notifier.adapters.templates_of_staff import SqlTemplateRepository
from notifier.adapters.wording import plain, word
from notifier.domain.alert import Alert, AlertKind
from notifier.domain.letter import ERASED, Audience, Letter, Recipient, Template
from notifier.domain.mail import Mail, MailStatus
from notifier.domain.template import BadTemplate, Edition, Words
from notifier.use_cases.errors import ClaimLost, MailNotFound, StillOnItsWay
from oja_events.outbox import Outbox

SENDERS_LOCK = 0x6D61696C  # "mail": the first half of the advisory locks that senders hold
# An attempt is over long before: no answer of a mail server is waited for that long.
FROZEN_AFTER = "120 seconds"

_CLAIM = text("""
    UPDATE mails SET claimed_by = :sender, claimed_at = now(), attempts = attempts + 1
    WHERE id = (
        SELECT id FROM mails
        WHERE claimed_by IS NULL AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT 1
        FOR UPDATE SKIP LOCKED)
    RETURNING id
""")

# A sender holds its lock for as long as its session lives, so whoever gets the lock knows that the
# sender is gone. A claim of a sender that lives but does nothing (a frozen machine) runs out.
_ORPHANS = text("""
    WITH senders AS MATERIALIZED (
        SELECT DISTINCT claimed_by FROM mails WHERE claimed_by IS NOT NULL
    ), gone AS MATERIALIZED (
        SELECT claimed_by FROM senders
        WHERE pg_try_advisory_xact_lock(:senders, claimed_by)
    )
    SELECT id FROM mails
    WHERE claimed_by IN (SELECT claimed_by FROM gone)
       OR (claimed_by IS NOT NULL AND claimed_at < now() - CAST(:frozen AS interval))
    ORDER BY id LIMIT :limit
    FOR UPDATE SKIP LOCKED
""")


class SqlMailRepository:
    def __init__(
        self,
        session: Session,
        outbox: Outbox,
        *,
        sender: str,
        event_id: Callable[[], UUID],
        alerts: SqlAlertRepository,
        pace: Pace,
        storefront: str,
    ) -> None:
        self._session = session
        self._outbox = outbox
        self._sender = sender
        self._event_id = event_id
        self._templates = SqlTemplateRepository(session)
        self._alerts = alerts
        self._pace = pace
        self._storefront = storefront
        self.wrote = False

    def write(self, letter: Letter, *, about: UUID | None = None) -> None:
        if letter.to.email.endswith(ERASED):
            return
        words = self._words(letter, self._templates.current(letter.template))
        row = values_of(self._row(letter, about or self._event_id(), words))
        statement = upsert(MailRow).values(row).on_conflict_do_nothing()
        self.wrote |= bool(self._session.execute(statement.returning(MailRow.id)).all())

    def is_written(self, template: Template, occasion: str) -> bool:
        found = select(MailRow.id).where(
            MailRow.occasion == occasion, MailRow.template == template, MailRow.kind == "event"
        )
        return self._session.scalars(found.limit(1)).first() is not None

    def told(self, template: Template, occasion: str) -> Mapping[str, object] | None:
        found = select(MailRow.facts).where(
            MailRow.occasion == occasion, MailRow.template == template, MailRow.kind == "event"
        )
        return self._session.scalars(found.limit(1)).first()

    def write_test(self, letter: Letter, words: Words) -> UUID:
        row = self._row(letter, uuid7(), words)
        row.id, row.kind = row.event_id, "test"
        row.occasion = str(row.id)
        row.requested_by = letter.to.email
        row.subject = f"[Test] {row.subject}"
        self._session.add(self._ready(row, words))
        self._session.flush()
        self.wrote = True
        return row.id

    def copy(self, mail_id: UUID, *, by: str) -> UUID:
        original = self._session.get(MailRow, mail_id)
        if original is None:
            raise MailNotFound(mail_id)
        if original.next_attempt_at is not None or original.claimed_by is not None:
            raise StillOnItsWay(mail_id)
        copy = copy_of(original, requested_by=by)
        copy.message_id = _name_of(copy, copy.id)
        self._session.add(self._ready(copy, self._words_of(original)))
        self._session.flush()
        self.wrote = True
        return copy.id

    def claim(self, sender: int) -> Mail | None:
        self._pace.step(self._session)
        mail_id = self._session.execute(_CLAIM, {"sender": sender}).scalar()
        if mail_id is None:
            return None
        row = self._session.execute(_whole([mail_id])).one()
        words = self._words_of(row)
        return mail_from(row, text=words.text, html=words.html)

    def announce(self, mail: Mail) -> None:
        self._update(mail, {"status": MailStatus.SENDING, "claimed_at": func.now()})
        mail.status = MailStatus.SENDING

    def conclude(self, mail: Mail) -> None:
        self._update(mail, {**progress_of(mail), "claimed_by": None, "claimed_at": None})
        self._outbox.add(*mail.pull_events())

    def orphans(self, limit: int) -> list[Mail]:
        ids = self._session.execute(
            _ORPHANS, {"limit": limit, "senders": SENDERS_LOCK, "frozen": FROZEN_AFTER}
        )
        found = ids.scalars().all()
        return [mail_from(row) for row in self._session.execute(_whole(found))] if found else []

    def _update(self, mail: Mail, values: dict[str, Any]) -> None:
        """Only while the claim holds: a sender that was given up changes nothing any more."""
        mine = update(MailRow).where(MailRow.id == mail.id, MailRow.claimed_by == mail.claim)
        done = self._session.execute(mine.values(values))
        if isinstance(done, CursorResult) and done.rowcount != 1:
            raise ClaimLost(mail.id)

    def _words(self, letter: Letter, edition: Edition) -> Words:
        """No mail is lost to what staff wrote: where it does not fit, the shipped words go out."""
        try:
            return word(letter, edition, storefront=self._storefront)
        except BadTemplate as error:
            self._alerts.add(
                Alert(
                    kind=AlertKind.TEMPLATE_UNFIT,
                    occasion=f"{letter.template} {edition.version}",
                    title=f"The edited template {letter.template} failed; the shipped one was used",
                    detail=str(error),
                    order_id=letter.order_id,
                )
            )
            return word(letter, storefront=self._storefront)

    def _words_of(self, row: Any) -> Words:
        """Mails with a secret link have none in the ledger, and get them again by their version."""
        if row.link_request is None:
            return Words(row.subject, row.text, row.html, row.template_version)
        letter = Letter(
            template=Template(row.template),
            to=Recipient(row.recipient, row.recipient_name),
            occasion=row.occasion,
            facts=row.facts,
            link_request=row.link_request,
        )
        edition = self._templates.edition(letter.template, row.template_version)
        return self._words(letter, edition)

    def _row(self, letter: Letter, event_id: UUID, words: Words) -> MailRow:
        row = MailRow(
            id=uuid7(),
            kind="event",
            event_id=event_id,
            template=letter.template.value,
            template_version=words.template_version,
            occasion=letter.occasion,
            order_id=letter.order_id,
            link_request=letter.link_request,
            sender=self._sender,
            recipient=letter.to.email,
            recipient_name=letter.to.name,
            recipient_id=letter.to.user_id,
            subject=words.subject,
            facts=plain(letter.facts),
        )
        row.message_id = _name_of(row, event_id)
        return self._ready(row, words)

    def _ready(self, row: MailRow, words: Words) -> MailRow:
        """Due at once, with the fingerprint of the bytes that every attempt will send."""
        now: datetime = self._session.execute(select(func.now())).scalar_one()
        row.created_at = row.next_attempt_at = now
        row.status = MailStatus.PENDING
        row.attempts = row.doubts = 0
        row.text, row.html = words.text, words.html
        row.sha256 = hashlib.sha256(compose(row)).hexdigest()
        if row.link_request is not None:
            row.text = row.html = ""
        return row


def _whole(mail_ids: Sequence[UUID]) -> Select[Any]:
    return select(*MailRow.__table__.columns).where(MailRow.id.in_(mail_ids))


def _name_of(row: MailRow, about: UUID) -> str:
    """Its Message-ID. The same news may go to several people on the staff, in a mail each."""
    if Template(row.template).audience is Audience.CUSTOMER:
        return message_id(about, row.template, row.sender)
    whom = hashlib.sha256(row.recipient.lower().encode()).hexdigest()[:8]
    return message_id(about, f"{row.template}.{whom}", row.sender)
