"""Orders, carts and offers for tests, and a unit of work without a database."""

from collections.abc import Collection, Mapping
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Self
from uuid import UUID, uuid4

from oja_events.contracts import Event, catalog
from oja_events.contracts import Money as ToldMoney
from oja_events.contracts.identity import AddressesChanged
from ordering.domain.cart import Cart
from ordering.domain.order import CancelReason, Order, OrderStatus
from ordering.domain.values import (
    Address,
    Contact,
    HistoryEntry,
    Money,
    Offer,
    OrderLine,
    Tracking,
)
from ordering.use_cases.errors import OrderNotFound, UnknownAddress
from ordering.use_cases.ports import CartView, Draft, Identity
from tests.support.auditing import FakeAuditLog, Noted

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=30)
ADA = Contact("ada@example.com", "Ada Obi")
LAGOS = Address(
    full_name="Ada Obi",
    phone="+2348000000000",
    line1="1 Marina",
    city="Lagos",
    state="Lagos",
    country="NG",
)
REFERENCE = "ref-1"
# Far above those that the database gives to orders of the same run.
_NUMBERS = count(900_001)


def naira(amount: int) -> Money:
    """So many kobo."""
    return Money(amount, "NGN")


def an_offer(
    sku: str = "MUG", *, price: int = 250_000, available: int = 5, buyable: bool = True
) -> Offer:
    return Offer(
        sku=sku,
        product_id=uuid4(),
        name=f"A {sku.lower()}",
        price=naira(price),
        available=available,
        buyable=buyable,
    )


def a_line(sku: str = "MUG", *, quantity: int = 2, price: int = 250_000) -> OrderLine:
    return OrderLine(
        sku=sku,
        product_id=uuid4(),
        name=f"A {sku.lower()}",
        options={"size": "M"},
        quantity=quantity,
        unit_price=naira(price),
    )


def a_new_order(
    *,
    order_id: UUID | None = None,
    customer_id: UUID | None = None,
    lines: tuple[OrderLine, ...] = (),
) -> Order:
    """Just placed; its first event and history entry are still to be pulled."""
    return Order.place(
        order_id=order_id or uuid4(),
        number=f"OJ-{next(_NUMBERS)}",
        customer_id=customer_id or uuid4(),
        contact=ADA,
        lines=lines or (a_line(),),
        shipping_address=LAGOS,
        note=None,
        now=NOW,
        payment_window=WINDOW,
    )


def an_order(
    status: OrderStatus = OrderStatus.PLACED, *, customer_id: UUID | None = None, paid: bool = True
) -> Order:
    """An order that came to `status` by the usual way, with nothing left to tell.

    A cancelled one was paid before unless `paid` is False.
    """
    order = a_new_order(customer_id=customer_id)
    _bring(order, status, paid=paid)
    order.pull_events()
    order.pull_history()
    return order


def _bring(order: Order, status: OrderStatus, *, paid: bool) -> None:
    if status is OrderStatus.PLACED:
        return
    order.hold_stock(now=NOW)
    if status is OrderStatus.AWAITING_PAYMENT:
        return
    if status is not OrderStatus.CANCELLED or paid:
        order.confirm_payment(REFERENCE, order.total, now=NOW)
    if status is OrderStatus.CANCELLED:
        order.cancel(CancelReason.CUSTOMER, by="customer", now=NOW)
    if status in (OrderStatus.SHIPPED, OrderStatus.COMPLETED):
        order.ship(Tracking("GIG", "GIG-1"), by="staff", now=NOW)
    if status is OrderStatus.COMPLETED:
        order.complete(by="staff", now=NOW)


def product_changed(
    product_id: UUID,
    variants: Mapping[str, tuple[int, int]],
    *,
    version: int = 1,
    status: str = "published",
) -> catalog.ProductChanged:
    """News of a product; `variants` is SKU -> (price, available)."""
    return catalog.ProductChanged(
        product_id=product_id,
        version=version,
        slug="a-thing",
        name=f"A thing, version {version}",
        status=status,
        variants=tuple(
            catalog.Variant(
                sku=sku,
                options={},
                price=ToldMoney(amount=price, currency="NGN"),
                available=available,
            )
            for sku, (price, available) in variants.items()
        ),
        changed_at=NOW,
    )


class FakeUnitOfWork:
    """Copies on the way in and out, so code that forgets to save or commit fails here too.

    It is all its repositories in one; `outbox` and `told_history` are what was committed.
    """

    def __init__(self, *orders: Order, offers: Collection[Offer] = ()) -> None:
        self._stored: dict[UUID, Order] = {order.id: deepcopy(order) for order in orders}
        self._carts: dict[UUID, Cart] = {}
        self.outbox: list[Event] = []
        self.told_history: list[HistoryEntry] = []
        self.noted: list[Noted] = []
        self._open = False
        self.orders = _FakeOrders(self)
        self.carts = _FakeCarts(self)
        self.offers = _FakeOffers(offers)
        self.address_books = _FakeAddressBooks()

    def order(self, order_id: UUID) -> Order:
        """As it was committed."""
        return deepcopy(self._stored[order_id])

    def cart(self, customer_id: UUID) -> Cart:
        """As it was committed."""
        return deepcopy(self._carts.get(customer_id) or Cart(customer_id))

    def view(self, customer_id: UUID, *skus: str) -> CartView:
        """The cart as it was committed, with what is known of it and of these SKUs."""
        cart = self.cart(customer_id)
        return CartView(cart, self.offers.known({*skus, *cart.items}))

    def put(self, cart: Cart) -> None:
        self._carts[cart.customer_id] = deepcopy(cart)

    def now(self) -> datetime:
        return NOW + timedelta(minutes=5)

    def __enter__(self) -> Self:
        assert not self._open, "entered twice"
        self._open = True
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False

    def _begin(self) -> None:
        self.pending_orders: dict[UUID, Order] = {}
        self.pending_carts: dict[UUID, Cart] = {}
        self._pending_events: list[Event] = []
        self._pending_history: list[HistoryEntry] = []
        self._pending_notes: list[Noted] = []
        self.audit = FakeAuditLog(self._pending_notes)

    def commit(self) -> None:
        self.require_open()
        self._stored |= self.pending_orders
        self._carts |= self.pending_carts
        self.outbox += self._pending_events
        self.told_history += self._pending_history
        self.noted += self._pending_notes
        self._begin()

    def require_open(self) -> None:
        assert self._open, "used outside of its `with`"

    def stored(self, order_id: UUID) -> Order | None:
        return self.pending_orders.get(order_id) or self._stored.get(order_id)

    def tell(self, order: Order) -> None:
        self._pending_events += order.pull_events()
        self._pending_history += order.pull_history()


class _FakeOrders:
    def __init__(self, uow: FakeUnitOfWork) -> None:
        self._uow = uow
        self._number = 100_000

    def draft(self, customer_id: UUID) -> Draft:
        taken = self._uow.view(customer_id)
        self._uow.carts.clear(customer_id)
        self._number += 1
        return Draft(Identity(uuid4(), f"OJ-{self._number}", NOW), taken)

    def add(self, order: Order) -> None:
        self.save(order)

    def get(self, order_id: UUID) -> Order:
        self._uow.require_open()
        found = self._uow.stored(order_id)
        if found is None:
            raise OrderNotFound(order_id)
        return deepcopy(found)

    def save(self, order: Order) -> None:
        self._uow.require_open()
        self._uow.tell(order)
        order.version += 1
        self._uow.pending_orders[order.id] = deepcopy(order)


class _FakeCarts:
    def __init__(self, uow: FakeUnitOfWork) -> None:
        self._uow = uow

    def get(self, customer_id: UUID, sku: str) -> CartView:
        self._uow.require_open()
        return self._uow.view(customer_id, sku)

    def save(self, cart: Cart) -> None:
        self._uow.require_open()
        self._uow.pending_carts[cart.customer_id] = deepcopy(cart)

    def clear(self, customer_id: UUID) -> None:
        self.save(Cart(customer_id))


class _FakeAddressBooks:
    """`kept` is what is known; taking over news is tested against the database."""

    def __init__(self) -> None:
        self.kept: dict[tuple[UUID, UUID], Address] = {}
        self.learned: list[Event] = []

    def learn(self, news: AddressesChanged) -> None:
        self.learned.append(news)

    def find(self, customer_id: UUID, address_id: UUID) -> Address:
        try:
            return self.kept[customer_id, address_id]
        except KeyError:
            raise UnknownAddress(address_id) from None


class _FakeOffers:
    """What is known of products; taking over news is tested against the database."""

    def __init__(self, offers: Collection[Offer]) -> None:
        self._offers = {offer.sku: offer for offer in offers}
        self.learned: list[Event] = []

    def known(self, skus: Collection[str]) -> dict[str, Offer]:
        return {sku: self._offers[sku] for sku in skus if sku in self._offers}

    def learn(self, news: catalog.ProductChanged) -> None:
        self.learned.append(news)

    def retire(self, news: catalog.ProductArchived) -> None:
        self.learned.append(news)
