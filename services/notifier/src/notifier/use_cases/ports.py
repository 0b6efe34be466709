"""What the use cases need from the outside."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from notifier.domain.alert import Alert, AlertKind, Raised
from notifier.domain.letter import Letter, Recipient, Template
from notifier.domain.mail import Mail
from notifier.domain.staff import Member, Wishes
from notifier.domain.template import Edition, Source, Words


class MailRepository(Protocol):
    def write(self, letter: Letter, *, about: UUID | None = None) -> None:
        """Put the letter into words and keep it for sending.

        It is about the event that is being handled, unless `about` says what. Written already (the
        same event, template and recipient, or the same occasion): silence. Of a customer who
        closed their account only a note is kept, without words and address. Raises BadTemplate when
        no words fit the facts, StillOnItsWay while another mail to them is.
        """

    def is_written(self, occasion: str, *templates: Template) -> bool:
        """Whether there is a mail about this of any of these kinds."""

    def told(self, template: Template, occasion: str) -> Mapping[str, object] | None:
        """What the mail about this says; None when there is none."""

    def write_test(self, letter: Letter, words: Words) -> UUID:
        """Keep these words for sending, marked as a test; returns the mail's id. Raises
        OrderNotKnown where whose order it is has closed their account."""

    def copy(self, mail_id: UUID, *, by: str) -> UUID:
        """A new mail with the same words; raises MailNotFound, StillOnItsWay, MailErased."""

    def withhold(self, user_id: UUID, *, but: Collection[Template]) -> None:
        """Drop what was written to this member of the staff and has not left; these kinds stay.

        Raises StillOnItsWay.
        """

    def claim(self, sender: int) -> Mail | None:
        """The mail that has been due the longest, for this sender alone; None when none is due.

        Raises TooFast while the pace wants no further mail; commit only what was claimed.
        """

    def put_into_words(self, mail: Mail) -> None:
        """Give it the words that the ledger does not keep; raises BadTemplate."""

    def announce(self, mail: Mail) -> None:
        """Note that from now on the server may have it; raises ClaimLost."""

    def conclude(self, mail: Mail) -> None:
        """Keep how it went, with its events, and give the claim up; raises ClaimLost."""

    def orphans(self, limit: int) -> list[Mail]:
        """Mails whose sender is certainly gone, locked."""


class AlertRepository(Protocol):
    def add(self, *alerts: Alert) -> None:
        """Raise these; one that was raised before stays as it is."""

    def kinds_due(self) -> set[AlertKind]:
        """Of which at least one has waited for its mail long enough. What a newer version raises is
        left to it."""

    def take_due(self, kinds: tuple[AlertKind, ...], limit: int) -> list[Raised]:
        """Those of these kinds that wait for a mail, oldest first, if the oldest has waited long
        enough; else none. They wait no longer."""

    def acknowledge(self, alert_id: UUID, *, by: str) -> bool:
        """Whether they are the first one to say so, who stays on record; raises AlertNotFound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessage:
    """A message that could not be handled; `key` is the event's id, if it can be told."""

    key: str
    type: str | None
    reason: str
    error: str


class ParkedMessages(Protocol):
    def unnoticed(self, limit: int) -> list[ParkedMessage]:
        """Those that no alert was raised for."""


class TemplateRepository(Protocol):
    def lock(self, template: Template) -> Edition:
        """What is in use, and stays so until the transaction ends."""

    def put(self, template: Template, source: Source, *, by: str) -> None:
        """A new version, unless these are the words already in use."""

    def withdraw(self, template: Template, *, by: str) -> None:
        """Back to what is shipped; where that is in use already, nothing changes."""


class StaffDirectory(Protocol):
    def to_alert(self, template: Template) -> list[Recipient]:
        """Who gets mails of this kind: may know of it and has not muted it. Nobody twice."""

    def keep(self, member: Member) -> bool:
        """Unless a newer version is known: then False."""

    def lock_wishes(self, user_id: UUID) -> Wishes:
        """What they have wished, which stays so until the transaction ends."""

    def put_wishes(self, user_id: UUID, muted: frozenset[Template]) -> None:
        """A new version, unless it is what they have wished already."""


class Erasures(Protocol):
    """What is kept of customers who closed their account."""

    def erase(self, customer_id: UUID) -> None:
        """Empty the mails to them, those that are written later too, and give the receipt; raises
        StillOnItsWay."""

    def erase_member(self, user_id: UUID) -> None:
        """Take the address out of what they got and did as staff, and forget their wishes; raises
        StillOnItsWay."""


class AuditLog(Protocol):
    """What somebody did by a permission of theirs; who, and from where, the request says."""

    def note(
        self, action: str, target: object, *, before: object = None, after: object = None
    ) -> None:
        """Write it down for good, with how the target looked before and after."""


class UnitOfWork(Protocol):
    """One transaction. Leaving it without `commit` rolls back; `now` is the database's clock."""

    @property
    def mails(self) -> MailRepository: ...
    @property
    def alerts(self) -> AlertRepository: ...
    @property
    def erasures(self) -> Erasures: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def parked(self) -> ParkedMessages: ...
    @property
    def staff(self) -> StaffDirectory: ...
    @property
    def templates(self) -> TemplateRepository: ...
    @property
    def event_id(self) -> UUID:
        """The event that is being handled."""

    def now(self) -> datetime: ...
    def commit(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...


class MailServer(Protocol):
    """One kept connection. Not for several threads at once."""

    def offer(self, mail: Mail) -> None:
        """Name sender and recipient; the content stays here.

        Raises ServerAway, Deferred or Refused, all within a minute or so.
        """

    def hand_over(self, mail: Mail) -> None:
        """Give the content of the mail that was offered; returns when the server has taken it.

        Raises Deferred or Refused when it said no, and Unclear when it did not say.
        """

    def close(self) -> None: ...


class OneTimeLinks(Protocol):
    def link_for(self, request_id: UUID) -> str:
        """A fresh link, which makes earlier ones for the same request worthless.

        Raises Deferred while nobody answers, NotWantedAnyMore when there is nothing to send.
        """


class Shift(Protocol):
    """One sender's time at work. What it has claimed is its own until its shift ends, however
    that happens; a claim of an ended shift is an orphan."""

    @property
    def number(self) -> int:
        """Never given to another shift."""

    def unit_of_work(self) -> UnitOfWork: ...

    def at_once(self) -> UnitOfWork:
        """For one call of `mails` that tells nobody anything; it may be kept without `commit`."""

    def wait(self, seconds: float) -> None:
        """Return when there may be mail to send, after `seconds` at the latest.

        Raises ShiftEnded.
        """


Shifts = Callable[[], AbstractContextManager[Shift]]


class Drafting(Protocol):
    """Templates that somebody is at work on."""

    def check(self, template: Template, source: Source) -> None:
        """Raises BadTemplate unless the source makes a mail of every turn of its event."""

    def word(self, letter: Letter, edition: Edition) -> Words:
        """Raises BadTemplate."""

    def sample(self, template: Template) -> Mapping[str, object]:
        """Facts as a mail of this kind may have them."""

    def variables(self, template: Template) -> list[str]:
        """What a template may speak of."""
