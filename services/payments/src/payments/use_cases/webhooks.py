"""Webhooks: stored as they come, applied a moment later from what Paystack itself says then."""

import logging

from payments.domain.charge import Charge, ChargeState
from payments.use_cases import settling
from payments.use_cases.errors import PaymentNotFound, ProviderError
from payments.use_cases.ports import (
    Alert,
    NewUnitOfWork,
    PaymentProvider,
    ProviderEvent,
    UnitOfWork,
    Webhook,
)

log = logging.getLogger(__name__)

BATCH = 16


def receive(body: bytes, request_id: str, *, uow: UnitOfWork, provider: PaymentProvider) -> None:
    """Store a webhook whose signature is good; a repeated one is the same row."""
    with uow:
        uow.webhooks.keep(provider.event_key(body), body, request_id)
        uow.commit()


def claim(*, unit_of_work: NewUnitOfWork) -> list[Webhook]:
    """Those to apply now, oldest first."""
    with unit_of_work.at_once() as uow:
        webhooks = uow.webhooks.claim(BATCH)
        uow.commit()
    return webhooks


def apply(webhook: Webhook, *, unit_of_work: NewUnitOfWork, provider: PaymentProvider) -> None:
    """Do what the webhook asks for, as far as Paystack confirms it.

    Raises ProviderUnavailable; then it comes up again.
    """
    try:
        event = provider.read_event(webhook.body)
    except ValueError as error:
        alert = Alert("webhook_unreadable", str(webhook.id), str(error))
        return _finish(webhook, None, "unreadable", unit_of_work, alert)
    if event.name == "charge.success":
        _apply_charge(webhook, event, unit_of_work, provider)
    elif event.name.startswith("refund.") and event.reference:
        _apply_refund(webhook, event.reference, unit_of_work)
    elif event.name.startswith("charge.dispute."):
        alert = Alert(event.name, event.key, "a customer disputes a charge")
        _finish(webhook, event.reference, "alerted", unit_of_work, alert)
    else:
        _finish(webhook, event.reference, "ignored", unit_of_work)


def _apply_charge(
    webhook: Webhook, event: ProviderEvent, unit_of_work: NewUnitOfWork, provider: PaymentProvider
) -> None:
    claimed = event.charge
    if claimed is None:
        alert = Alert("webhook_unreadable", event.key, "it names no charge")
        return _finish(webhook, event.reference, "unreadable", unit_of_work, alert)
    reference = claimed.reference
    try:
        charge = _ask(reference, unit_of_work, provider)
        problems = _made_up(claimed, charge, unit_of_work, provider.mode)
        if problems:
            alert = Alert("webhook_mismatch", reference, "; ".join(problems))
            return _finish(webhook, reference, "refused", unit_of_work, alert)
        _take_over(charge, webhook, reference, unit_of_work, provider.mode)
    except PaymentNotFound:
        alert = Alert("unknown_reference", reference, f"told by {event.key}")
        _finish(webhook, reference, "refused", unit_of_work, alert)


def _ask(reference: str, unit_of_work: NewUnitOfWork, provider: PaymentProvider) -> Charge | None:
    try:
        return provider.charge(reference)
    except ProviderError:
        with unit_of_work.at_once() as uow:
            uow.payments.get(reference)  # what is not ours need not wait for an answer
        raise


def _made_up(
    claimed: Charge, charge: Charge | None, unit_of_work: NewUnitOfWork, mode: str
) -> list[str]:
    """What in the webhook contradicts our books while Paystack itself does not."""
    if charge is not None and claimed.fits_like(charge):
        return []
    with unit_of_work.at_once() as uow:
        payment = uow.payments.get(claimed.reference)
    if charge is not None and payment.contradictions(charge, mode=mode):
        return []
    return payment.contradictions(claimed, mode=mode)


def _take_over(
    charge: Charge | None,
    webhook: Webhook,
    reference: str,
    unit_of_work: NewUnitOfWork,
    mode: str,
) -> None:
    """Settle what Paystack itself says, and be done with the webhook, if it was right."""
    if charge is not None and charge.state in (ChargeState.CAPTURED, ChargeState.RETURNED):
        settling.settle(
            charge,
            unit_of_work=unit_of_work,
            mode=mode,
            also=lambda uow: uow.webhooks.applied(webhook.id, "applied", reference),
        )
        return
    if charge is not None:
        settling.settle(charge, unit_of_work=unit_of_work, mode=mode)
    state = charge.state if charge else "unknown"
    detail = f"the webhook says paid, Paystack itself says {state}"
    alert = Alert("webhook_unproven", reference, detail)
    _finish(webhook, reference, "refused", unit_of_work, alert)


def _apply_refund(webhook: Webhook, reference: str, unit_of_work: NewUnitOfWork) -> None:
    with unit_of_work() as uow:
        uow.webhooks.applied(webhook.id, "applied", reference)
        uow.refunds.hurry(reference)
        uow.commit()


def _finish(
    webhook: Webhook,
    reference: str | None,
    outcome: str,
    unit_of_work: NewUnitOfWork,
    alert: Alert | None = None,
) -> None:
    with unit_of_work() as uow:
        uow.webhooks.applied(webhook.id, outcome, reference)
        if alert:
            uow.alerts.add(alert)
        uow.commit()
    if alert:
        log.error(
            "webhook not trusted",
            extra={"kind": alert.kind, "about": alert.about, "detail": alert.detail},
        )
