"""Marks in a real database, as a service's http process reads them."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from oja_events import access_marks, schema
from oja_events.contracts.identity import AccessRevoked
from oja_web.access_marks import AccessMarks
from tests.support.postgres import scratch_database

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with scratch_database() as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            for _ in range(2):  # as at every migration
                schema.create_access_mark(Executing(connection))
        yield engine
        engine.dispose()


class Executing:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sqltext: str) -> None:
        self._connection.execute(text(sqltext))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def note(engine: Engine, user_id: UUID, **what: Any) -> None:
    with Session(engine) as session:
        access_marks.note(session, AccessRevoked(user_id=user_id, revoked_at=NOW, **what))
        session.commit()


def token(user_id: UUID, generation: int = 1, **claims: Any) -> dict[str, Any]:
    return {"sub": str(user_id), "gen": generation, **claims}


def test_s17_tokens_of_an_earlier_generation_are_refused(engine: Engine) -> None:
    ada, zoe = uuid.uuid4(), uuid.uuid4()
    note(engine, ada, generation=3)
    marks = AccessMarks(engine)

    assert marks.revoked(token(ada, 2))
    assert not marks.revoked(token(ada, 3))
    assert marks.revoked({"sub": str(ada)})
    assert not marks.revoked(token(zoe))


def test_s17_tokens_of_a_sign_in_that_is_over_are_refused(engine: Engine) -> None:
    ada, here, there = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    note(engine, ada, sign_in_id=here)
    marks = AccessMarks(engine)

    assert marks.revoked(token(ada, sid=str(here)))
    assert not marks.revoked(token(ada, sid=str(there)))
    assert not marks.revoked(token(ada))


def test_old_news_that_comes_late_opens_no_door(engine: Engine) -> None:
    ada = uuid.uuid4()
    note(engine, ada, generation=5)
    note(engine, ada, generation=4)

    assert AccessMarks(engine).revoked(token(ada, 4))


def test_s17_a_mark_is_seen_within_half_a_second(engine: Engine) -> None:
    ada, clock = uuid.uuid4(), Clock()
    marks = AccessMarks(engine, clock=clock)
    assert not marks.revoked(token(ada))

    note(engine, ada, generation=2)
    clock.now += 0.51

    assert marks.revoked(token(ada))


def test_many_questions_cost_one_query(engine: Engine) -> None:
    marks, asked = AccessMarks(engine, clock=Clock()), []

    def count(*_: object) -> None:
        asked.append(1)

    event.listen(engine, "before_cursor_execute", count)
    for _ in range(100):
        marks.revoked(token(uuid.uuid4()))
    event.remove(engine, "before_cursor_execute", count)

    assert len(asked) == 1


def test_marks_that_no_token_is_left_for_are_forgotten(engine: Engine) -> None:
    ada, clock = uuid.uuid4(), Clock()
    note(engine, ada, generation=2)
    marks = AccessMarks(engine, clock=clock)
    assert marks.revoked(token(ada))
    with engine.begin() as connection:
        connection.execute(text("UPDATE access_mark SET noted_at = now() - interval '2 hours'"))

    clock.now += 3600
    note(engine, uuid.uuid4(), generation=2)

    assert not marks.revoked(token(ada))
    with engine.connect() as connection:
        left = connection.execute(text("SELECT subject FROM access_mark")).scalars().all()
    assert ada not in left


class HangingEngine:
    """A database that answers nobody, after a while."""

    def __init__(self) -> None:
        self.asked = 0

    def connect(self) -> Any:
        self.asked += 1
        time.sleep(0.2)
        raise OperationalError("SELECT", {}, Exception("timeout expired"))


def test_who_waits_for_a_read_that_fails_is_refused_with_it() -> None:
    away, clock = HangingEngine(), Clock()
    marks = AccessMarks(cast(Engine, away), clock=clock)

    with ThreadPoolExecutor(8) as requests:
        asked = [requests.submit(marks.revoked, token(uuid.uuid4())) for _ in range(24)]
    failures = {id(each.exception()): each.exception() for each in asked}

    assert away.asked == 1
    assert len(failures) == 24
    assert all(isinstance(failure, OperationalError) for failure in failures.values())


def test_who_asks_after_a_read_that_failed_has_another_one(engine: Engine) -> None:
    ada, clock = uuid.uuid4(), Clock()
    note(engine, ada, generation=2)
    marks = AccessMarks(cast(Engine, HangingEngine()), clock=clock)
    with pytest.raises(SQLAlchemyError):
        marks.revoked(token(ada))

    marks._engine = engine
    clock.now += 0.01

    assert marks.revoked(token(ada))
    assert not marks.revoked(token(uuid.uuid4()))


def test_marks_that_were_good_are_not_believed_after_a_read_that_failed(engine: Engine) -> None:
    ada, clock = uuid.uuid4(), Clock()
    marks = AccessMarks(engine, clock=clock)
    assert not marks.revoked(token(ada))
    marks._engine = cast(Engine, HangingEngine())

    for _ in range(2):
        clock.now += 0.51
        with pytest.raises(SQLAlchemyError):
            marks.revoked(token(ada))


def test_while_the_marks_cannot_be_read_nobody_gets_in() -> None:
    away = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")

    with pytest.raises(SQLAlchemyError):
        AccessMarks(away).revoked(token(uuid.uuid4()))
