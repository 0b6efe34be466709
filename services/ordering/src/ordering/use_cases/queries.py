"""What the read side offers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from ordering.domain.order import Order
from ordering.domain.values import HistoryEntry
from ordering.use_cases.ports import CartView


@dataclass(frozen=True, slots=True)
class OrderPage:
    """Newest first. `next` is the id to continue after, None on the last page."""

    orders: list[Order]
    next: UUID | None
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEvent:
    """An event that ordering told of an order; `cause` is the event or request that led to it, and
    `correlation_id` what the whole journey is found by in all logs."""

    id: UUID
    type: str
    at: datetime
    cause: str | None
    correlation_id: str


class Queries(Protocol):
    """The read side."""

    def order(self, order_id: UUID, *, customer_id: UUID | None = None) -> Order:
        """Raises OrderNotFound, also when it is not `customer_id`'s."""

    def orders(
        self,
        *,
        size: int,
        customer_id: UUID | None = None,
        status: Collection[str] | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> OrderPage: ...

    def history(self, order_id: UUID) -> list[HistoryEntry]:
        """Oldest first."""

    def told(self, order_id: UUID) -> list[ToldEvent]:
        """What was told of an order, oldest first."""

    def cart(self, customer_id: UUID) -> CartView: ...
