"""Opening a payment at Paystack, without ever having two that a customer could pay.

    1. commit the attempt, with its reference and a short lease on opening it
    2. call Paystack, with no transaction open
    3. record the page

After a lost answer the reference is asked about first. Its page cannot be fetched again, so if it
was opened, nobody has seen the page and nobody ever will: the attempt is given up (and watched all
the same), and the next one gets the next reference.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from payments.domain.charge import ChargeState
from payments.domain.order import Order, OrderNotPayable, OrderNotReady
from payments.domain.payment import Payment
from payments.domain.values import Bill
from payments.use_cases import settling
from payments.use_cases.errors import (
    DuplicateReference,
    OrderNotFound,
    ProviderRefused,
    ProviderUnavailable,
    ProviderUnclear,
)
from payments.use_cases.ports import NewUnitOfWork, Page, PaymentProvider, UnitOfWork

log = logging.getLogger(__name__)

STOCK_PATIENCE = 2.0  # seconds; as the contract says
OPENING_PATIENCE = 8.0  # seconds for another request that is opening the same payment
LOOK_EVERY = 0.05
# The news is here within a few looks, or the shop is so busy that looking often makes it worse.
LOOK_LESS_OFTEN = 1.5

# Who waits holds a thread of the web server, but costs less than who asks again and again. Beyond
# half of the threads, customers are told to come back: the others stay free for webhooks, for calls
# to Paystack and for everybody else.
MOST_WAITING = 8
_waiting_room = threading.BoundedSemaphore(MOST_WAITING)
LOOK_PATIENCE = 2.0
# An order of which we know nothing, but whose id is that young, may just not have been told to us.
YOUNG = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Who wants to pay which order."""

    order_id: UUID
    customer_id: UUID
    callback_url: str | None


@dataclass(frozen=True, slots=True)
class _Claim:
    """`mine`: we are to open it. `asked`: Paystack may have heard of the reference already."""

    payment: Payment
    mine: bool
    asked: bool


def pay(
    order_id: UUID,
    customer_id: UUID,
    callback_url: str | None,
    *,
    unit_of_work: NewUnitOfWork,
    provider: PaymentProvider,
) -> Payment:
    """The payment with which the customer can pay the order now, opened or still open.

    Raises OrderNotFound, OrderNotReady, OrderNotPayable, ProviderUnavailable.
    """
    wanted = _Wanted(order_id, customer_id, callback_url)
    claim = _claim_when_ready(wanted, unit_of_work)
    until = time.monotonic() + OPENING_PATIENCE
    fresh = False
    while True:
        if claim.mine:
            payment = _open(claim, unit_of_work, provider)
            if payment is not None and payment.is_pending:
                return payment
        elif not claim.payment.authorization_url:
            fresh = True
            time.sleep(LOOK_EVERY)
        elif fresh or _is_still_open(claim.payment, unit_of_work, provider):
            return claim.payment
        if time.monotonic() > until:
            raise ProviderUnavailable("the payment could not be opened in time")
        claim = _claim(wanted, unit_of_work)


def _claim_when_ready(wanted: _Wanted, unit_of_work: NewUnitOfWork) -> _Claim:
    """Wait for the news of the stock if need be; refuse at once what waiting cannot change."""
    try:
        return _claim(wanted, unit_of_work)
    except OrderNotReady:
        if not _waiting_room.acquire(blocking=False):
            raise
    try:
        return _claim_patiently(wanted, unit_of_work)
    finally:
        _waiting_room.release()


def _claim_patiently(wanted: _Wanted, unit_of_work: NewUnitOfWork) -> _Claim:
    until, pause = time.monotonic() + STOCK_PATIENCE, LOOK_EVERY
    while True:
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
        pause *= LOOK_LESS_OFTEN
        try:
            return _claim(wanted, unit_of_work)
        except OrderNotReady:
            if time.monotonic() >= until:
                raise


def _payable_bill(order: Order | None, wanted: _Wanted, uow: UnitOfWork) -> Bill:
    if not _may_know(order, wanted):
        raise OrderNotFound(wanted.order_id)
    if order is None:
        raise OrderNotReady("The order is on its way to us. Try again shortly.")
    return order.payable_bill(uow.now())


def _may_know(order: Order | None, wanted: _Wanted) -> bool:
    if order is not None and order.bill is not None:
        return order.bill.customer_id == wanted.customer_id
    if wanted.order_id.version != 7:
        return False
    born = datetime.fromtimestamp((wanted.order_id.int >> 80) / 1000, UTC)
    return abs(datetime.now(UTC) - born) < YOUNG


def _claim(wanted: _Wanted, unit_of_work: NewUnitOfWork) -> _Claim:
    with unit_of_work() as uow:
        bill = _payable_bill(uow.orders.find(wanted.order_id), wanted, uow)
        payment = uow.payments.latest(wanted.order_id)
        if payment is not None and payment.is_pending:
            claim = _Claim(payment, mine=payment.claim_opening(uow.now()), asked=True)
            uow.payments.save(payment)
        else:
            attempt = payment.attempt + 1 if payment else 1
            begun = _begin(bill, attempt, wanted.callback_url, uow)
            claim = _Claim(begun, mine=True, asked=False)
        uow.commit()
    return claim


def _begin(bill: Bill, attempt: int, callback_url: str | None, uow: UnitOfWork) -> Payment:
    now = uow.now()
    payment = Payment.begin(uow.new_id(), bill, attempt, callback_url=callback_url, now=now)
    payment.claim_opening(now)
    uow.payments.add(payment)
    return payment


def _open(claim: _Claim, unit_of_work: NewUnitOfWork, provider: PaymentProvider) -> Payment | None:
    """The payment with its page; None when its reference is used up and another must be taken."""
    payment = claim.payment
    try:
        if claim.asked:
            return _open_again(payment, unit_of_work, provider)
        try:
            return _record(payment, provider.initialize(payment), unit_of_work)
        except (DuplicateReference, ProviderUnclear) as error:
            log.warning(
                "asking what became of a payment",
                extra={"reference": payment.reference, "error": str(error)},
            )
            _keep_opening(payment.reference, unit_of_work)
            return _open_again(payment, unit_of_work, provider)
    except ProviderUnavailable:
        _change(payment.reference, Payment.release_opening, unit_of_work)
        raise
    except ProviderRefused as error:
        _change(payment.reference, Payment.release_opening, unit_of_work)
        log.error(
            "payment refused by Paystack",
            extra={"reference": payment.reference, "error": str(error), "code": error.code},
        )
        raise OrderNotPayable("The payment provider does not accept this payment.") from error


def _open_again(
    payment: Payment, unit_of_work: NewUnitOfWork, provider: PaymentProvider
) -> Payment | None:
    charge = settling.check(
        payment.reference, unit_of_work=unit_of_work, provider=provider, patience=LOOK_PATIENCE
    )
    if charge is None:
        try:
            return _record(payment, provider.initialize(payment), unit_of_work)
        except DuplicateReference:
            # Our first request was slower than this one, or the reference is not ours.
            log.warning("reference is taken", extra={"reference": payment.reference})
    _change(payment.reference, Payment.abandon, unit_of_work)
    return None


def _is_still_open(
    payment: Payment, unit_of_work: NewUnitOfWork, provider: PaymentProvider
) -> bool:
    """False if it was paid or failed meanwhile. If Paystack does not say, it is as we know it."""
    try:
        charge = settling.check(
            payment.reference, unit_of_work=unit_of_work, provider=provider, patience=LOOK_PATIENCE
        )
    except ProviderUnavailable:
        return True
    return charge is None or charge.state in (ChargeState.OPEN, ChargeState.MOVING)


def _keep_opening(reference: str, unit_of_work: NewUnitOfWork) -> None:
    with unit_of_work() as uow:
        _, payment = uow.payments.with_order(reference)
        payment.keep_opening(uow.now())
        uow.payments.save(payment)
        uow.commit()


def _record(payment: Payment, page: Page, unit_of_work: NewUnitOfWork) -> Payment:
    def opened(locked: Payment) -> None:
        locked.opened(page.authorization_url, page.access_code)

    return _change(payment.reference, opened, unit_of_work)


def _change(
    reference: str, change: Callable[[Payment], None], unit_of_work: NewUnitOfWork
) -> Payment:
    with unit_of_work() as uow:
        _, payment = uow.payments.with_order(reference)
        change(payment)
        uow.payments.save(payment)
        uow.commit()
    return payment
