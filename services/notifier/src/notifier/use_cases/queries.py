"""What the read side offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from notifier.domain.letter import Audience, Template
from notifier.domain.staff import Wishes
from notifier.domain.template import Edition


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One mail as the ledger has it, without its words. `kind` is `event`, `resend` or `test`."""

    id: UUID
    kind: str
    event_id: UUID
    template: str
    template_version: str
    recipient: str
    subject: str
    status: str
    attempts: int
    doubts: int
    message_id: str
    sha256: str
    order_id: UUID | None
    resend_of: UUID | None
    requested_by: str | None
    last_error: str | None
    created_at: datetime
    next_attempt_at: datetime | None
    sent_at: datetime | None
    failed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEntry:
    """One alert with what became of it."""

    id: UUID
    kind: str
    title: str
    detail: str
    order_id: UUID | None
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None


@dataclass(frozen=True, slots=True)
class MailPage:
    """Newest first. `next` is the id to continue after, None on the last page."""

    items: list[LedgerEntry]
    next: UUID | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Newest first. `next` is the id to continue after, None on the last page."""

    items: list[AlertEntry]
    next: UUID | None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class TemplateEntry:
    """One template as it is used now."""

    name: str
    audience: Audience
    edition: Edition


class Queries(Protocol):
    """The read side."""

    def mail(self, mail_id: UUID) -> LedgerEntry:
        """Raises MailNotFound."""

    def mails(
        self,
        *,
        size: int,
        recipient: str | None = None,
        template: str | None = None,
        status: str | None = None,
        order_id: UUID | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> MailPage: ...

    def alert(self, alert_id: UUID) -> AlertEntry:
        """Raises AlertNotFound."""

    def alerts(
        self,
        *,
        size: int,
        kind: str | None = None,
        acknowledged: bool | None = None,
        after: UUID | None = None,
        with_total: bool = False,
    ) -> AlertPage: ...

    def templates(self) -> list[TemplateEntry]:
        """By name."""

    def template(self, template: Template) -> TemplateEntry: ...

    def wishes(self, user_id: UUID) -> Wishes: ...

    def facts_of_order(self, order_id: UUID, template: Template) -> Mapping[str, object]:
        """What the mails about this order say, a mail of this template last and so decisive.

        Raises OrderNotKnown.
        """
