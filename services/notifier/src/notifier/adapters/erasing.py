"""Forgetting people who closed their account: mails to customers lose words and address, those to
staff the address.

Whose a mail is, is told by the ids in its facts, or by its order. An address tells nothing: it may
be somebody else's by now, and anybody can name it as the one that they want.
"""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import TextClause, func, select, text
from sqlalchemy.orm import Session

from notifier.adapters.tables import PERSON
from notifier.domain.letter import Audience, Template
from notifier.use_cases.errors import StillOnItsWay
from oja_events.audit import SqlAuditLog
from oja_events.contracts.notifier import CustomerMailsErased
from oja_events.outbox import Outbox

# The mark of a mail that is masked: an address that nobody else can have.
_NOBODY = "'erased-' || mails.id || '@erased.invalid'"
_TO_STAFF = [each.value for each in Template if each.audience is Audience.STAFF]

# Who writes a mail to somebody has the same lock, shared (the function `erased_customer`), and so
# is either seen here or sees what was done here. Of money payments tells by the order alone.
_ALONE = text("""
    SELECT pg_advisory_xact_lock(
        hashtext('notifier erasures'), hashtext(CAST(:person AS text)))
""")
_THEIR_ORDERS = text(f"""
    SELECT order_id, pg_advisory_xact_lock(
        hashtext('notifier erasures'), hashtext(CAST(order_id AS text)))
    FROM (
        SELECT DISTINCT order_id FROM mails
        WHERE {PERSON} = :customer_id AND order_id IS NOT NULL ORDER BY order_id
    ) AS theirs
""")  # noqa: S608  nobody's text is in it  # nosec B608
_MARK = text("""
    INSERT INTO erasures (customer_id, erased_at) VALUES (:customer_id, now())
    ON CONFLICT DO NOTHING
""")
# Locked, so that no sender claims one of them any more. What staff are told of an order does not
# name the customer, unless an earlier release wrote it.
_THEIRS = text(f"""
    SELECT id, claimed_by FROM mails
    WHERE id IN (
            SELECT id FROM mails WHERE {PERSON} = :customer_id
            UNION
            SELECT id FROM mails
            WHERE order_id = ANY(CAST(:orders AS uuid[]))
                AND (template <> ALL(CAST(:to_staff AS text[])) OR facts ? 'contact'))
        AND recipient <> {_NOBODY}
    FOR UPDATE
""")  # noqa: S608  # nosec B608
_MEMBERS = text(f"""
    SELECT id, claimed_by FROM mails WHERE recipient_id = :user_id AND recipient <> {_NOBODY}
    FOR UPDATE
""")  # noqa: S608  # nosec B608

_SETTLED = f"""
    recipient = {_NOBODY}, recipient_name = '', last_error = NULL,
    status = CASE WHEN next_attempt_at IS NULL THEN status ELSE 'failed' END,
    failed_at = CASE WHEN next_attempt_at IS NULL THEN failed_at ELSE now() END,
    next_attempt_at = NULL
"""
# The id stays, as it does with their orders: it stands for nobody.
_MASK = text(f"""
    UPDATE mails SET
        subject = 'Erased', text = '', html = '',
        facts = jsonb_strip_nulls(jsonb_build_object(
            'was_paid', facts -> 'was_paid', 'customer_id', {PERSON})),
        {_SETTLED}
    WHERE id = ANY(CAST(:mails AS uuid[]))
""")  # noqa: S608  # nosec B608
# What staff were told is about the shop and stays; whom it was told is not.
_MASK_MEMBER = text(f"""
    UPDATE mails SET {_SETTLED} WHERE id = ANY(CAST(:mails AS uuid[]))
""")  # noqa: S608  # nosec B608
_MASK_ALERTS = text("""
    UPDATE alerts SET title = 'A mail to somebody who left', detail = ''
    WHERE kind IN ('mail_failed', 'mail_uncertain') AND occasion = ANY(CAST(:mails AS text[]))
""")

_FORGET_WISHES = text("DELETE FROM alert_wishes WHERE user_id = :user_id")
# By the audit log, which knows who did it whichever address they had then.
_FORGET_WHO_DID_IT = (
    text("""
        UPDATE mails SET requested_by = 'erased-' || CAST(:user_id AS text)
        WHERE id IN (
            SELECT CAST(coalesce(after ->> 'copy', after ->> 'mail') AS uuid)
            FROM audit_log CROSS JOIN LATERAL (SELECT detail -> 'after') AS made (after)
            WHERE actor_id = :user_id AND action IN ('mail_resent', 'test_mail_sent'))
    """),
    text("""
        UPDATE alerts SET acknowledged_by = 'erased-' || CAST(:user_id AS text)
        WHERE acknowledged_at IS NOT NULL AND id IN (
            SELECT CAST(target_id AS uuid) FROM audit_log
            WHERE actor_id = :user_id AND action = 'alert_acknowledged')
    """),
    text("""
        UPDATE template_versions SET edited_by = 'erased-' || CAST(:user_id AS text)
        FROM audit_log
        WHERE actor_id = :user_id AND action IN ('template_changed', 'template_withdrawn')
            AND target_id = template AND at = edited_at
    """),
)


class SqlErasures:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def erase(self, customer_id: UUID) -> None:
        self._session.execute(_ALONE, {"person": customer_id})
        self._session.execute(_MARK, {"customer_id": customer_id})
        masked = mask(self._session, customer_id)
        now = self._session.execute(select(func.now())).scalar_one()
        self._outbox.add(CustomerMailsErased(customer_id=customer_id, mails=masked, erased_at=now))

    def erase_member(self, user_id: UUID) -> None:
        who = {"user_id": user_id}
        self._session.execute(_ALONE, {"person": user_id})
        found = _held(self._session, _MEMBERS, who)
        _empty(self._session, _MASK_MEMBER, found)
        for statement in (_FORGET_WISHES, *_FORGET_WHO_DID_IT):
            self._session.execute(statement, who)
        SqlAuditLog(self._session).forget(user_id)


def mask(session: Session, customer_id: UUID) -> int:
    """Empty what there is of theirs, and return how many mails that were; raises StillOnItsWay.

    For whoever has the lock on them, alone or shared: nobody else is about to empty them.
    """
    of_them = {"customer_id": str(customer_id)}
    orders = session.execute(_THEIR_ORDERS, of_them).scalars().all()
    wanted = {**of_them, "orders": list(orders), "to_staff": _TO_STAFF}
    found = _held(session, _THEIRS, wanted)
    _empty(session, _MASK, found)
    return len(found)


def _held(session: Session, statement: TextClause, values: Mapping[str, object]) -> list[UUID]:
    rows = session.execute(statement, values).all()
    for row in rows:
        if row.claimed_by is not None:
            raise StillOnItsWay(row.id)
    return [row.id for row in rows]


def _empty(session: Session, statement: TextClause, mails: list[UUID]) -> None:
    session.execute(statement, {"mails": mails})
    session.execute(_MASK_ALERTS, {"mails": [str(mail) for mail in mails]})
