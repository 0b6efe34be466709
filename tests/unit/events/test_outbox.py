"""What an event gets on its way into the outbox: its number, its cause, its journey."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import TextClause
from sqlalchemy.orm import Session

from oja_events.context import Trace, trace, use_trace
from oja_events.contracts.catalog import ProductArchived, StockReserved
from oja_events.envelope import Envelope, decode
from oja_events.outbox import Outbox

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class FakeSession:
    """Numbers per subject as the event_stream table does, and keeps what was written."""

    def __init__(self, **counters: int) -> None:
        self.counters = dict(counters)
        self.written: list[Envelope] = []
        self.statements = 0

    def execute(self, statement: TextClause, values: dict[str, Any]) -> None:
        self.statements += 1
        events = zip(values["subjects"], values["heads"], values["tails"], strict=True)
        for subject, head, tail in events:
            self.counters[subject] = self.counters.get(subject, 0) + 1
            self.written.append(decode(head + b"%d" % self.counters[subject] + tail))


def reserved(order_id: UUID) -> StockReserved:
    return StockReserved(order_id=order_id, lines=(), reserved_at=NOW)


def archived(product_id: UUID) -> ProductArchived:
    return ProductArchived(product_id=product_id, version=1, skus=(), archived_at=NOW)


def an_outbox(session: FakeSession, caused_by: Envelope | None = None) -> Outbox:
    return Outbox(cast(Session, session), source="catalog", caused_by=caused_by)


def test_events_of_one_aggregate_are_numbered_on_in_the_order_of_telling() -> None:
    order, other = uuid4(), uuid4()
    session = FakeSession(**{str(order): 7})
    outbox = an_outbox(session)

    outbox.add(reserved(order), archived(other))
    outbox.add(archived(order))
    outbox.flush()

    assert [(e.subject, e.sequence, e.type.split(".")[2]) for e in session.written] == [
        (str(order), 8, "stock_reserved"),
        (str(other), 1, "product_archived"),
        (str(order), 9, "product_archived"),
    ]


def test_a_second_flush_goes_on_where_the_first_ended() -> None:
    order = uuid4()
    session = FakeSession()
    outbox = an_outbox(session)

    for _ in range(2):
        outbox.add(reserved(order))
        outbox.flush()

    assert [envelope.sequence for envelope in session.written] == [1, 2]


def test_however_many_events_one_statement_writes_them() -> None:
    session = FakeSession()
    outbox = an_outbox(session)

    outbox.add(*(reserved(uuid4()) for _ in range(50)))
    outbox.flush()

    assert (len(session.written), session.statements) == (50, 1)


def test_without_events_nothing_is_written_and_nobody_is_to_be_woken() -> None:
    session = FakeSession()
    outbox = an_outbox(session)

    outbox.flush()

    assert (session.statements, outbox.wrote) == (0, False)


def test_what_is_forgotten_is_not_written() -> None:
    session = FakeSession()
    outbox = an_outbox(session)
    outbox.add(reserved(uuid4()))

    outbox.forget()
    outbox.flush()

    assert session.written == []


def test_ids_grow_with_time() -> None:
    session = FakeSession()
    outbox = an_outbox(session)

    outbox.add(*(reserved(uuid4()) for _ in range(100)))
    outbox.flush()

    ids = [envelope.id for envelope in session.written]
    assert ids == sorted(ids)
    assert {envelope_id.version for envelope_id in ids} == {7}


def test_an_event_out_of_nowhere_begins_a_journey_of_its_own() -> None:
    session = FakeSession()
    outbox = an_outbox(session)

    outbox.add(reserved(uuid4()))
    outbox.flush()

    [envelope] = session.written
    assert envelope.correlationid == str(envelope.id)
    assert envelope.causationid is None


def test_an_event_of_a_request_is_part_of_the_requests_journey() -> None:
    session = FakeSession()
    outbox = an_outbox(session)

    with use_trace(Trace("request-1", traceparent="00-aa-bb-01")):
        outbox.add(reserved(uuid4()))
        outbox.flush()

    [envelope] = session.written
    assert (envelope.correlationid, envelope.traceparent) == ("request-1", "00-aa-bb-01")
    assert trace.get() is None


def test_an_event_of_a_handler_names_the_event_that_caused_it() -> None:
    first = FakeSession()
    outbox = an_outbox(first)
    outbox.add(reserved(uuid4()))
    outbox.flush()
    [cause] = first.written

    second = FakeSession()
    outbox = an_outbox(second, caused_by=cause)
    with use_trace(Trace("something else")):
        outbox.add(archived(uuid4()))
        outbox.flush()

    [effect] = second.written
    assert (effect.correlationid, effect.causationid) == (cause.correlationid, str(cause.id))


def test_what_looks_like_a_number_in_an_event_stays_as_it_is() -> None:
    session = FakeSession()
    outbox = an_outbox(session)

    with use_trace(Trace('"sequence":0')):
        outbox.add(replace(archived(uuid4()), skus=('"sequence":0',)))
        outbox.flush()

    [envelope] = session.written
    assert (envelope.sequence, envelope.correlationid) == (1, '"sequence":0')
    assert cast(ProductArchived, envelope.event()).skus == ('"sequence":0',)


def test_the_source_is_the_service_that_tells() -> None:
    session = FakeSession()
    outbox = an_outbox(session)

    outbox.add(reserved(uuid4()))
    outbox.flush()

    assert session.written[0].source == "/catalog"


def test_a_trace_ends_with_its_block_even_when_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), use_trace(Trace("journey")):
        _ = 1 / 0

    assert trace.get() is None
