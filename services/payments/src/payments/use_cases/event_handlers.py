"""What payments does about the news of others. Each says what happens when it is repeated, early
or late; the inbox keeps a repeated delivery from coming here at all.

The news of one order comes through different queues' owners, so any of it may be the first: the
order's row is made by whatever comes first and completed by the rest.
"""

from uuid import UUID

from oja_events.contracts.catalog import StockRejected, StockReserved
from oja_events.contracts.ordering import (
    CustomerOrdersErased,
    OrderCancelled,
    OrderPlaced,
    RefundRequested,
)
from payments.domain.order import ClosedReason, Order
from payments.domain.values import Bill, Contact, Money
from payments.use_cases import refunding
from payments.use_cases.ports import UnitOfWork


def customer_orders_erased(event: CustomerOrdersErased, *, uow: UnitOfWork) -> None:
    """Forget the customer, who left and for whom ordering has nothing under way any more. Repeated:
    another receipt. Late: nothing waits for it."""
    with uow:
        uow.erasures.erase(event.customer_id)
        uow.commit()


def order_placed(event: OrderPlaced, *, uow: UnitOfWork) -> None:
    """Learn what is owed. Late (the stock news or a cancellation overtook it): both stay true."""
    bill = Bill(
        order_id=event.order_id,
        number=event.number,
        customer_id=event.customer_id,
        contact=Contact(event.contact.email, event.contact.name),
        total=Money(event.total.amount, event.total.currency),
        pay_before=event.pay_before,
    )
    with uow:
        if not uow.orders.add(Order.placed(bill)):
            order = uow.orders.obtain(event.order_id)
            order.place(bill)
            uow.orders.save(order)
        uow.commit()


def stock_reserved(event: StockReserved, *, uow: UnitOfWork) -> None:
    """The order may be paid. Early: remembered. Late (closed meanwhile): it stays closed."""
    with uow:
        order = uow.orders.obtain(event.order_id)
        order.hold_stock()
        uow.orders.save(order)
        uow.commit()


def stock_rejected(event: StockRejected, *, uow: UnitOfWork) -> None:
    """The order cannot be paid. Early: remembered. Late: closed already."""
    _close(event.order_id, ClosedReason.OUT_OF_STOCK, uow)


def order_cancelled(event: OrderCancelled, *, uow: UnitOfWork) -> None:
    """Let nobody pay it any more.

    Early: remembered. Late (money came already, or comes all the same): the capture is or will be
    told, and ordering asks for a refund.
    """
    _close(event.order_id, ClosedReason.CANCELLED, uow)


def refund_requested(event: RefundRequested, *, uow: UnitOfWork) -> None:
    """Send back what is left of the payment, once per payment however often it is asked for.

    Early: cannot be, for ordering learned the reference from us. Late (staff has sent all of it
    back already): told again, because ordering waits for it.
    """
    amount = Money(event.amount.amount, event.amount.currency)
    with uow:
        refunding.request_for_order(event.payment_reference, amount, event.reason, uow=uow)
        uow.commit()


def _close(order_id: UUID, reason: ClosedReason, uow: UnitOfWork) -> None:
    with uow:
        order = uow.orders.obtain(order_id)
        order.close(reason)
        uow.orders.save(order)
        payment = uow.payments.latest(order_id)
        if payment and payment.is_pending:
            payment.abandon()
            uow.payments.save(payment)
        uow.commit()
