"""One attempt to get an order paid, under a reference of its own at Paystack.

    pending ──▶ succeeded ◀── failed, abandoned     (customers may try another card, or come late)
       ├──────▶ failed, abandoned
       └──────▶ disputed ◀── failed, abandoned      (money came, but it does not fit our books)

Forward only: what is captured stays captured, whatever is heard later and from whom.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from oja_events.contracts import Event
from oja_events.contracts.payments import PaymentConfirmed
from payments.domain.charge import Charge, ChargeState
from payments.domain.values import Bill, Money

# When a payment of which we hear nothing is asked about, counted from its beginning.
CHECK_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=3),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=24),
    timedelta(hours=72),
    # Nobody should still be able to pay. Should a capture come all the same, and its webhook get
    # lost, the customer has the money back after weeks and not never.
    timedelta(days=7),
    timedelta(days=30),
)
# Longer than one call to Paystack can take (13 s, see adapters/paystack_http.py); whoever needs
# another one takes the lease anew. So nobody opens a payment a second time meanwhile, and what a
# dead process left is taken up soon.
OPENING_LEASE = timedelta(seconds=15)


class PaymentStatus(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"
    DISPUTED = "disputed"


_FINAL = frozenset({PaymentStatus.SUCCEEDED, PaymentStatus.DISPUTED})


@dataclass(slots=True, kw_only=True)
class Payment:
    """A pending one without `authorization_url` is just being opened, until `opening_until`."""

    id: UUID
    reference: str
    attempt: int
    bill: Bill
    created_at: datetime
    status: PaymentStatus = PaymentStatus.PENDING
    callback_url: str | None = None
    authorization_url: str | None = None
    access_code: str | None = None
    opening_until: datetime | None = None
    provider_id: int | None = None
    captured: Money | None = None
    channel: str | None = None
    paid_at: datetime | None = None
    checks: int = 0
    next_check_at: datetime | None = None
    _events: list[Event] = field(default_factory=list, repr=False)

    @classmethod
    def begin(
        cls, payment_id: UUID, bill: Bill, attempt: int, *, callback_url: str | None, now: datetime
    ) -> "Payment":
        """A new attempt; the reference follows from the order, so that it can be found again."""
        return cls(
            id=payment_id,
            reference=f"{bill.number}-{attempt}".lower(),
            attempt=attempt,
            bill=bill,
            created_at=now,
            callback_url=callback_url,
            next_check_at=now + CHECK_AFTER[0],
        )

    @property
    def amount(self) -> Money:
        return self.bill.total

    @property
    def is_pending(self) -> bool:
        return self.status is PaymentStatus.PENDING

    def is_being_opened(self, now: datetime) -> bool:
        """Whether somebody is just at it."""
        busy = self.opening_until is not None and self.opening_until > now
        return self.is_pending and not self.authorization_url and busy

    def claim_opening(self, now: datetime) -> bool:
        """Take on opening it; False if it is open already or somebody else is at it."""
        if self.authorization_url or self.is_being_opened(now):
            return False
        self.opening_until = now + OPENING_LEASE
        return True

    def keep_opening(self, now: datetime) -> None:
        """Take the lease anew, as the one who has it."""
        if self.is_pending and not self.authorization_url:
            self.opening_until = now + OPENING_LEASE

    def release_opening(self) -> None:
        self.opening_until = None

    def opened(self, authorization_url: str, access_code: str) -> None:
        """Paystack gave out the page; a payment that was closed meanwhile stays closed."""
        self.authorization_url = authorization_url
        self.access_code = access_code
        self.opening_until = None

    def abandon(self) -> None:
        """Nobody is to pay it any more. It stays watched, because somebody still may."""
        if self.is_pending:
            self.status = PaymentStatus.ABANDONED
            self.opening_until = None

    def learn(self, charge: Charge, *, mode: str, now: datetime) -> list[str]:
        """Take over what Paystack says; hearing it again changes nothing.

        The answer names what does not fit our books. Money that does not fit is never a paid order.
        """
        self.provider_id = self.provider_id or charge.provider_id
        if self.status in _FINAL:
            return []
        if charge.state is ChargeState.FAILED and self.is_pending:
            self.status = PaymentStatus.FAILED
        if charge.state not in (ChargeState.CAPTURED, ChargeState.RETURNED):
            return []
        problems = self.contradictions(charge, mode=mode)
        if charge.state is ChargeState.RETURNED:
            problems.append("the money came and went back before we heard of it")
        paid_at = charge.paid_at or now
        self._receive(
            charge, PaymentStatus.DISPUTED if problems else PaymentStatus.SUCCEEDED, paid_at
        )
        if not problems:
            self._tell_capture(charge.amount, paid_at)
        return problems

    def contradictions(self, charge: Charge, *, mode: str) -> list[str]:
        """What in `charge` cannot be this payment's; empty when all of it fits."""
        expected: list[tuple[str, object, object]] = [
            ("reference", self.reference, charge.reference),
            ("amount", self.amount.amount, charge.amount.amount),
            ("currency", self.amount.currency, charge.amount.currency),
            ("mode", mode, charge.mode),
            ("order", str(self.bill.order_id), charge.order_id or str(self.bill.order_id)),
        ]
        return [
            f"{name} is {theirs}, not {ours}" for name, ours, theirs in expected if ours != theirs
        ]

    def count_check(self) -> None:
        """One of the planned looks is done: plan the next. After the last one nobody waits."""
        self.checks += 1
        if self.status in _FINAL:
            return
        if self.checks < len(CHECK_AFTER):
            self.next_check_at = self.created_at + CHECK_AFTER[self.checks]
        else:
            self.next_check_at = None
            self.abandon()

    def pull_events(self) -> list[Event]:
        """Hand over what there is to tell since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def _receive(self, charge: Charge, status: PaymentStatus, paid_at: datetime) -> None:
        self.status = status
        self.captured = charge.amount
        self.channel = charge.channel
        self.paid_at = paid_at
        self.opening_until = None
        self.next_check_at = None

    def _tell_capture(self, amount: Money, paid_at: datetime) -> None:
        self._events.append(
            PaymentConfirmed(
                order_id=self.bill.order_id,
                number=self.bill.number,
                contact=self.bill.contact.told(),
                reference=self.reference,
                amount=amount.told(),
                channel=self.channel,
                paid_at=paid_at,
            )
        )
