"""What notifier tells: mail that could not be delivered."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from oja_events.contracts.base import Event


@dataclass(frozen=True, kw_only=True)
class MailFailed(Event):
    """The mail server refused this mail for good."""

    TYPE: ClassVar[str] = "oja.notifier.mail_failed.v1"
    SUBJECT: ClassVar[str] = "mail_id"

    mail_id: UUID
    template: str
    recipient: str
    reason: str
    failed_at: datetime


@dataclass(frozen=True, kw_only=True)
class CustomerMailsErased(Event):
    """Notifier's receipt: the mails to them are without words and without their address, and so is
    what notifier hears of them later.

    `mails` is how many were masked.
    """

    TYPE: ClassVar[str] = "oja.notifier.customer_mails_erased.v1"
    SUBJECT: ClassVar[str] = "customer_id"

    customer_id: UUID
    mails: int
    erased_at: datetime
