"""How staff hear of what they should know, beside the list of alerts."""

from notifier.domain.alert import DIGESTS, Raised, parked_alert
from notifier.domain.letter import Letter
from notifier.use_cases.ports import UnitOfWork

ALERTS_PER_DIGEST = 50
BATCH_OF_PARKED = 100


def write_digests(uow: UnitOfWork) -> int:
    """One mail to everybody on the staff for the alerts that have waited long enough, with those
    that came meanwhile; returns how many alerts that were."""
    told = 0
    with uow:
        due = uow.alerts.kinds_due()
        for template, kinds in DIGESTS.items():
            alerts = uow.alerts.take_due(kinds, ALERTS_PER_DIGEST) if due & {*kinds} else []
            told += len(alerts)
            for recipient in uow.staff.to_alert(template) if alerts else ():
                letter = Letter(
                    template=template,
                    to=recipient,
                    occasion=str(alerts[0].id),
                    facts={"items": [_item(alert) for alert in alerts]},
                )
                uow.mails.write(letter, about=alerts[0].id)
        uow.commit()
    return told


def notice_parked(uow: UnitOfWork) -> int:
    """Raise an alert for every message of ours that was put away, once each."""
    with uow:
        found = uow.parked.unnoticed(BATCH_OF_PARKED)
        uow.alerts.add(
            *(
                parked_alert(
                    "notifier",
                    occasion=message.key,
                    message_type=message.type,
                    detail=f"{message.reason}: {message.error}",
                )
                for message in found
            )
        )
        uow.commit()
    return len(found)


def _item(alert: Raised) -> dict[str, object]:
    own = {"title": alert.title, "detail": alert.detail, "raised_at": alert.raised_at}
    return {**alert.facts, **own}
