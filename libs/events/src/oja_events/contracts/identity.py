"""What identity tells: who has joined. No event carries a password or a token."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from oja_events.contracts.base import Event


@dataclass(frozen=True, kw_only=True)
class CustomerRegistered(Event):
    """Somebody opened an account."""

    TYPE: ClassVar[str] = "oja.identity.customer_registered.v1"
    SUBJECT: ClassVar[str] = "customer_id"

    customer_id: UUID
    email: str
    first_name: str
    last_name: str
    registered_at: datetime
