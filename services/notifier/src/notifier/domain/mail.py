"""A mail on its way out, and what an attempt may do to it.

    pending ──claimed, offered──▶ sending ──250──▶ sent
      ▲  └───────────5xx──────────┐  │ └──4xx──▶ back to where it came from, to be tried later
      └── too early to say        ▼  │
                               failed │ no answer after the last byte
                                      ▼
                                   unknown ──sent once more, the same bytes──▶ sending

Between the last byte and the server's answer nobody can know whether the mail was taken (RFC 1047).
Only in that gap is a mail `sending`; only what got lost in it is ever sent a second time, and only
once: the second doubt is for staff to decide.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from html import escape
from uuid import UUID

from notifier.domain.alert import Alert, AlertKind
from notifier.domain.letter import FOR_STAFF
from oja_events.contracts import Event
from oja_events.contracts.notifier import MailFailed

GIVE_UP_AFTER = timedelta(hours=24)
MAX_DOUBTS = 2
# Stands in the ledger for a link that is a secret, and is only known when the mail leaves.
LINK_PLACE = "https://one-time-link.invalid/"
# There is but this one chance to mend it, so whatever ails the server should be over by then.
ONCE_MORE_AFTER = timedelta(seconds=30)
PUT_BACK_FOR = timedelta(seconds=1)

# Greylisting wants minutes, a full mailbox hours; a hiccup should not cost a customer either.
_DELAYS = (
    timedelta(seconds=1),
    timedelta(seconds=15),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=2),
)


class MailStatus(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class Mail:
    """One copy for one recipient, in its final words. `claim` is the sender that works on it."""

    id: UUID
    template: str
    sender: str
    recipient: str
    recipient_name: str
    message_id: str
    subject: str
    text: str
    html: str
    created_at: datetime
    claim: int
    attempts: int
    doubts: int = 0
    order_id: UUID | None = None
    link_request: UUID | None = None
    status: MailStatus = MailStatus.PENDING
    next_attempt_at: datetime | None = None
    failed_at: datetime | None = None
    last_error: str | None = None
    _events: list[Event] = field(default_factory=list, repr=False)
    _alerts: list[Alert] = field(default_factory=list, repr=False)

    def accepted(self) -> None:
        """The server has taken it, the ledger notes when; what becomes of it is no longer ours."""
        self.status = MailStatus.SENT
        self.next_attempt_at = None
        self.last_error = None

    def postponed(self, reason: str, *, now: datetime) -> None:
        """The server does not want it now: later, with growing delays, for a day."""
        delay = _DELAYS[min(self.attempts, len(_DELAYS)) - 1]
        self._wait(reason, now, delay * self._spread())

    def put_back(self, reason: str, *, now: datetime) -> None:
        """There was no server to offer it to, which says nothing about this mail."""
        self.attempts -= 1
        self._wait(reason, now, PUT_BACK_FOR)

    def refused(self, reason: str, *, now: datetime) -> None:
        """The server will never take it."""
        self.status = MailStatus.FAILED
        self.failed_at = now
        self.next_attempt_at = None
        self.last_error = reason
        self._events.append(
            MailFailed(
                mail_id=self.id,
                template=self.template,
                recipient=self.recipient,
                reason=reason,
                failed_at=now,
            )
        )
        self._alert(AlertKind.MAIL_FAILED, "failed", reason)

    def dropped(self, reason: str, *, now: datetime) -> None:
        """There is no point in sending it any more, and nobody misses it."""
        self.status = MailStatus.FAILED
        self.failed_at = now
        self.next_attempt_at = None
        self.last_error = reason

    def with_link(self, url: str) -> "Mail":
        """The same mail with its one-time link filled in; for the wire, never for the ledger."""
        text = self.text.replace(LINK_PLACE, url)
        return replace(self, text=text, html=self.html.replace(LINK_PLACE, escape(url)))

    def doubted(self, reason: str, *, now: datetime) -> None:
        """It was handed over and nobody said whether it was taken."""
        self.doubts += 1
        self.last_error = reason
        if self.doubts < MAX_DOUBTS:
            self.status = MailStatus.UNKNOWN
            self.next_attempt_at = now + ONCE_MORE_AFTER
        else:
            self._leave_open(reason)

    def orphaned(self, *, now: datetime) -> None:
        """Whoever worked on it is gone."""
        if self.status is MailStatus.SENDING:
            self.doubted("the sender died before the server's answer was noted", now=now)
        if self.doubts < MAX_DOUBTS:
            self.next_attempt_at = now

    def pull_events(self) -> list[Event]:
        """Hand over what happened since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def pull_alerts(self) -> list[Alert]:
        """Hand over what staff should know since the last call."""
        alerts, self._alerts = self._alerts, []
        return alerts

    def _wait(self, reason: str, now: datetime, delay: timedelta) -> None:
        too_late = now + delay - self.created_at > GIVE_UP_AFTER
        if too_late and self.doubts:
            self._leave_open(reason)
        elif too_late:
            self.refused(f"given up after a day: {reason}", now=now)
        else:
            self.status = MailStatus.UNKNOWN if self.doubts else MailStatus.PENDING
            self.next_attempt_at = now + delay
            self.last_error = reason

    def _leave_open(self, reason: str) -> None:
        self.status = MailStatus.UNKNOWN
        self.next_attempt_at = None
        self.last_error = reason
        self._alert(AlertKind.MAIL_UNCERTAIN, "may not have arrived", reason)

    def _alert(self, kind: AlertKind, what: str, reason: str) -> None:
        """Without the address, which servers like to repeat: alerts are mailed to staff, and those
        mails stay when the customer has left."""
        address = re.compile(re.escape(self.recipient), re.IGNORECASE)
        self._alerts.append(
            Alert(
                kind=kind,
                occasion=str(self.id),
                title=f"Mail {self.template} {self.id} {what}",
                detail=address.sub("the recipient", reason),
                order_id=self.order_id,
                # A mail about a mail to staff would fail like that one.
                quiet=self.template in FOR_STAFF,
            )
        )

    def _spread(self) -> float:
        """0.8 to 1.2, the same for each try of a mail: many that failed together part ways."""
        return 0.8 + 0.4 * (self.id.int % 1024) / 1023
