"""The ledger in Postgres. Concluding a mail also hands its events to the outbox."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CursorResult,
    TextClause,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from notifier.adapters.alerts import SqlAlertRepository
from notifier.adapters.composing import compose, message_id
from notifier.adapters.erasing import mask
from notifier.adapters.mapping import copy_of, mail_from, progress_of
from notifier.adapters.pace import Pace
from notifier.adapters.tables import PERSON, MailRow
from notifier.adapters.templates_of_staff import SqlTemplateRepository
from notifier.adapters.wording import plain, word
from notifier.domain.alert import Alert, AlertKind
from notifier.domain.letter import ERASED, Audience, Letter, Recipient, Template
from notifier.domain.mail import Mail, MailStatus
from notifier.domain.template import BadTemplate, Edition, Words
from notifier.use_cases.errors import (
    ClaimLost,
    MailErased,
    MailNotFound,
    OrderNotKnown,
    StillOnItsWay,
)
from oja_events.outbox import Outbox

_MAILS = MailRow.metadata.tables[MailRow.__tablename__]
# Asked in the statement that is made anyway. Until the transaction ends, whoever erases them waits.
_ERASED = func.erased_customer(
    literal_column(PERSON), _MAILS.c.order_id, _MAILS.c.recipient_id
).label("erased")
_ADD = insert(_MAILS).returning(_ERASED)
_WRITE = upsert(_MAILS).on_conflict_do_nothing().returning(_ERASED)
_IS_WRITTEN = text("""
    SELECT EXISTS (
        SELECT FROM mails
        WHERE occasion = :occasion AND template = ANY(:templates) AND kind = 'event')
""")
_TOLD = (
    select(_MAILS.c.facts)
    .where(
        _MAILS.c.occasion == bindparam("of"),
        _MAILS.c.template == bindparam("as"),
        _MAILS.c.kind == "event",
    )
    .limit(1)
)

SENDERS_LOCK = 0x6D61696C  # "mail": the first half of the advisory locks that senders hold
# An attempt of a sender that lives is over before: a link may take 10 s, the offer 60 s; then the
# content 60 s, and the answer to it 600 s (see smtp.py). `announce` starts the clock anew.
FROZEN_AFTER = "120 seconds"
FROZEN_IN_DOUBT_AFTER = "720 seconds"

# Nobody needs to remember a claim after a crash of Postgres, so it does not wait for the disk.
_CLAIM = text(f"""
    UPDATE mails SET claimed_by = :sender, claimed_at = now(), attempts = attempts + 1
    WHERE id = (
        SELECT id FROM mails
        WHERE claimed_by IS NULL AND next_attempt_at <= now()
        ORDER BY next_attempt_at LIMIT 1
        FOR UPDATE SKIP LOCKED)
    RETURNING {", ".join(map(str, _MAILS.columns))}, set_config('synchronous_commit', 'off', true)
""").columns(  # noqa: S608  # nosec B608
    **{column.name: column.type for column in _MAILS.columns}
)

# Only while the claim holds: a sender that was given up changes nothing any more.
_ANNOUNCE = text("""
    UPDATE mails SET status = 'sending', claimed_at = now()
    WHERE id = :id AND claimed_by = :claim
""")
_CONCLUDE = text("""
    UPDATE mails SET
        status = :status, attempts = :attempts, doubts = :doubts, last_error = :last_error,
        next_attempt_at = :next_attempt_at, failed_at = :failed_at,
        sent_at = CASE WHEN :status = 'sent' THEN now() END,
        claimed_by = NULL, claimed_at = NULL
    WHERE id = :id AND claimed_by = :claim
""")

_NOT_FOR_THEM = """
    recipient_id = :user_id AND template <> ALL(CAST(:but AS text[])) AND kind = 'event'
"""
_WITHHOLD = text(f"""
    UPDATE mails SET
        status = 'failed', failed_at = now(), next_attempt_at = NULL,
        last_error = 'the recipient may not know of it any more'
    WHERE {_NOT_FOR_THEM} AND next_attempt_at IS NOT NULL AND claimed_by IS NULL
""")  # noqa: S608  nobody's text is in it  # nosec B608
_CLAIMED = text(f"""
    SELECT id FROM mails WHERE {_NOT_FOR_THEM} AND claimed_by IS NOT NULL LIMIT 1
""")  # noqa: S608  # nosec B608

# A sender holds its lock for as long as its session lives, so whoever gets the lock knows that the
# sender is gone. A claim of a sender that lives but does nothing (a frozen machine) runs out. It is
# asked every second: condition and order are those of the index of claims.
_ORPHANS = text("""
    WITH senders AS MATERIALIZED (
        SELECT DISTINCT claimed_by FROM mails WHERE claimed_by IS NOT NULL
    ), gone AS MATERIALIZED (
        SELECT claimed_by FROM senders
        WHERE pg_try_advisory_xact_lock(:senders, claimed_by)
    )
    SELECT id FROM mails
    WHERE claimed_by IS NOT NULL AND (
        claimed_by IN (SELECT claimed_by FROM gone)
        OR claimed_at < now() - CASE status WHEN 'sending' THEN CAST(:in_doubt AS interval)
            ELSE CAST(:frozen AS interval) END)
    ORDER BY claimed_by LIMIT :limit
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
        now: Callable[[], datetime],
        alerts: SqlAlertRepository,
        pace: Pace,
        storefront: str,
    ) -> None:
        self._session = session
        self._outbox = outbox
        self._sender = sender
        self._event_id = event_id
        self._now = now
        self._templates = SqlTemplateRepository(session)
        self._alerts = alerts
        self._pace = pace
        self._storefront = storefront
        self.wrote = False

    def write(self, letter: Letter, *, about: UUID | None = None) -> None:
        if letter.to.email.endswith(ERASED):
            return
        words = self._words(letter, self._templates.current(letter.template))
        row = self._row(letter, about or self._event_id(), words)
        written = self._session.execute(_WRITE, row).all()
        if written and written[0].erased and letter.template.audience is Audience.CUSTOMER:
            mask(self._session, written[0].erased)
        self.wrote |= bool(written)

    def is_written(self, occasion: str, *templates: Template) -> bool:
        named = {"occasion": occasion, "templates": [template.value for template in templates]}
        return bool(self._session.execute(_IS_WRITTEN, named).scalar())

    def told(self, template: Template, occasion: str) -> Mapping[str, object] | None:
        found = self._session.execute(_TOLD, {"of": occasion, "as": template.value})
        facts: Mapping[str, object] | None = found.scalar()
        return facts

    def write_test(self, letter: Letter, words: Words) -> UUID:
        test_id = uuid7()
        row = self._row(letter, test_id, replace(words, subject=f"[Test] {words.subject}"))
        row |= {"id": test_id, "kind": "test", "occasion": str(test_id)}
        row["requested_by"] = letter.to.email
        if self._session.execute(_ADD, row).scalar_one():
            raise OrderNotKnown(letter.order_id)
        self.wrote = True
        return test_id

    def copy(self, mail_id: UUID, *, by: str) -> UUID:
        original = self._session.get(MailRow, mail_id)
        if original is None:
            raise MailNotFound(mail_id)
        if original.next_attempt_at is not None or original.claimed_by is not None:
            raise StillOnItsWay(mail_id)
        _refuse_erased(original)
        copy = copy_of(original, requested_by=by)
        copy["id"] = copy_id = uuid7()
        template = Template(original.template)
        copy["message_id"] = _name_of(template, original.recipient, copy_id, original.sender)
        self._session.execute(_ADD, self._ready(copy, self._words_of(original)))
        # Whoever erased it meanwhile was waited for by what was just added.
        self._session.refresh(original, ["recipient"])
        _refuse_erased(original)
        self.wrote = True
        return copy_id

    def withhold(self, user_id: UUID, *, but: Collection[Template]) -> None:
        which = {"user_id": user_id, "but": [str(each) for each in but]}
        self._session.execute(_WITHHOLD, which)
        # Looked for afterwards: whoever claims one now has waited for that, and finds it dropped.
        claimed = self._session.execute(_CLAIMED, which).scalar()
        if claimed:
            raise StillOnItsWay(claimed)

    def claim(self, sender: int) -> Mail | None:
        self._pace.step(self._session)
        row = self._session.execute(_CLAIM, {"sender": sender}).first()
        return None if row is None else mail_from(row, text=row.text, html=row.html)

    def put_into_words(self, mail: Mail) -> None:
        if mail.link_request is not None:
            words = self._words_of(self._session.get_one(MailRow, mail.id))
            mail.text, mail.html = words.text, words.html

    def announce(self, mail: Mail) -> None:
        self._change(_ANNOUNCE, mail)
        mail.status = MailStatus.SENDING

    def conclude(self, mail: Mail) -> None:
        self._change(_CONCLUDE, mail, **progress_of(mail))
        self._outbox.add(*mail.pull_events())

    def orphans(self, limit: int) -> list[Mail]:
        limits = {"frozen": FROZEN_AFTER, "in_doubt": FROZEN_IN_DOUBT_AFTER}
        found = self._session.execute(_ORPHANS, {"limit": limit, "senders": SENDERS_LOCK, **limits})
        if not (ids := found.scalars().all()):
            return []
        whole = select(*_MAILS.columns).where(_MAILS.c.id.in_(ids))
        return [mail_from(row) for row in self._session.execute(whole)]

    def _change(self, statement: TextClause, mail: Mail, **values: Any) -> None:
        ours = {"id": mail.id, "claim": mail.claim}
        done = self._session.execute(statement, {**values, **ours})
        if isinstance(done, CursorResult) and done.rowcount != 1:
            raise ClaimLost(mail.id)

    def _words(self, letter: Letter, edition: Edition) -> Words:
        """No mail is lost to what staff wrote: where it does not fit, the shipped words go out.

        Raises BadTemplate when those do not fit either.
        """
        try:
            return word(letter, edition, storefront=self._storefront)
        except BadTemplate as error:
            if edition.edited_by is None:
                raise
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
            template=_known(row.template),
            to=Recipient(row.recipient, row.recipient_name),
            occasion=row.occasion,
            facts=row.facts,
            link_request=row.link_request,
        )
        edition = self._templates.edition(letter.template, row.template_version)
        return self._words(letter, edition)

    def _row(self, letter: Letter, event_id: UUID, words: Words) -> dict[str, Any]:
        row = {
            "id": uuid7(),
            "kind": "event",
            "event_id": event_id,
            "template": letter.template.value,
            "template_version": words.template_version,
            "occasion": letter.occasion,
            "order_id": letter.order_id,
            "link_request": letter.link_request,
            "sender": self._sender,
            "recipient": letter.to.email,
            "recipient_name": letter.to.name,
            "recipient_id": letter.to.user_id,
            "message_id": _name_of(letter.template, letter.to.email, event_id, self._sender),
            "subject": words.subject,
            "facts": plain(letter.facts),
        }
        return self._ready(row, words)

    def _ready(self, row: dict[str, Any], words: Words) -> dict[str, Any]:
        """Due at once, with the fingerprint of the bytes that every attempt will send."""
        now = self._now()
        ready = {
            **row,
            "text": words.text,
            "html": words.html,
            "status": MailStatus.PENDING,
            "attempts": 0,
            "doubts": 0,
            "created_at": now,
            "next_attempt_at": now,
        }
        ready["sha256"] = hashlib.sha256(compose(SimpleNamespace(**ready))).hexdigest()
        if ready["link_request"] is not None:
            ready["text"] = ready["html"] = ""
        return ready


def _known(template: str) -> Template:
    """While versions change, a newer one may write mails that this one cannot put into words."""
    try:
        return Template(template)
    except ValueError:
        raise BadTemplate({"template": [f"{template} is not known here"]}) from None


def _refuse_erased(mail: MailRow) -> None:
    if mail.recipient.endswith(ERASED):
        raise MailErased(mail.id)


def _name_of(template: Template, recipient: str, about: UUID, sender: str) -> str:
    """Its Message-ID. The same news may go to several people on the staff, in a mail each."""
    if template.audience is Audience.CUSTOMER:
        return message_id(about, template.value, sender)
    whom = hashlib.sha256(recipient.lower().encode()).hexdigest()[:8]
    return message_id(about, f"{template}.{whom}", sender)
