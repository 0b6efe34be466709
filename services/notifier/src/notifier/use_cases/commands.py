"""What people ask for. Every function is one transaction and refuses loudly."""

from collections.abc import Callable
from uuid import UUID

from notifier.domain.letter import Template
from notifier.use_cases.ports import UnitOfWork

Precondition = Callable[[int], None]
"""Called with the version that is about to be replaced; raises to refuse."""


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


def mute_alerts(
    user_id: UUID, muted: frozenset[Template], *, precondition: Precondition, uow: UnitOfWork
) -> None:
    """From now on exactly these are not mailed to them. Said again, nothing changes."""
    with uow:
        precondition(uow.staff.lock_wishes(user_id).version)
        uow.staff.put_wishes(user_id, muted)
        uow.commit()
