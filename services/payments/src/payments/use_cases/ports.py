"""What the use cases need from the outside."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from payments.domain.charge import Charge
from payments.domain.order import Order
from payments.domain.payment import Payment
from payments.domain.refund import Refund, RefundStatus


@dataclass(frozen=True, slots=True)
class Overdue:
    """An order whose time to pay is over, and its references on which money may have come."""

    order_id: UUID
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """An order and the last attempt to pay it, as they were `seen_at` that moment: nothing of it
    is locked."""

    order: Order
    payment: Payment | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as it came in, its signature checked."""

    id: int
    body: bytes
    request_id: str


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that staff must look at. One per kind and what it is `about`."""

    kind: str
    about: str
    detail: str
    order_id: UUID | None = None


class OrderRepository(Protocol):
    def add(self, order: Order) -> bool:
        """Keep a new order. False, and nothing is done, if anything was heard of it before."""

    def obtain(self, order_id: UUID) -> Order:
        """The order, locked; a blank one if nothing was heard of it yet."""

    def get(self, order_id: UUID) -> Order:
        """The order, locked; raises OrderNotFound."""

    def look(self, order_ids: Collection[UUID]) -> Mapping[UUID, Standing]:
        """How those of them stand of which anything was heard; in one statement."""

    def save(self, order: Order) -> None:
        """Keep the changes and tell the events."""

    def claim_overdue(self, limit: int) -> list[Overdue]:
        """Orders to look at now; nobody else gets them for a few seconds."""


class PaymentRepository(Protocol):
    def latest(self, order_id: UUID) -> Payment | None:
        """The last attempt to pay an order, locked; no other one can be pending."""

    def get(self, reference: str) -> Payment:
        """Only to look at; raises PaymentNotFound."""

    def with_order(self, reference: str) -> tuple[Order, Payment]:
        """A payment and the order that it is for, both locked; raises PaymentNotFound.

        Whoever changes a payment or a refund locks its order first, so that nobody deadlocks.
        """

    def begin(self, payment: Payment) -> bool:
        """Keep a new attempt, in one statement. False, and nothing is done, if its order cannot be
        paid any more or somebody else was faster."""

    def keep_page(self, payment: Payment) -> bool:
        """Keep that it was opened, in one statement. False if it was closed meanwhile."""

    def save(self, payment: Payment) -> None:
        """Keep the changes and tell the events."""

    def save_capture(self, order: Order, payment: Payment) -> None:
        """Keep what came of the payment, for both of them, and tell the payment's events."""

    def claim_checks(self, limit: int) -> list[str]:
        """References to ask about now; nobody else gets them for a while."""


class RefundRepository(Protocol):
    def add(self, refund: Refund) -> None: ...

    def get(self, refund_id: UUID) -> Refund:
        """The refund, locked."""

    def of_payment(self, reference: str) -> list[Refund]:
        """Oldest first."""

    def save(self, refund: Refund) -> None:
        """Keep the changes and tell the events."""

    def claim_due(self) -> UUID | None:
        """A refund to see to now, with this look counted; nobody else gets it for a minute."""

    def hurry(self, reference: str) -> None:
        """There is news of a refund of this payment: look at once."""


class WebhookRepository(Protocol):
    def keep(self, key: str, body: bytes, request_id: str) -> None:
        """Store it, unless a webhook with this key is there already."""

    def claim(self, limit: int) -> list[Webhook]:
        """Those not applied yet, oldest first; nobody else gets them for a while."""

    def applied(self, webhook_id: int, outcome: str, reference: str | None) -> None:
        """Done with it. Its words stay, unless the customer of the payment that it names was
        erased meanwhile. Before anything else is locked but the order: it locks that."""


class AlertRepository(Protocol):
    def add(self, alert: Alert) -> None:
        """Keep and tell it, unless the same was said already."""


class Erasures(Protocol):
    """What is kept of customers who closed their account."""

    def erase(self, customer_id: UUID) -> None:
        """Take them out of bills and webhooks, and give the receipt."""


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
    def payments(self) -> PaymentRepository: ...
    @property
    def refunds(self) -> RefundRepository: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def webhooks(self) -> WebhookRepository: ...
    @property
    def alerts(self) -> AlertRepository: ...

    def now(self) -> datetime: ...
    def new_id(self) -> UUID:
        """Later ids are greater."""

    def commit(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...


class NewUnitOfWork(Protocol):
    """A fresh one for each use."""

    def __call__(self) -> UnitOfWork: ...
    def at_once(self) -> UnitOfWork:
        """For one statement, all that there is to do: it takes effect by itself, and is spared the
        transaction around it. `commit` all the same."""


class Lookout(Protocol):
    """Customers who wait for other people's work, in bounded number."""

    def wait(
        self, order_id: UUID, seconds: float, fits: Callable[[Standing], bool]
    ) -> Standing | None:
        """How the order stands once that `fits`; None after so long, or at once where too many
        wait already. Raises what the look at the database raises."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where a customer pays."""

    authorization_url: str
    access_code: str


@dataclass(frozen=True, slots=True)
class ProviderRefund:
    """A refund as Paystack sees it."""

    id: int
    status: RefundStatus
    amount: int
    note: str


class PaymentProvider(Protocol):
    """Paystack. Every call may raise ProviderUnavailable; those that change something, `initialize`
    and `refund`, also ProviderRefused, and ProviderUnclear when it may have been done all the
    same."""

    @property
    def mode(self) -> str:
        """`test` or `live`, as the key says."""

    def initialize(self, payment: Payment) -> Page:
        """Open the payment under its reference; raises DuplicateReference."""

    def charge(self, reference: str, *, patience: float | None = None) -> Charge | None:
        """What became of a reference, None if it is not known there."""

    def event_key(self, body: bytes) -> str:
        """What makes two deliveries of a webhook the same one, whatever is in the body."""

    def read_event(self, body: bytes) -> "ProviderEvent":
        """Understand a webhook whose signature is good; raises ValueError."""

    def refund(self, refund: Refund) -> ProviderRefund:
        """Ask to send money back. Not protected against asking twice: look at `refunds` first."""

    def refund_by_id(self, provider_id: int) -> ProviderRefund: ...

    def refunds(self, provider_id: int) -> list[ProviderRefund]:
        """Those of one charge, given by Paystack's id of it."""


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A webhook, read. `reference` is that of the payment which it names, `charge` what it claims,
    for events about a charge."""

    name: str
    key: str
    reference: str | None = None
    charge: Charge | None = None
