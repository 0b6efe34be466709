"""How staff hear of what they should know, beside the list of alerts."""

from notifier.domain.alert import DIGESTS, AlertKind, Raised, parked_alert
from notifier.domain.letter import Letter, Recipient, Template
from notifier.domain.template import BadTemplate
from notifier.use_cases.ports import UnitOfWork

ALERTS_PER_DIGEST = 50
BATCH_OF_PARKED = 100


def write_digests(uow: UnitOfWork) -> int:
    """One mail to everybody on the staff for the alerts that have waited long enough, with those
    that came meanwhile; returns how many alerts that were.

    A digest that fails is raised after the others are written, and left for the next time.
    """
    with uow:
        due = uow.alerts.kinds_due()
    told, failed = 0, []
    for template, kinds in DIGESTS.items():
        try:
            told += _write_digest(template, kinds, uow) if due & {*kinds} else 0
        except Exception as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup("some digests could not be written", failed)
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


def _write_digest(template: Template, kinds: tuple[AlertKind, ...], uow: UnitOfWork) -> int:
    with uow:
        alerts = uow.alerts.take_due(kinds, ALERTS_PER_DIGEST)
        for recipient in uow.staff.to_alert(template) if alerts else ():
            try:
                _write(template, recipient, alerts, [_item(alert) for alert in alerts], uow)
            except BadTemplate:
                _write(template, recipient, alerts, [_gist(alert) for alert in alerts], uow)
        uow.commit()
    return len(alerts)


def _write(
    template: Template,
    recipient: Recipient,
    alerts: list[Raised],
    items: list[dict[str, object]],
    uow: UnitOfWork,
) -> None:
    letter = Letter(
        template=template, to=recipient, occasion=str(alerts[0].id), facts={"items": items}
    )
    uow.mails.write(letter, about=alerts[0].id)


def _item(alert: Raised) -> dict[str, object]:
    return {**alert.facts, **_gist(alert)}


def _gist(alert: Raised) -> dict[str, object]:
    """What every alert has, and every digest can say."""
    return {"title": alert.title, "detail": alert.detail, "raised_at": alert.raised_at}
