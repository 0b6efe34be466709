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
