"""What people ask for. Every function is one transaction and refuses loudly."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from ordering.domain.order import CancelReason, IllegalTransition, Order
from ordering.domain.values import Address, Contact, Money, Offer, Tracking
from ordering.use_cases.errors import (
    NotCancellable,
    OrderNotFound,
    PriceChanged,
    UnknownSku,
)
from ordering.use_cases.ports import CartView, UnitOfWork

CART_BATCH = 1000

Precondition = Callable[[int], None]
"""Given the version of the locked order; raises if the caller has seen another one."""


def add_to_cart(customer_id: UUID, sku: str, quantity: int, *, uow: UnitOfWork) -> CartView:
    """Adds to what is there; two devices that add at once both count."""
    with uow:
        view = uow.carts.get(customer_id, sku)
        view.cart.add(_buyable(view.offers, sku), quantity)
        return _keep(view, uow)


def set_quantity(customer_id: UUID, sku: str, quantity: int, *, uow: UnitOfWork) -> CartView:
    with uow:
        view = uow.carts.get(customer_id, sku)
        view.cart.set_quantity(_buyable(view.offers, sku), quantity)
        return _keep(view, uow)


def remove_from_cart(customer_id: UUID, sku: str, *, uow: UnitOfWork) -> CartView:
    with uow:
        view = uow.carts.get(customer_id, sku)
        view.cart.remove(sku)
        return _keep(view, uow)


def clear_cart(customer_id: UUID, *, uow: UnitOfWork) -> None:
    with uow:
        uow.carts.clear(customer_id)
        uow.commit()


def drop_expired_carts(lifetime: timedelta, *, uow: UnitOfWork) -> int:
    """Delete a batch of carts that nobody has touched for that long; says how many."""
    with uow:
        dropped = uow.carts.drop_untouched(lifetime, CART_BATCH)
        uow.commit()
    return dropped


def place_order(
    customer_id: UUID,
    *,
    contact: Contact,
    shipping_address: Address | UUID,
    note: str | None,
    expected_total: Money | None,
    payment_window: timedelta,
    uow: UnitOfWork,
) -> Order:
    """Turn the cart into an order, at today's prices. `shipping_address` may be the id of one that
    the customer keeps; it is copied, and does not change with the book.

    The cart is taken in the same transaction, so however many requests race, one cart becomes one
    order and the others find it empty.
    """
    with uow:
        draft = uow.orders.draft(customer_id)
        order = Order.place(
            order_id=draft.identity.id,
            number=draft.identity.number,
            customer_id=customer_id,
            contact=contact,
            lines=draft.taken.cart.order_lines(draft.taken.offers),
            shipping_address=_address(customer_id, shipping_address, uow),
            note=note,
            now=draft.identity.now,
            payment_window=payment_window,
        )
        if expected_total is not None and expected_total != order.total:
            raise PriceChanged(f"The total is now {order.total.amount} {order.total.currency}.")
        uow.orders.add(order)
        uow.commit()
    return order


def cancel_order(order_id: UUID, *, by: UUID, uow: UnitOfWork) -> Order:
    """At the customer's request. Stock and money come back through events."""
    with uow:
        order = uow.orders.get(order_id)
        if order.customer_id != by:
            raise OrderNotFound(order_id)
        try:
            order.cancel(CancelReason.CUSTOMER, by="customer", now=uow.now())
        except IllegalTransition as error:
            raise NotCancellable(
                f"An order that is {error.current.words} cannot be cancelled."
            ) from None
        uow.orders.save(order)
        uow.commit()
    return order


def ship_order(
    order_id: UUID,
    tracking: Tracking | None,
    *,
    by: str,
    precondition: Precondition,
    uow: UnitOfWork,
) -> Order:
    with uow:
        order = _current(order_id, precondition, uow)
        before = order.standing()
        order.ship(tracking, by=by, now=uow.now())
        uow.orders.save(order)
        uow.audit.note("order_shipped", order.id, before=before, after=order.standing())
        uow.commit()
    return order


def complete_order(
    order_id: UUID, *, by: str, precondition: Precondition, uow: UnitOfWork
) -> Order:
    with uow:
        order = _current(order_id, precondition, uow)
        before = order.standing()
        order.complete(by=by, now=uow.now())
        uow.orders.save(order)
        uow.audit.note("order_completed", order.id, before=before, after=order.standing())
        uow.commit()
    return order


def cancel_for_staff(
    order_id: UUID, reason: str, *, by: str, precondition: Precondition, uow: UnitOfWork
) -> Order:
    """`reason` is what staff wrote; it stays in the order's history."""
    with uow:
        order = _current(order_id, precondition, uow)
        before = order.standing()
        order.cancel(CancelReason.STAFF, by=by, now=uow.now(), detail=reason)
        uow.orders.save(order)
        uow.audit.note("order_cancelled", order.id, before=before, after=order.standing())
        uow.commit()
    return order


def erase_settled_orders(*, uow: UnitOfWork) -> int:
    """Go on forgetting customers who closed their account; how many are forgotten now."""
    with uow:
        forgotten = uow.erasures.go_on()
        uow.commit()
    return forgotten


def _current(order_id: UUID, precondition: Precondition, uow: UnitOfWork) -> Order:
    order = uow.orders.get(order_id)
    precondition(order.version)
    return order


def _buyable(offers: dict[str, Offer], sku: str) -> Offer:
    offer = offers.get(sku)
    if offer is None or not offer.buyable:
        raise UnknownSku(sku)
    return offer


def _address(customer_id: UUID, given: Address | UUID, uow: UnitOfWork) -> Address:
    return uow.address_books.find(customer_id, given) if isinstance(given, UUID) else given


def _keep(view: CartView, uow: UnitOfWork) -> CartView:
    uow.carts.save(view.cart)
    uow.commit()
    return view
