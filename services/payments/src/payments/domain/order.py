"""An order as payments sees it: may it be paid?

    waiting ──stock held──▶ payable
       └──────────┬────────────┘
                  ▼
               closed   (cancelled, out of stock, expired)

Whether money came is another matter: a closed order may still receive some, which is told like any
other, and ordering asks for it to be sent back.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from oja_events.contracts import Event
from oja_events.contracts.payments import PaymentFailed
from payments.domain.values import Bill

# A transfer or a one-time password may be under way when the time is over; it gets to finish.
GRACE = timedelta(minutes=15)


class OrderState(StrEnum):
    WAITING = "waiting"
    PAYABLE = "payable"
    CLOSED = "closed"


class ClosedReason(StrEnum):
    CANCELLED = "cancelled"
    OUT_OF_STOCK = "out_of_stock"
    EXPIRED = "expired"


class OrderNotReady(Exception):
    """The news that the stock is held has not come yet; asking again shortly makes sense."""


class OrderNotPayable(Exception):
    """The order is paid, closed or expired; the message says which."""


_WHY_CLOSED = {
    ClosedReason.CANCELLED: "The order is cancelled.",
    ClosedReason.OUT_OF_STOCK: "The order is cancelled: it is out of stock.",
    ClosedReason.EXPIRED: "The time to pay is over.",
}


@dataclass(slots=True, kw_only=True)
class Order:
    """`bill` is None as long as other news has overtaken the order itself.

    `next_look_at` is when the deadline is to be looked at, None when there is nothing to wait for.
    """

    id: UUID
    bill: Bill | None = None
    state: OrderState = OrderState.WAITING
    closed_reason: ClosedReason | None = None
    paid_reference: str | None = None
    next_look_at: datetime | None = None
    _events: list[Event] = field(default_factory=list, repr=False)

    @classmethod
    def placed(cls, bill: Bill) -> "Order":
        """One of which nothing else was heard before."""
        order = cls(id=bill.order_id)
        order.place(bill)
        return order

    def place(self, bill: Bill) -> None:
        """Learn what is owed; what was heard before stays true."""
        if self.bill is not None:
            return
        self.bill = bill
        if self.state is not OrderState.CLOSED:
            self.next_look_at = bill.pay_before

    def hold_stock(self) -> None:
        if self.state is OrderState.WAITING:
            self.state = OrderState.PAYABLE

    def close(self, reason: ClosedReason) -> None:
        if self.state is OrderState.CLOSED:
            return
        self.state = OrderState.CLOSED
        self.closed_reason = reason
        self.next_look_at = None

    @property
    def misses_news(self) -> bool:
        """Whether what is to be heard before it can be paid is still on its way."""
        is_waiting = self.bill is None or self.state is OrderState.WAITING
        return is_waiting and self.state is not OrderState.CLOSED

    def payable_bill(self, now: datetime) -> Bill:
        """What is to be paid now; raises OrderNotReady or OrderNotPayable."""
        if self.closed_reason is not None:
            raise OrderNotPayable(_WHY_CLOSED[self.closed_reason])
        if self.paid_reference is not None:
            raise OrderNotPayable("The order is paid.")
        if self.bill is not None and now >= self.bill.pay_before:
            raise OrderNotPayable(_WHY_CLOSED[ClosedReason.EXPIRED])
        if self.bill is None or self.misses_news:
            raise OrderNotReady("The items of the order are being set aside. Try again shortly.")
        if self.bill.total.amount == 0:
            raise OrderNotPayable("There is nothing to pay.")
        return self.bill

    def note_capture(self, reference: str) -> None:
        """Money came. A second capture changes nothing here; ordering sends it back."""
        if self.paid_reference is None:
            self.paid_reference = reference
            self.next_look_at = None

    def may_wait_for_money(self, now: datetime) -> bool:
        """Whether money under way still gets a little more time."""
        return self.bill is not None and now < self.bill.pay_before + GRACE

    def expire(self, now: datetime) -> None:
        """The time is over and no money came: tell it, once. Paid or closed meanwhile: silence."""
        if self.bill is None or self.paid_reference or self.state is OrderState.CLOSED:
            return
        self.close(ClosedReason.EXPIRED)
        self._events.append(
            PaymentFailed(
                order_id=self.id,
                number=self.bill.number,
                contact=self.bill.contact.told(),
                reason="expired",
                failed_at=now,
            )
        )

    def pull_events(self) -> list[Event]:
        """Hand over what there is to tell since the last call, oldest first."""
        events, self._events = self._events, []
        return events
