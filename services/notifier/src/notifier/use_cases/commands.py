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
        uow.audit.note("mail_resent", mail_id, after={"copy": copy_id})
        uow.commit()
    return copy_id


def acknowledge_alert(alert_id: UUID, *, by: str, uow: UnitOfWork) -> None:
    """Somebody has seen it. Said again, nothing changes."""
    with uow:
        if uow.alerts.acknowledge(alert_id, by=by):
            uow.audit.note("alert_acknowledged", alert_id, after={"acknowledged": True})
        uow.commit()


def mute_alerts(
    user_id: UUID, muted: frozenset[Template], *, precondition: Precondition, uow: UnitOfWork
) -> None:
    """From now on exactly these are not mailed to them. Said again, nothing changes."""
    with uow:
        wishes = uow.staff.lock_wishes(user_id)
        precondition(wishes.version)
        uow.staff.put_wishes(user_id, muted)
        before, after = ({"muted": sorted(each)} for each in (wishes.muted, muted))
        uow.audit.note("alerts_muted", user_id, before=before, after=after)
        uow.commit()
