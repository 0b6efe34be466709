"""Sending money back: asked for here, done by the worker until Paystack says how it ended."""

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from payments.domain.payment import Payment
from payments.domain.refund import (
    Refund,
    RefundKind,
    RefundStatus,
    RefundTooLarge,
    WrongCurrency,
    refundable,
)
from payments.domain.values import Money
from payments.use_cases.errors import ProviderRefused, ProviderUnavailable, ProviderUnclear
from payments.use_cases.ports import (
    Alert,
    NewUnitOfWork,
    PaymentProvider,
    ProviderRefund,
    UnitOfWork,
)

log = logging.getLogger(__name__)

BATCH = 20
# Paystack may still be at what it did not answer in time. Who looks too early finds nothing, and
# would ask for it a second time.
IN_DOUBT = timedelta(minutes=1)
# Refusals that another day may mend; all others are for staff to decide about.
_LATER = frozenset({"insufficient_balance"})


def request_for_order(reference: str, amount: Money, reason: str, *, uow: UnitOfWork) -> None:
    """Ask for what is left of a payment, at most `amount`; inside the caller's transaction."""
    _, payment = uow.payments.with_order(reference)
    refunds = uow.refunds.of_payment(reference)
    if any(each.kind is RefundKind.ORDER for each in refunds):
        return
    left = refundable(payment, refunds).amount
    if left > 0:
        money = Money(min(left, amount.amount), amount.currency)
        uow.refunds.add(_new(payment, RefundKind.ORDER, money, reason, "ordering", uow))
        return
    for refund in [each for each in refunds if each.status is RefundStatus.PROCESSED][-1:]:
        refund.tell_refunded()
        uow.refunds.save(refund)


def send_back_misfit(payment: Payment, reason: str, *, uow: UnitOfWork) -> None:
    """Send back all of a payment that is not what was owed; inside the caller's transaction, which
    has locked the order."""
    left = refundable(payment, uow.refunds.of_payment(payment.reference))
    if left.amount > 0:
        uow.refunds.add(_new(payment, RefundKind.MISFIT, left, reason, "payments", uow))


def request_by_staff(
    reference: str, amount: Money | None, reason: str, *, by: str, uow: UnitOfWork
) -> Refund:
    """Send back `amount`, or all that is left. Raises NotRefundable, WrongCurrency,
    RefundTooLarge."""
    with uow:
        _, payment = uow.payments.with_order(reference)
        left = refundable(payment, uow.refunds.of_payment(reference))
        wanted = amount or left
        if wanted.currency != left.currency:
            raise WrongCurrency(left.currency)
        if not 0 < wanted.amount <= left.amount:
            raise RefundTooLarge(f"At most {left.amount} {left.currency} can be sent back.")
        refund = _new(payment, RefundKind.STAFF, wanted, reason, by, uow)
        uow.refunds.add(refund)
        uow.audit.note(
            "refund_asked",
            reference,
            before={"refundable": left},
            after={
                "refundable": Money(left.amount - wanted.amount, left.currency),
                "refund": refund.id,
                "reason": reason,
            },
        )
        uow.commit()
    return refund


def advance(*, unit_of_work: NewUnitOfWork, provider: PaymentProvider) -> int:
    """See to the refunds that are due; says how many. While Paystack is away they come up again.

    Each is claimed only when its turn comes: one that waited behind slow calls could be claimed by
    somebody else meanwhile, and money be asked for twice.
    """
    for done in range(BATCH):
        with unit_of_work.at_once() as uow:
            due = uow.refunds.claim_due()
            uow.commit()
        if due is None:
            return done
        _advance(due, unit_of_work, provider)
    return BATCH


def _advance(refund_id: UUID, unit_of_work: NewUnitOfWork, provider: PaymentProvider) -> None:
    with unit_of_work() as uow:
        refund = uow.refunds.get(refund_id)
        payment = uow.payments.get(refund.reference)
        siblings = uow.refunds.of_payment(refund.reference)
    try:
        state = _ask(refund, payment, siblings, provider)
    except ProviderRefused as refusal:
        _record_refusal(refund, refusal, unit_of_work)
    except ProviderUnclear as error:
        _wait(refund, error, unit_of_work, at_least=IN_DOUBT)
    except ProviderUnavailable as error:
        _wait(refund, error, unit_of_work)
    else:
        _record(refund, state, unit_of_work)


def _ask(
    refund: Refund, payment: Payment, siblings: list[Refund], provider: PaymentProvider
) -> ProviderRefund:
    if refund.provider_id is not None:
        return provider.refund_by_id(refund.provider_id)
    charge = payment.provider_id
    if refund.looks == 1 or charge is None:
        return provider.refund(refund)
    # Asked before without having kept an answer: it may be done, or may just be under way.
    found = _find(refund, siblings, provider.refunds(charge))
    if found is not None:
        return found
    try:
        return provider.refund(refund)
    except ProviderRefused:
        found = _find(refund, siblings, provider.refunds(charge))
        if found is None:
            raise
        return found


def _find(
    refund: Refund, siblings: list[Refund], at_provider: list[ProviderRefund]
) -> ProviderRefund | None:
    """Ours among those at Paystack: by our note, or by the amount where the note got lost."""
    taken = {each.provider_id for each in siblings}
    others = {each.note for each in siblings if each.id != refund.id}
    free = [each for each in at_provider if each.id not in taken and each.note not in others]
    ours = [each for each in free if each.note == refund.note]
    alike = [each for each in free if each.amount == refund.amount.amount]
    return next(iter(ours or alike), None)


def _wait(
    refund: Refund,
    error: ProviderUnavailable,
    unit_of_work: NewUnitOfWork,
    *,
    at_least: timedelta = timedelta(0),
) -> None:
    log.warning("refund waits", extra={"refund_id": str(refund.id), "error": str(error)})
    _change(
        refund, lambda locked, uow: locked.look_later(uow.now(), at_least=at_least), unit_of_work
    )


def _record(refund: Refund, state: ProviderRefund, unit_of_work: NewUnitOfWork) -> None:
    def found(locked: Refund, uow: UnitOfWork) -> None:
        locked.found(state.id, state.status, now=uow.now())
        if locked.status is RefundStatus.NEEDS_ATTENTION:
            uow.alerts.add(_alert("refund_needs_attention", locked, "Paystack wants details"))

    _change(refund, found, unit_of_work)


def _record_refusal(refund: Refund, refusal: ProviderRefused, unit_of_work: NewUnitOfWork) -> None:
    def refused(locked: Refund, uow: UnitOfWork) -> None:
        if refusal.code in _LATER:
            uow.alerts.add(_alert("refund_refused", locked, str(refusal)))
            locked.look_later(uow.now())
        else:
            # RefundFailed calls staff by itself.
            locked.refuse(str(refusal), now=uow.now())

    _change(refund, refused, unit_of_work)
    log.error("refund refused", extra={"refund_id": str(refund.id), "error": str(refusal)})


def _change(
    refund: Refund, change: Callable[[Refund, UnitOfWork], None], unit_of_work: NewUnitOfWork
) -> None:
    with unit_of_work() as uow:
        uow.payments.with_order(refund.reference)
        locked = uow.refunds.get(refund.id)
        change(locked, uow)
        if locked.is_overdue(uow.now()):
            uow.alerts.add(_alert("refund_overdue", locked, "the customer has waited for a day"))
        uow.refunds.save(locked)
        uow.commit()


def _new(
    payment: Payment, kind: RefundKind, amount: Money, reason: str, by: str, uow: UnitOfWork
) -> Refund:
    now = uow.now()
    return Refund(
        id=uow.new_id(),
        reference=payment.reference,
        bill=payment.bill,
        kind=kind,
        amount=amount,
        reason=reason,
        requested_by=by,
        requested_at=now,
        next_look_at=now,
    )


def _alert(kind: str, refund: Refund, detail: str) -> Alert:
    return Alert(kind, str(refund.id), detail, refund.bill.order_id)
