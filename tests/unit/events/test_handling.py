"""What becomes of one message, whatever the handler does."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from oja_events.contracts import Event
from oja_events.contracts.catalog import StockReserved
from oja_events.envelope import Envelope, encode
from oja_events.handling import MessageHandler, Verdict
from oja_events.inbox import AlreadyHandled
from tests.unit.events.test_envelope import EVENT, altered, an_envelope

GOOD = encode(an_envelope())


class Refused(Exception):
    """A refusal that trying again does not change."""


class RecordingHandler(MessageHandler):
    """Keeps what would be parked."""

    parked: list[tuple[str, str]]

    def park(self, body: bytes, headers: Any, reason: str, error: str) -> None:
        self.parked.append((reason, error))


def a_handler(
    reaction: Callable[[Event, Envelope], None], *, listens_to: type[Event] = StockReserved
) -> RecordingHandler:
    """Calls `reaction` with each event and its unit of work, which here is the envelope."""

    def handle(event: Event, /, *, uow: Envelope) -> None:
        reaction(event, uow)

    handler = RecordingHandler(
        {listens_to: handle},
        unit_of_work=lambda envelope: envelope,
        engine=cast(Engine, None),
        refusals=(Refused,),
    )
    handler.parked = []
    return handler


def failing(error: Exception) -> RecordingHandler:
    def react(event: Event, uow: Envelope) -> None:
        raise error

    return a_handler(react)


class PostgresError(Exception):
    """psycopg2's error as far as we look at it."""

    def __init__(self, code: str | None) -> None:
        super().__init__("words of the database")
        self.pgcode = code


def database_error(
    kind: type[DBAPIError], code: str | None, *, connection_invalidated: bool = False
) -> DBAPIError:
    error = PostgresError(code)
    return kind("SELECT 1", {}, error, connection_invalidated=connection_invalidated)


def test_a_handler_gets_the_event_and_a_unit_of_work_that_knows_the_message() -> None:
    calls: list[tuple[Event, Envelope]] = []
    handler = a_handler(lambda event, uow: calls.append((event, uow)))

    result = handler.handle(GOOD, {})

    [(event, uow)] = calls
    assert result.verdict is Verdict.DONE
    assert event == EVENT
    assert encode(uow) == GOOD


def test_what_was_handled_before_is_acknowledged_in_silence() -> None:
    handler = failing(AlreadyHandled("again"))

    assert handler.handle(GOOD, {}).verdict is Verdict.DONE
    assert handler.parked == []


def test_a_refusal_for_good_is_parked_and_acknowledged() -> None:
    handler = failing(Refused("never"))

    assert handler.handle(GOOD, {}).verdict is Verdict.DONE
    assert handler.parked == [("rejected", "Refused: never")]


@pytest.mark.parametrize("error", [KeyError("order"), ValueError("odd"), LookupError(), OSError()])
def test_any_other_failure_is_tried_again_later(error: Exception) -> None:
    handler = failing(error)

    result = handler.handle(GOOD, {})

    assert result.verdict is Verdict.LATER
    assert type(error).__name__ in result.error
    assert handler.parked == []


@pytest.mark.parametrize(
    "error",
    [
        database_error(OperationalError, None),
        database_error(InterfaceError, None),
        database_error(OperationalError, "57P01"),
        database_error(OperationalError, "57P03"),
        database_error(OperationalError, "53300"),
        database_error(OperationalError, "08006"),
        database_error(ProgrammingError, "42601", connection_invalidated=True),
        PoolTimeout(),
    ],
    ids=repr,
)
def test_a_message_is_held_while_the_database_is_away(error: Exception) -> None:
    assert failing(error).handle(GOOD, {}).verdict is Verdict.HOLD


@pytest.mark.parametrize(
    "error",
    [
        database_error(OperationalError, "40P01"),
        database_error(OperationalError, "55P03"),
        database_error(OperationalError, "57014"),
        database_error(IntegrityError, "23505"),
        database_error(DataError, "22003"),
        database_error(NotSupportedError, "0A000"),
        database_error(ProgrammingError, None),
    ],
    ids=repr,
)
def test_a_database_that_is_there_but_refuses_does_not_hold_the_lane(error: Exception) -> None:
    assert failing(error).handle(GOOD, {}).verdict is Verdict.LATER


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"no json", "malformed"),
        (altered(data={}), "malformed"),
        (altered(sequence=0), "malformed"),
        (altered(type="oja.catalog.stock_reserved.v2"), "unknown_type"),
        (altered(type="oja.catalog.stock_committed.v1"), "malformed"),
    ],
)
def test_what_cannot_be_read_is_parked_without_calling_anybody(body: bytes, reason: str) -> None:
    handler = failing(AssertionError("called"))

    assert handler.handle(body, {}).verdict is Verdict.DONE
    assert [parked for parked, _ in handler.parked] == [reason]


def test_a_known_event_that_nobody_here_listens_to_is_parked() -> None:
    class Unheard(StockReserved):
        TYPE = "oja.catalog.unheard.v1"

    handler = a_handler(lambda event, uow: None, listens_to=Unheard)

    assert handler.handle(GOOD, {}).verdict is Verdict.DONE
    assert [reason for reason, _ in handler.parked] == ["unknown_type"]


def test_a_long_error_is_cut_for_the_log() -> None:
    assert len(failing(ValueError("x" * 10_000)).handle(GOOD, {}).error) == 500
