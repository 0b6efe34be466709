"""What the use cases need from the outside."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from oja_events.contracts.catalog import ProductArchived, ProductChanged
from oja_events.contracts.identity import AddressesChanged
from ordering.domain.cart import Cart
from ordering.domain.order import Order
from ordering.domain.values import Address, Offer


@dataclass(frozen=True, slots=True)
class Identity:
    """What a new order is called, and when by the database's clock it was placed."""

    id: UUID
    number: str
    now: datetime


@dataclass(frozen=True, slots=True)
class CartView:
    """A cart with what is known of its products now."""

    cart: Cart
    offers: dict[str, Offer]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new order is made of."""

    identity: Identity
    taken: CartView


class OrderRepository(Protocol):
    def draft(self, customer_id: UUID) -> Draft:
        """Take what is in the customer's cart, which is empty from here on; locked, if there is
        one. Numbers grow but may have gaps: a checkout that fails uses one up."""

    def add(self, order: Order) -> None:
        """Keep a new order, its history and its events."""

    def get(self, order_id: UUID) -> Order:
        """The order, locked until the end of the transaction; raises OrderNotFound."""

    def save(self, order: Order) -> None:
        """Keep the changes, with their history and events."""


class CartRepository(Protocol):
    def get(self, customer_id: UUID, sku: str) -> CartView:
        """The customer's cart, empty if they never had one; locked. With what is known of all that
        is in it and of this SKU; unknown ones are left out."""

    def save(self, cart: Cart) -> None: ...

    def clear(self, customer_id: UUID) -> None: ...

    def drop_untouched(self, lifetime: timedelta, limit: int) -> int:
        """Delete at most `limit` carts that nobody has touched for that long; how many."""


class OfferRepository(Protocol):
    def learn(self, news: ProductChanged) -> None:
        """Take over the product's state unless a newer one is known."""

    def retire(self, news: ProductArchived) -> None:
        """Stop selling the product unless newer news is known."""

    def restore(self, news: ProductChanged | ProductArchived) -> bool:
        """Make our copy say what this news says, unless newer news is known; whether it did not."""

    def count_others(self, product_ids: Collection[UUID]) -> int:
        """How many products we know beside these."""


class AddressBooks(Protocol):
    """What customers keep in their accounts, as we heard of it."""

    def learn(self, news: AddressesChanged) -> None:
        """Take over the whole book unless a newer one is known, or the customer has left."""

    def find(self, customer_id: UUID, address_id: UUID) -> Address:
        """Raises UnknownAddress, also when it is somebody else's."""


class Erasures(Protocol):
    """Customers who closed their account, and what we still have of them."""

    def begin(self, customer_id: UUID) -> None:
        """Remember that they are to be forgotten. Known already: nothing."""

    def go_on(self) -> int:
        """Drop carts, addresses and answers, mask orders that are settled, and tell whose last one
        that was; how many customers."""


class AuditLog(Protocol):
    """What somebody did by a permission of theirs; who, and from where, the request says."""

    def note(
        self, action: str, target: object, *, before: object = None, after: object = None
    ) -> None:
        """Write it down for good, with how the target looked before and after."""


class UnitOfWork(Protocol):
    """One transaction. Leaving it without `commit` rolls back; `now` is the database's clock."""

    @property
    def orders(self) -> OrderRepository: ...
    @property
    def carts(self) -> CartRepository: ...
    @property
    def offers(self) -> OfferRepository: ...
    @property
    def address_books(self) -> AddressBooks: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def audit(self) -> AuditLog: ...

    def now(self) -> datetime: ...
    def commit(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
