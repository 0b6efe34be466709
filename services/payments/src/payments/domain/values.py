"""Small values of the payments language."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from oja_events import contracts


@dataclass(frozen=True, slots=True)
class Money:
    """Minor units (kobo) of one currency."""

    amount: int
    currency: str

    def told(self) -> contracts.Money:
        """As events carry it."""
        return contracts.Money(amount=self.amount, currency=self.currency)


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom to write to about an order."""

    email: str
    name: str

    def told(self) -> contracts.Contact:
        """As events carry it."""
        return contracts.Contact(email=self.email, name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a customer owes for an order, and until when it may be paid."""

    order_id: UUID
    number: str
    customer_id: UUID
    contact: Contact
    total: Money
    pay_before: datetime
