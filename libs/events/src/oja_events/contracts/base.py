"""What all events share: the base class and the values that several of them carry."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, told to whoever wants to know.

    `TYPE` is the name on the wire and the routing key. `SUBJECT` names the field that holds the id
    of the aggregate; events of one aggregate are numbered and published in order.
    """

    TYPE: ClassVar[str]
    SUBJECT: ClassVar[str]

    @property
    def subject(self) -> str:
        """The id of the aggregate that this event is about."""
        return str(getattr(self, self.SUBJECT))


@dataclass(frozen=True, kw_only=True)
class Money:
    """An amount in minor units (kobo, cent) and its ISO 4217 currency."""

    amount: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Contact:
    """Whom to write to about an order, as given with the order."""

    email: str
    name: str


@dataclass(frozen=True, kw_only=True)
class SkuQuantity:
    """So many units of one variant."""

    sku: str
    quantity: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of an order, frozen as it was bought."""

    sku: str
    product_id: UUID
    name: str
    quantity: int
    unit_price: Money
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MessageParked(Event):
    """A service could not handle a message and put it away; staff must look.

    `key` is the id of the event, or the SHA-256 of what cannot be read, in hexadecimal.
    `message_type` is the type of the event, if it could be read. `reason` is an open list. Each
    consumer tells this in its own name.
    """

    TYPE: ClassVar[str] = ""
    SUBJECT: ClassVar[str] = "key"

    key: str
    reason: str
    error: str
    parked_at: datetime
    message_type: str | None = None
