"""What becomes of one message: handled, tried again later, held, or parked."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from oja_events.batching import run_all
from oja_events.contracts import Event, MessageParked
from oja_events.envelope import Envelope, Malformed, UnknownType, decode
from oja_events.inbox import AlreadyHandled
from oja_events.parking import park

log = logging.getLogger(__name__)


class Handler(Protocol):
    """An event handler. It enters `uow` itself, once, which makes repeats harmless, and commits it
    once at the end. All that it does is done through `uow` and in the database: others may share
    the transaction, and what is undone with them is done again."""

    def __call__(self, event: Any, /, *, uow: Any) -> None: ...


Subscriptions = Mapping[type[Event], Handler]
"""What a service listens to, and who deals with it."""


class Verdict(Enum):
    """What to do with the delivery."""

    DONE = auto()  # acknowledge
    LATER = auto()  # a copy to the retry ladder, then acknowledge
    HOLD = auto()  # keep it unacknowledged and try again here: the database is away


@dataclass(frozen=True, slots=True)
class Result:
    """A verdict, and for the log what went wrong."""

    verdict: Verdict
    error: str = ""


class MessageHandler:
    """Decode, deduplicate, call, and sort out what was raised. Runs in a worker thread."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        *,
        unit_of_work: Callable[[Envelope], Any],
        engine: Engine,
        refusals: tuple[type[Exception], ...] = (),
        told_as: type[MessageParked] | None = None,
    ) -> None:
        """`refusals` are exceptions that trying again does not change. `told_as` is the service's
        own news of a message that it has put away."""
        self._handlers = {event.TYPE: handler for event, handler in subscriptions.items()}
        self._unit_of_work = unit_of_work
        self._engine = engine
        self._refusals = refusals
        self._told_as = told_as

    def handle(self, body: bytes, headers: Mapping[str, Any]) -> Result:
        """Give one delivery its effect, once; never raises for what the message is to blame for."""
        try:
            self._call(body, headers)
        except AlreadyHandled:
            return Result(Verdict.DONE)
        except (DBAPIError, PoolTimeout) as error:
            return Result(Verdict.HOLD if _database_away(error) else Verdict.LATER, _words(error))
        except Exception as error:
            log.warning("handler failed, trying again later", exc_info=True)
            return Result(Verdict.LATER, _words(error))
        return Result(Verdict.DONE)

    def handle_together(self, bodies: Sequence[bytes]) -> bool:
        """Give several deliveries their effects in one transaction. False if something was in the
        way of one of them: then none had any, and each is to be handled alone."""
        try:
            events = {each.envelope.id: each for each in map(self._read, bodies)}
            # Alike in every batch, so that two of them seldom wait for each other.
            in_order = sorted(events.values(), key=lambda each: each.envelope.subject)
            calls = {self._unit_of_work(each.envelope): each for each in in_order}
            run_all(self._engine, list(calls), lambda unit: calls[unit].run(unit))
        except Exception as error:
            log.info("not together", extra={"count": len(bodies), "error": _words(error)})
            return False
        return True

    def park(self, body: bytes, headers: Mapping[str, Any], reason: str, error: str) -> None:
        """Put the message away for staff."""
        park(self._engine, body, headers, reason=reason, error=error, told_as=self._told_as)
        log.error("message parked", extra={"reason": reason, "error": error})

    def _call(self, body: bytes, headers: Mapping[str, Any]) -> None:
        try:
            call = self._read(body)
        except Malformed as error:
            return self.park(body, headers, "malformed", str(error))
        except (UnknownType, KeyError) as error:
            return self.park(body, headers, "unknown_type", str(error))
        try:
            call.run(self._unit_of_work(call.envelope))
        except self._refusals as error:
            self.park(body, headers, "rejected", _words(error))

    def _read(self, body: bytes) -> "_Call":
        envelope = decode(body)
        return _Call(envelope, envelope.event(), self._handlers[envelope.type])


@dataclass(frozen=True, slots=True)
class _Call:
    """What one message asks for."""

    envelope: Envelope
    event: Event
    handler: Handler

    def run(self, uow: Any) -> None:
        self.handler(self.event, uow=uow)


def _database_away(error: DBAPIError | PoolTimeout) -> bool:
    if isinstance(error, PoolTimeout) or error.connection_invalidated:
        return True
    code = getattr(error.orig, "pgcode", None)
    if code is None:
        # No answer from the server; a mistake of ours, seen by the driver alone, is another kind.
        return isinstance(error, OperationalError | InterfaceError)
    return bool(code.startswith(("57P", "53", "08")))


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
