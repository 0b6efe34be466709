"""What ordering does about the news of others. Each says what happens when it is repeated, early
or late; the inbox keeps a repeated delivery from coming here at all."""

from oja_events.contracts.catalog import (
    ProductArchived,
    ProductChanged,
    StockRejected,
    StockReserved,
)
from oja_events.contracts.identity import AddressesChanged, CustomerErased
from oja_events.contracts.payments import PaymentConfirmed, PaymentFailed, PaymentRefunded
from ordering.domain.order import CancelReason, PaymentStatus
from ordering.domain.values import Money
from ordering.use_cases.ports import UnitOfWork


def customer_erased(event: CustomerErased, *, uow: UnitOfWork) -> None:
    """Forget the customer: cart, addresses and settled orders now, other orders when they are
    settled (the worker sees to it, and to what was still on its way in). Repeated: nothing more.
    Late: so much the more is settled."""
    with uow:
        uow.erasures.begin(event.customer_id)
        uow.erasures.go_on()
        uow.commit()


def addresses_changed(event: AddressesChanged, *, uow: UnitOfWork) -> None:
    """Keep our copy of the customer's addresses. Repeated or late: an older book changes nothing.
    After the customer has left: nothing is kept."""
    with uow:
        uow.address_books.learn(event)
        uow.commit()


def product_changed(event: ProductChanged, *, uow: UnitOfWork) -> None:
    """Keep our copy of the product. Repeated or late: an older version changes nothing."""
    with uow:
        uow.offers.learn(event)
        uow.commit()


def product_archived(event: ProductArchived, *, uow: UnitOfWork) -> None:
    """Stop offering it; carts show the problem. Late: a newer version wins. Early: remembered."""
    with uow:
        uow.offers.retire(event)
        uow.commit()


def stock_reserved(event: StockReserved, *, uow: UnitOfWork) -> None:
    """The order may be paid now.

    Late (cancelled meanwhile): silence, for catalog hears of the cancellation itself and gives the
    stock back.
    """
    with uow:
        order = uow.orders.get(event.order_id)
        order.hold_stock(now=uow.now())
        uow.orders.save(order)
        uow.commit()


def stock_rejected(event: StockRejected, *, uow: UnitOfWork) -> None:
    """Cancel the order; if money overtook this news, it goes back. Late: cancelled already."""
    short = ", ".join(shortage.sku for shortage in event.shortages)
    with uow:
        order = uow.orders.get(event.order_id)
        order.cancel(
            CancelReason.OUT_OF_STOCK, by="catalog", now=uow.now(), detail=f"out of stock: {short}"
        )
        uow.orders.save(order)
        uow.commit()


def payment_confirmed(event: PaymentConfirmed, *, uow: UnitOfWork) -> None:
    """Start processing, or give the money back: exactly one of the two.

    Early (before the stock news): kept, and used when that comes. Late (the order was cancelled
    while the card was charged) or second (another payment was faster): refunded.
    """
    amount = Money(event.amount.amount, event.amount.currency)
    with uow:
        order = uow.orders.get(event.order_id)
        order.confirm_payment(event.reference, amount, now=uow.now())
        uow.orders.save(order)
        uow.commit()


def payment_failed(event: PaymentFailed, *, uow: UnitOfWork) -> None:
    """The time to pay is over, and payments has asked Paystack once more: cancel.

    Late (paid meanwhile, even if the stock news is still to come): the money decides, so this is
    ignored.
    """
    with uow:
        order = uow.orders.get(event.order_id)
        if order.payment_status is PaymentStatus.UNPAID:
            order.cancel(CancelReason.EXPIRED, by="payments", now=uow.now())
            uow.orders.save(order)
        uow.commit()


def payment_refunded(event: PaymentRefunded, *, uow: UnitOfWork) -> None:
    """Show that money is back. Repeated: the refund's id is known. Early (before the capture that
    it undoes was told): kept, and counted when that comes. Staff's refunds count like our own: a
    part changes nothing but the books, all of it cancels an order that has not left yet."""
    amount = Money(event.amount.amount, event.amount.currency)
    with uow:
        order = uow.orders.get(event.order_id)
        order.note_refund(event.refund_id, event.reference, amount, now=uow.now())
        uow.orders.save(order)
        uow.commit()
