"""Opening a payment at Paystack, without ever having two that a customer could pay.

    1. look at the order, without locking it
    2. keep the attempt, with its reference and a short lease on opening it, if nothing has changed
    3. call Paystack, with no transaction open
    4. keep the page

After a lost answer the reference is asked about first. Its page cannot be fetched again, so if it
was opened, nobody has seen the page and nobody ever will: the attempt is given up (and watched all
the same), and the next one gets the next reference.
"""

import logging
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
from payments.use_cases.ports import Lookout, NewUnitOfWork, Page, PaymentProvider, Standing

log = logging.getLogger(__name__)

STOCK_PATIENCE = 2.0  # seconds; as the contract says
OPENING_PATIENCE = 8.0  # seconds for another request that is opening the same payment
LOOK_PATIENCE = 2.0
_TOO_SLOW = "the payment could not be opened in time"
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
    asked: bool = True


def pay(
    order_id: UUID,
    customer_id: UUID,
    callback_url: str | None,
    *,
    unit_of_work: NewUnitOfWork,
    provider: PaymentProvider,
    lookout: Lookout,
) -> Payment:
    """The payment with which the customer can pay the order now, opened or still open.

    Raises OrderNotFound, OrderNotReady, OrderNotPayable, ProviderUnavailable.
    """
    wanted = _Wanted(order_id, customer_id, callback_url)
    seen = _look_when_ready(wanted, unit_of_work, lookout)
    until = time.monotonic() + OPENING_PATIENCE
    fresh = False
    while True:
        claim = _claim(seen, wanted, unit_of_work)
        if claim is None:
            fresh, seen = True, _look_when_opened(wanted, until - time.monotonic(), lookout)
            continue
        if claim.mine:
            payment = _open(claim, unit_of_work, provider)
            if payment is not None:
                return payment
        elif fresh or _is_still_open(claim.payment, unit_of_work, provider):
            return claim.payment
        if time.monotonic() > until:
            raise ProviderUnavailable(_TOO_SLOW)
        seen = _look(wanted, unit_of_work)


def _look_when_ready(wanted: _Wanted, unit_of_work: NewUnitOfWork, lookout: Lookout) -> Standing:
    """Wait for the news of the stock if need be; refuse at once what waiting cannot change."""
    try:
        seen = _look(wanted, unit_of_work)
        seen.order.payable_bill(seen.seen_at)
        return seen
    except OrderNotReady:
        news = lookout.wait(wanted.order_id, STOCK_PATIENCE, _has_all_news)
        return _shown(news, wanted) if news else _look(wanted, unit_of_work)


def _has_all_news(seen: Standing) -> bool:
    return not seen.order.misses_news


def _look_when_opened(wanted: _Wanted, seconds: float, lookout: Lookout) -> Standing:
    """Wait for whoever is opening the payment, as long as that takes at most."""
    seen = lookout.wait(wanted.order_id, seconds, _nobody_opens)
    if seen is None:
        raise ProviderUnavailable(_TOO_SLOW)
    return _shown(seen, wanted)


def _nobody_opens(seen: Standing) -> bool:
    return seen.payment is None or not seen.payment.is_being_opened(seen.seen_at)


def _look(wanted: _Wanted, unit_of_work: NewUnitOfWork) -> Standing:
    with unit_of_work.at_once() as uow:
        return _shown(uow.orders.look([wanted.order_id]).get(wanted.order_id), wanted)


def _shown(seen: Standing | None, wanted: _Wanted) -> Standing:
    """What was seen, if it may be known to who wants to pay."""
    if not _may_know(seen.order if seen else None, wanted):
        raise OrderNotFound(wanted.order_id)
    if seen is None:
        raise OrderNotReady("The order is on its way to us. Try again shortly.")
    return seen


def _may_know(order: Order | None, wanted: _Wanted) -> bool:
    if order is not None and order.bill is not None:
        return order.bill.customer_id == wanted.customer_id
    if wanted.order_id.version != 7:
        return False
    born = datetime.fromtimestamp((wanted.order_id.int >> 80) / 1000, UTC)
    return abs(datetime.now(UTC) - born) < YOUNG


def _claim(seen: Standing, wanted: _Wanted, unit_of_work: NewUnitOfWork) -> _Claim | None:
    """None while somebody else is at it, or if what was seen is no longer so."""
    bill, last = seen.order.payable_bill(seen.seen_at), seen.payment
    if last is None or not last.is_pending:
        return _begin(bill, last.attempt + 1 if last else 1, wanted, seen.seen_at, unit_of_work)
    if last.authorization_url:
        return _Claim(last, mine=False)
    return _take_up(last.reference, unit_of_work) if last.claim_opening(seen.seen_at) else None


def _begin(
    bill: Bill, attempt: int, wanted: _Wanted, now: datetime, unit_of_work: NewUnitOfWork
) -> _Claim | None:
    with unit_of_work.at_once() as uow:
        payment = Payment.begin(
            uow.new_id(), bill, attempt, callback_url=wanted.callback_url, now=now
        )
        payment.claim_opening(now)
        begun = uow.payments.begin(payment)
        uow.commit()
    return _Claim(payment, mine=True, asked=False) if begun else None


def _take_up(reference: str, unit_of_work: NewUnitOfWork) -> _Claim | None:
    """Open what somebody else has begun and left."""
    with unit_of_work() as uow:
        order, payment = uow.payments.with_order(reference)
        order.payable_bill(uow.now())
        if not payment.is_pending or not payment.claim_opening(uow.now()):
            return None
        uow.payments.save(payment)
        uow.commit()
    return _Claim(payment, mine=True)


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
        _keep_opening(payment.reference, unit_of_work)
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


def _record(payment: Payment, page: Page, unit_of_work: NewUnitOfWork) -> Payment | None:
    payment.opened(page.authorization_url, page.access_code)
    with unit_of_work.at_once() as uow:
        is_open = uow.payments.keep_page(payment)
        uow.commit()
    return payment if is_open else None


def _change(reference: str, change: Callable[[Payment], None], unit_of_work: NewUnitOfWork) -> None:
    with unit_of_work() as uow:
        _, payment = uow.payments.with_order(reference)
        change(payment)
        uow.payments.save(payment)
        uow.commit()
