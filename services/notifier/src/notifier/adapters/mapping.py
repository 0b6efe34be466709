"""Rows <-> aggregates, spelled out, so that the domain stays free of tables."""

from typing import Any

from sqlalchemy import Row

from notifier.adapters.tables import AlertRow, MailRow
from notifier.domain.mail import Mail, MailStatus
from notifier.use_cases.queries import AlertEntry, LedgerEntry


def mail_from(row: Row[Any], *, text: str = "", html: str = "") -> Mail:
    """A claimed mail; without words it is good for nothing but taking note of what became of it."""
    return Mail(
        id=row.id,
        template=row.template,
        sender=row.sender,
        recipient=row.recipient,
        recipient_name=row.recipient_name,
        message_id=row.message_id,
        subject=row.subject,
        text=text,
        html=html,
        created_at=row.created_at,
        claim=row.claimed_by,
        attempts=row.attempts,
        doubts=row.doubts,
        order_id=row.order_id,
        link_request=row.link_request,
        status=MailStatus(row.status),
        next_attempt_at=row.next_attempt_at,
        failed_at=row.failed_at,
        last_error=row.last_error,
    )


def progress_of(mail: Mail) -> dict[str, Any]:
    """What an attempt may change; the rest is fixed when a mail is written."""
    return {
        "status": mail.status,
        "attempts": mail.attempts,
        "doubts": mail.doubts,
        "next_attempt_at": mail.next_attempt_at,
        "failed_at": mail.failed_at,
        "last_error": mail.last_error,
    }


def copy_of(original: MailRow, *, requested_by: str) -> dict[str, Any]:
    """The same thing to the same recipient, as a mail that has not been sent yet nor put into
    words."""
    return {
        "kind": "resend",
        "event_id": original.event_id,
        "template": original.template,
        "template_version": original.template_version,
        "occasion": original.occasion,
        "order_id": original.order_id,
        "link_request": original.link_request,
        "sender": original.sender,
        "recipient": original.recipient,
        "recipient_name": original.recipient_name,
        "recipient_id": original.recipient_id,
        "subject": original.subject,
        "facts": original.facts,
        "resend_of": original.id,
        "requested_by": requested_by,
    }


def ledger_entry(row: MailRow) -> LedgerEntry:
    return LedgerEntry(
        id=row.id,
        kind=row.kind,
        event_id=row.event_id,
        template=row.template,
        template_version=row.template_version,
        recipient=row.recipient,
        subject=row.subject,
        status=row.status,
        attempts=row.attempts,
        doubts=row.doubts,
        message_id=row.message_id,
        sha256=row.sha256,
        order_id=row.order_id,
        resend_of=row.resend_of,
        requested_by=row.requested_by,
        last_error=row.last_error,
        created_at=row.created_at,
        next_attempt_at=row.next_attempt_at,
        sent_at=row.sent_at,
        failed_at=row.failed_at,
    )


def alert_entry(row: AlertRow) -> AlertEntry:
    return AlertEntry(
        id=row.id,
        kind=row.kind,
        title=row.title,
        detail=row.detail,
        order_id=row.order_id,
        raised_at=row.raised_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )
