"""What people ask for. Every function is one transaction and refuses loudly."""

from uuid import UUID

from notifier.use_cases.ports import UnitOfWork


def resend_mail(mail_id: UUID, *, by: str, uow: UnitOfWork) -> UUID:
    """Send the same words once more, as a new mail with a Message-ID of its own; returns its id."""
    with uow:
        copy_id = uow.mails.copy(mail_id, by=by)
        uow.commit()
    return copy_id


def acknowledge_alert(alert_id: UUID, *, by: str, uow: UnitOfWork) -> None:
    """Somebody has seen it. Said again, nothing changes."""
    with uow:
        uow.alerts.acknowledge(alert_id, by=by)
        uow.commit()
