"""Orders that were not paid in time. Paystack has the last word before one is given up."""

import logging

from payments.domain.charge import ChargeState
from payments.use_cases import settling
from payments.use_cases.errors import ProviderUnavailable
from payments.use_cases.ports import NewUnitOfWork, Overdue, PaymentProvider

log = logging.getLogger(__name__)

BATCH = 20


def sweep(*, unit_of_work: NewUnitOfWork, provider: PaymentProvider) -> int:
    """Close the orders whose time is over; says how many were looked at.

    An order about which Paystack cannot be asked, or which makes trouble, stays as it is and comes
    up again; the others do not wait for it.
    """
    with unit_of_work.at_once() as uow:
        overdue = uow.orders.claim_overdue(BATCH)
        uow.commit()
    for each in overdue:
        try:
            moving = _money_is_moving(each, unit_of_work, provider)
            _expire(each, moving, unit_of_work)
        except ProviderUnavailable as error:
            log.warning(
                "deadline waits for Paystack",
                extra={"order_id": str(each.order_id), "error": str(error)},
            )
        except Exception:
            log.exception("deadline missed", extra={"order_id": str(each.order_id)})
    return len(overdue)


def _money_is_moving(
    overdue: Overdue, unit_of_work: NewUnitOfWork, provider: PaymentProvider
) -> bool:
    charges = [
        settling.check(reference, unit_of_work=unit_of_work, provider=provider)
        for reference in overdue.references
    ]
    return any(charge and charge.state is ChargeState.MOVING for charge in charges)


def _expire(overdue: Overdue, moving: bool, unit_of_work: NewUnitOfWork) -> None:
    with unit_of_work() as uow:
        order = uow.orders.get(overdue.order_id)
        if moving and order.may_wait_for_money(uow.now()):
            return
        order.expire(uow.now())
        uow.orders.save(order)
        payment = uow.payments.latest(order.id)
        if payment and payment.is_pending:
            payment.abandon()
            uow.payments.save(payment)
        uow.commit()
