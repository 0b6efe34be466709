"""Forgetting people who closed their account: mails to customers lose words and address, those to
staff the address."""

from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from notifier.domain.letter import Audience, Template
from notifier.use_cases.errors import StillOnItsWay
from oja_events.audit import SqlAuditLog
from oja_events.contracts.notifier import CustomerMailsErased
from oja_events.outbox import Outbox

# Mails to staff may be about the customer; they are to somebody else.
_TO_STAFF = [each.value for each in Template if each.audience is Audience.STAFF]

_THEIRS = text("""
    SELECT DISTINCT recipient FROM mails
    WHERE (facts ->> 'customer_id' = :customer_id OR facts ->> 'user_id' = :customer_id)
        AND template <> ALL(:to_staff) AND kind <> 'test'
""")
# A test is to whoever asked for it, and may show an order of the customer.
_ABOUT_THEM = """
    (kind <> 'test' AND recipient = ANY(:recipients) AND template <> ALL(:to_staff)
        OR kind = 'test' AND order_id IN (
            SELECT order_id FROM mails WHERE recipient = ANY(:recipients) AND kind <> 'test'))
"""
_CLAIMED = text(f"""
    SELECT id FROM mails WHERE {_ABOUT_THEM} AND claimed_by IS NOT NULL LIMIT 1
""")  # noqa: S608  nobody's text is in it  # nosec B608
_MASK = text(f"""
    UPDATE mails SET
        recipient = 'erased-' || id || '@erased.invalid', recipient_name = '',
        subject = 'Erased', text = '', html = '', last_error = NULL,
        facts = jsonb_strip_nulls(jsonb_build_object('was_paid', facts -> 'was_paid')),
        status = CASE WHEN next_attempt_at IS NULL THEN status ELSE 'failed' END,
        failed_at = CASE WHEN next_attempt_at IS NULL THEN failed_at ELSE now() END,
        next_attempt_at = NULL
    WHERE {_ABOUT_THEM}
    RETURNING id
""")  # noqa: S608  # nosec B608
# What staff were told is about the shop and stays; whom it was told is not.
_CLAIMED_BY_MEMBER = text("""
    SELECT id FROM mails WHERE recipient_id = :user_id AND claimed_by IS NOT NULL LIMIT 1
""")
_MASK_MEMBER = text("""
    UPDATE mails SET
        recipient = 'erased-' || id || '@erased.invalid', recipient_name = '', last_error = NULL,
        status = CASE WHEN next_attempt_at IS NULL THEN status ELSE 'failed' END,
        failed_at = CASE WHEN next_attempt_at IS NULL THEN failed_at ELSE now() END,
        next_attempt_at = NULL
    WHERE recipient_id = :user_id
    RETURNING id
""")
_FORGET_WISHES = text("DELETE FROM alert_wishes WHERE user_id = :user_id")
_MASK_ALERTS = text("""
    UPDATE alerts SET title = 'A mail to somebody who left', detail = ''
    WHERE occasion = ANY(:mails)
""")


class SqlErasures:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox

    def erase(self, customer_id: UUID) -> None:
        who = {"customer_id": str(customer_id), "to_staff": _TO_STAFF}
        recipients = self._session.execute(_THEIRS, who).scalars().all()
        theirs = {"recipients": list(recipients), "to_staff": _TO_STAFF}
        claimed = self._session.execute(_CLAIMED, theirs).scalar()
        if claimed:
            raise StillOnItsWay(claimed)
        masked = self._session.execute(_MASK, theirs).scalars().all()
        self._session.execute(_MASK_ALERTS, {"mails": [str(mail) for mail in masked]})
        now = self._session.execute(select(func.now())).scalar_one()
        self._outbox.add(
            CustomerMailsErased(customer_id=customer_id, mails=len(masked), erased_at=now)
        )

    def erase_member(self, user_id: UUID) -> None:
        who = {"user_id": user_id}
        claimed = self._session.execute(_CLAIMED_BY_MEMBER, who).scalar()
        if claimed:
            raise StillOnItsWay(claimed)
        masked = self._session.execute(_MASK_MEMBER, who).scalars().all()
        self._session.execute(_MASK_ALERTS, {"mails": [str(mail) for mail in masked]})
        self._session.execute(_FORGET_WISHES, who)
        SqlAuditLog(self._session).forget(user_id)
