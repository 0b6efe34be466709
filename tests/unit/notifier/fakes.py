"""Notifier's ports without a database or a mail server."""

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

from notifier.adapters.wording import plain
from notifier.domain.alert import Alert, AlertKind, Raised
from notifier.domain.letter import Letter, Recipient, Template
from notifier.domain.mail import Mail, MailStatus
from notifier.domain.staff import NEEDED, Member, Wishes
from notifier.domain.template import BadTemplate, Edition, Source, Words
from notifier.use_cases.errors import ClaimLost
from notifier.use_cases.ports import ParkedMessage
from oja_events.contracts import Event
from tests.support.auditing import FakeAuditLog, Noted
from tests.support.notifier import AFTERNOON, SENDER, STAFF


@dataclass
class Books:
    """What has been committed."""

    letters: dict[tuple[str, str, str], Letter] = field(default_factory=dict)
    alerts: dict[tuple[str, str], Alert] = field(default_factory=dict)
    mails: dict[UUID, Mail] = field(default_factory=dict)
    mailed: set[tuple[str, str]] = field(default_factory=set)
    parked: list[ParkedMessage] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    staff: dict[UUID, Member] = field(default_factory=dict)
    wishes: dict[UUID, Wishes] = field(default_factory=dict)
    editions: dict[Template, list[Edition]] = field(default_factory=dict)
    noted: list[Noted] = field(default_factory=list)
    now: datetime = AFTERNOON


class FakeUnitOfWork:
    """Copies on the way in and out, so code that forgets to save or commit fails here too. It is
    its own repositories: their names do not clash."""

    def __init__(self, books: Books | None = None, event_id: UUID | None = None) -> None:
        self.books = books or Books()
        self.event_id = event_id or uuid4()

    def __enter__(self) -> Self:
        self._draft = deepcopy(self.books)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        del self._draft

    def commit(self) -> None:
        vars(self.books).update(vars(deepcopy(self._draft)))

    def now(self) -> datetime:
        return self._draft.now

    @property
    def mails(self) -> "FakeMails":
        return FakeMails(self._draft)

    @property
    def alerts(self) -> "FakeAlerts":
        return FakeAlerts(self._draft)

    @property
    def parked(self) -> "FakeParked":
        return FakeParked(self._draft)

    @property
    def templates(self) -> "FakeTemplates":
        return FakeTemplates(self._draft)

    @property
    def staff(self) -> "FakeStaff":
        return FakeStaff(self._draft)

    @property
    def audit(self) -> FakeAuditLog:
        return FakeAuditLog(self._draft.noted)

    @property
    def erasures(self) -> "FakeErasures":
        return FakeErasures(self._draft)


@dataclass
class FakeMails:
    books: Books

    def write(self, letter: Letter, *, about: UUID | None = None) -> None:
        key = (letter.template.value, letter.occasion, letter.to.email)
        self.books.letters.setdefault(key, letter)

    def is_written(self, occasion: str, *templates: Template) -> bool:
        wanted = {(template.value, occasion) for template in templates}
        return any(key[:2] in wanted for key in self.books.letters)

    def told(self, template: Template, occasion: str) -> Mapping[str, object] | None:
        found = [
            letter for key, letter in self.books.letters.items() if key[:2] == (template, occasion)
        ]
        return plain(found[0].facts) if found else None

    def write_test(self, letter: Letter, words: Words) -> UUID:
        raise NotImplementedError

    def copy(self, mail_id: UUID, *, by: str) -> UUID:
        raise NotImplementedError

    def withhold(self, user_id: UUID, *, but: Collection[Template]) -> None:
        self.books.letters = {
            key: letter
            for key, letter in self.books.letters.items()
            if letter.to.user_id != user_id or letter.template in but
        }

    def claim(self, sender: int) -> Mail | None:
        due = [mail for mail in self.books.mails.values() if self._is_due(mail)]
        for mail in due[:1]:
            mail.claim = sender
            mail.attempts += 1
            return deepcopy(mail)
        return None

    def put_into_words(self, mail: Mail) -> None:
        if mail.template == WORDLESS:
            raise BadTemplate({"text": ["'shoe_size' is undefined"]})

    def announce(self, mail: Mail) -> None:
        self._mine(mail).status = MailStatus.SENDING
        mail.status = MailStatus.SENDING

    def conclude(self, mail: Mail) -> None:
        self._mine(mail)
        self.books.events += mail.pull_events()
        self.books.mails[mail.id] = deepcopy(mail)
        self.books.mails[mail.id].claim = NOBODY

    def orphans(self, limit: int) -> list[Mail]:
        claimed = [mail for mail in self.books.mails.values() if mail.claim != NOBODY]
        return deepcopy(claimed[:limit])

    def _is_due(self, mail: Mail) -> bool:
        return (
            mail.claim == NOBODY
            and mail.next_attempt_at is not None
            and mail.next_attempt_at <= self.books.now
        )

    def _mine(self, mail: Mail) -> Mail:
        kept = self.books.mails[mail.id]
        if kept.claim != mail.claim:
            raise ClaimLost(mail.id)
        return kept


@dataclass
class FakeAlerts:
    books: Books

    def add(self, *alerts: Alert) -> None:
        for alert in alerts:
            self.books.alerts.setdefault((alert.kind, alert.occasion), alert)

    def kinds_due(self) -> set[AlertKind]:
        every_kind = tuple(AlertKind)
        alerts = self.books.alerts.items()
        return {alert.kind for key, alert in alerts if self._waits(key, alert, every_kind)}

    def take_due(self, kinds: tuple[AlertKind, ...], limit: int) -> list[Raised]:
        keys = [key for key, alert in self.books.alerts.items() if self._waits(key, alert, kinds)]
        self.books.mailed |= set(keys[:limit])
        return [self._raised(self.books.alerts[key]) for key in keys[:limit]]

    def acknowledge(self, alert_id: UUID, *, by: str) -> bool:
        raise NotImplementedError

    def _waits(self, key: tuple[str, str], alert: Alert, kinds: tuple[AlertKind, ...]) -> bool:
        return alert.kind in kinds and not alert.quiet and key not in self.books.mailed

    def _raised(self, alert: Alert) -> Raised:
        return Raised(
            id=uuid4(),
            title=alert.title,
            detail=alert.detail,
            raised_at=self.books.now,
            facts=alert.facts,
        )


@dataclass
class FakeParked:
    books: Books

    def unnoticed(self, limit: int) -> list[ParkedMessage]:
        noticed = {occasion for _, occasion in self.books.alerts}
        return [message for message in self.books.parked if message.key not in noticed][:limit]


WORDLESS = "a template of another version"
SHIPPED = Edition(version="shipped", source=Source("Hello", "Hello", "<p>Hello</p>"))


@dataclass
class FakeTemplates:
    books: Books

    def lock(self, template: Template) -> Edition:
        return self.books.editions.get(template, [SHIPPED])[-1]

    def put(self, template: Template, source: Source, *, by: str) -> None:
        versions = self.books.editions.setdefault(template, [SHIPPED])
        versions.append(Edition(version=f"edited-{len(versions)}", source=source, edited_by=by))

    def withdraw(self, template: Template, *, by: str) -> None:
        self.books.editions.setdefault(template, []).append(SHIPPED)


@dataclass
class FakeStaff:
    """STAFF hears of everything."""

    books: Books

    def to_alert(self, template: Template) -> list[Recipient]:
        return [Recipient(STAFF), *filter(None, map(self._told_of(template), self._members()))]

    def keep(self, member: Member) -> bool:
        known = self.books.staff.get(member.user_id)
        if known and known.version > member.version:
            return False
        self.books.staff[member.user_id] = member
        return True

    def lock_wishes(self, user_id: UUID) -> Wishes:
        return self.books.wishes.get(user_id, Wishes(frozenset()))

    def put_wishes(self, user_id: UUID, muted: frozenset[Template]) -> None:
        before = self.lock_wishes(user_id)
        if muted != before.muted:
            self.books.wishes[user_id] = Wishes(muted, before.version + 1)

    def _members(self) -> list[Member]:
        return list(self.books.staff.values())

    def _told_of(self, template: Template) -> Callable[[Member], Recipient | None]:
        def recipient(member: Member) -> Recipient | None:
            muted = template in self.lock_wishes(member.user_id).muted
            may_know = NEEDED[template] <= member.permissions
            return member.who if may_know and not muted else None

        return recipient


@dataclass
class FakeErasures:
    books: Books

    def erase_member(self, user_id: UUID) -> None:
        self.books.wishes.pop(user_id, None)


NOBODY = 0


@dataclass
class FakeShift:
    books: Books
    number: int = 1

    def unit_of_work(self) -> FakeUnitOfWork:
        return FakeUnitOfWork(self.books)

    def at_once(self) -> FakeUnitOfWork:
        return self.unit_of_work()

    def wait(self, seconds: float) -> None:
        self.books.now += timedelta(seconds=seconds)


@dataclass
class FakeMailServer:
    """Raises what it is told to, once each; remembers what it took."""

    on_offer: list[Exception] = field(default_factory=list)
    on_content: list[Exception] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)

    def offer(self, mail: Mail) -> None:
        if self.on_offer:
            raise self.on_offer.pop(0)

    def hand_over(self, mail: Mail) -> None:
        if self.on_content:
            raise self.on_content.pop(0)
        self.taken.append(mail.message_id)

    def close(self) -> None:
        """Nothing is open."""


def a_mail(**changes: object) -> Mail:
    mail_id = uuid4()
    fields = {
        "id": mail_id,
        "template": "order_shipped",
        "sender": SENDER,
        "recipient": "ada@example.com",
        "recipient_name": "Ada Obi",
        "message_id": f"<{mail_id}.order_shipped@oja.example>",
        "subject": "Your order is on its way",
        "text": "Hello Ada",
        "html": "<p>Hello Ada</p>",
        "created_at": AFTERNOON,
        "next_attempt_at": AFTERNOON,
        "claim": NOBODY,
        "attempts": 0,
    }
    return Mail(**fields | changes)
