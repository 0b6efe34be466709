"""One transaction: inbox note, effects and outgoing events live or die together."""

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from oja_events import inbox
from oja_events.envelope import Envelope
from oja_events.outbox import Outbox, flush_all
from oja_events.wakeup import Waker

_NOW = select(func.now())


class Shared:
    """One transaction for several units of work. Their `commit` says that they are to be kept;
    that they are, in one go, is up to whoever opened the session."""

    def __init__(self, session: Session, began: datetime) -> None:
        self.session = session
        self.began = began
        self.kept: dict[SqlTransaction, Outbox] = {}

    def keep(self, unit: "SqlTransaction", outbox: Outbox) -> None:
        if unit in self.kept:
            raise RuntimeError("who shares a transaction is one unit of work, committed once")
        self.kept[unit] = outbox

    def commit(self) -> None:
        flush_all(self.session, list(self.kept.values()))
        self.session.commit()
        for call in dict.fromkeys(call for unit in self.kept for call in unit.after_commit()):
            call()


class SqlTransaction:
    """`with` opens it, `commit` ends it well, leaving without `commit` rolls back.

    With `handling`, entering notes the event in the inbox; raises AlreadyHandled if it was there.
    It is re-entrant: an inner `with` is a savepoint, and its `commit` keeps what was done for the
    outer one to commit. Services add their repositories in `open`, and whom to call after each
    commit in `after_commit`. Where each statement is a transaction (autocommit), nothing is told.
    """

    _outbox: Outbox

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        source: str,
        waker: Waker,
        handling: Envelope | None = None,
    ) -> None:
        self._sessions = sessions
        self._source = source
        self._waker = waker
        self._handling = handling
        self._session: Session | None = None
        self._began: datetime | None = None
        self._savepoints: list[SessionTransaction] = []
        self._shared: Shared | None = None

    def open(self, session: Session, outbox: Outbox) -> None:
        """Called on the way in: build the repositories on this session."""

    def after_commit(self) -> list[Callable[[], None]]:
        """Whom to call when what was done is in the database to stay; once for all of those who
        shared a transaction."""
        wrote, self._outbox.wrote = self._outbox.wrote, False
        return [self._waker.wake] if wrote else []

    def join(self, shared: Shared) -> None:
        """Be a part of a transaction that somebody else begins and ends; the event is noted."""
        self._shared = shared

    @property
    def session(self) -> Session:
        """The session of the open transaction."""
        if self._session is None:
            raise RuntimeError("the unit of work is not open; use it in a `with` block")
        return self._session

    @property
    def handling(self) -> Envelope | None:
        """The event that this transaction is about, if it was opened for one."""
        return self._handling

    def now(self) -> datetime:
        """When this transaction began, by the database's clock; asked for once."""
        if self._began is None:
            self._began = self.session.execute(_NOW).scalar_one()
        return self._began

    def __enter__(self) -> Self:
        if self._session is not None:
            # What was told so far belongs to the outside, whatever becomes of the inside.
            self._tell()
            self._savepoints.append(self._session.begin_nested())
            return self
        self._session = self._shared.session if self._shared else self._sessions()
        try:
            self._outbox = Outbox(self._session, source=self._source, caused_by=self._handling)
            if self._shared:
                self._began = self._shared.began
            elif self._handling:
                self._began = inbox.note(self._session, self._handling)
            self.open(self._session, self._outbox)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._savepoints:
            self._close()
            return
        savepoint = self._savepoints.pop()
        if savepoint.is_active:
            self._outbox.forget()
            savepoint.rollback()

    def commit(self) -> None:
        """Keep everything done since the matching `with`."""
        if self._savepoints:
            self._tell()
            self._savepoints[-1].commit()
        elif self._shared:
            self._shared.keep(self, self._outbox)
        else:
            self._tell()
            self.session.commit()
            self._began = None
            for call in self.after_commit():
                call()

    def _tell(self) -> None:
        if self._outbox.waiting and _is_autocommit(self.session):
            raise RuntimeError("on an autocommit connection a change is kept before it is told")
        self._outbox.flush()

    def _close(self) -> None:
        session, self._session = self._session, None
        self._began = None
        if session is not None and not self._shared:
            session.close()


def _is_autocommit(session: Session | Connection) -> bool:
    """`session` may be a bare connection, where one statement is all that there is to do."""
    connection = session if isinstance(session, Connection) else session.connection()
    driver = connection.connection.dbapi_connection
    return driver is not None and connection.dialect.detect_autocommit_setting(driver)
