"""The one way in which money becomes true: webhook, customer's look and reconciler all end here."""

import logging
from collections.abc import Callable

from payments.domain.charge import Charge, ChargeState
from payments.domain.payment import Payment, PaymentStatus
from payments.use_cases import refunding
from payments.use_cases.errors import ProviderUnavailable
from payments.use_cases.ports import Alert, NewUnitOfWork, PaymentProvider, UnitOfWork

log = logging.getLogger(__name__)

RECONCILE_BATCH = 20


def check(
    reference: str,
    *,
    unit_of_work: NewUnitOfWork,
    provider: PaymentProvider,
    patience: float | None = None,
) -> Charge | None:
    """Ask Paystack about a payment of ours and settle what it says; None if it knows nothing.

    Raises ProviderUnavailable.
    """
    charge = provider.charge(reference, patience=patience)
    if charge is not None:
        settle(charge, unit_of_work=unit_of_work, mode=provider.mode)
    return charge


def settle(
    charge: Charge,
    *,
    unit_of_work: NewUnitOfWork,
    mode: str,
    also: Callable[[UnitOfWork], None] | None = None,
) -> Payment:
    """Take over what Paystack says of a payment, and do something `also` in that transaction.

    However many settle the same capture at once, the row lock lets one be the first, and only the
    first tells of it. Money that does not fit our books goes back, and staff hear of it. Raises
    PaymentNotFound.
    """
    with unit_of_work() as uow:
        order, payment = uow.payments.with_order(charge.reference)
        problems = payment.learn(charge, mode=mode, now=uow.now())
        if problems:
            uow.alerts.add(Alert("charge_mismatch", payment.reference, _text(problems), order.id))
            # Money of the other mode is not on the account from which we could send it.
            if charge.state is ChargeState.CAPTURED and charge.mode == mode:
                refunding.send_back_misfit(payment, _text(problems), uow=uow)
        if payment.status is PaymentStatus.SUCCEEDED:
            order.note_capture(payment.reference)
            uow.payments.save_capture(order, payment)
        else:
            uow.payments.save(payment)
        if also:
            also(uow)
        uow.commit()
    if problems:
        log.error(
            "money does not fit our books",
            extra={"reference": payment.reference, "problems": problems},
        )
    return payment


def reconcile(*, unit_of_work: NewUnitOfWork, provider: PaymentProvider) -> int:
    """Ask about payments of which nothing was heard; says how many were looked at. One that
    Paystack does not answer about, or that makes trouble, comes up again shortly; the others do not
    wait for it."""
    with unit_of_work.at_once() as uow:
        references = uow.payments.claim_checks(RECONCILE_BATCH)
        uow.commit()
    for reference in references:
        try:
            check(reference, unit_of_work=unit_of_work, provider=provider)
            _count_check(reference, unit_of_work)
        except ProviderUnavailable as error:
            log.warning(
                "could not ask about a payment",
                extra={"reference": reference, "error": str(error)},
            )
        except Exception:
            log.exception("payment not checked", extra={"reference": reference})
    return len(references)


def _count_check(reference: str, unit_of_work: NewUnitOfWork) -> None:
    with unit_of_work() as uow:
        _, payment = uow.payments.with_order(reference)
        payment.count_check()
        uow.payments.save(payment)
        uow.commit()


def _text(problems: list[str]) -> str:
    return "; ".join(problems)
