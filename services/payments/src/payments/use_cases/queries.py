"""What the read side offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from payments.domain.payment import Payment
from payments.domain.refund import Refund


@dataclass(frozen=True, slots=True)
class PaymentView:
    """A payment with its refunds, oldest first."""

    payment: Payment
    refunds: tuple[Refund, ...]


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """Newest first. `next` is the id to continue after, None on the last page."""

    payments: list[PaymentView]
    next: UUID | None
    total: int | None = None


class Queries(Protocol):
    """The read side."""

    def payment(self, reference: str, *, customer_id: UUID | None = None) -> PaymentView:
        """Raises PaymentNotFound, also when it is not `customer_id`'s."""

    def payments(
        self,
        *,
        size: int,
        customer_id: UUID | None = None,
        order_id: UUID | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> PaymentPage: ...

    def books(self) -> Mapping[str, object] | None:
        """What the last audit of the shop found, as JSON; None before the first."""
