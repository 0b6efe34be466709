"""One transaction, also when it is entered again inside itself, and what it tells in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text

from oja_events.contracts.catalog import StockReserved
from oja_events.envelope import Envelope, decode, encode_data
from oja_events.inbox import AlreadyHandled
from ordering.adapters.unit_of_work import SqlUnitOfWork
from ordering.domain.order import Order
from ordering.use_cases.errors import OrderNotFound
from tests.integration.ordering.conftest import Ordering
from tests.support.ordering import a_new_order


@pytest.fixture
def uow(ordering: Ordering) -> SqlUnitOfWork:
    return ordering.deps.unit_of_work()


def is_kept(ordering: Ordering, order: Order) -> bool:
    """Whether the order is there; order and event are either both there or both not."""
    with ordering.deps.engine.connect() as connection:
        query = text("""
            SELECT (SELECT count(*) FROM orders WHERE id = :id),
                   (SELECT count(*) FROM event_log WHERE subject = CAST(:id AS text)),
                   (SELECT count(*) FROM outbox_pending WHERE subject = CAST(:id AS text))
        """)
        counts = set(connection.execute(query, {"id": order.id}).one())
    assert len(counts) == 1, "state and events differ"
    return counts == {1}


def handled(ordering: Ordering, envelope: Envelope) -> int:
    with ordering.deps.engine.connect() as connection:
        query = text("SELECT count(*) FROM inbox WHERE event_id = :id")
        return int(connection.execute(query, {"id": envelope.id}).scalar_one())


def an_envelope() -> Envelope:
    news = StockReserved(order_id=uuid4(), lines=(), reserved_at=datetime.now(UTC))
    return Envelope(
        specversion="1.0",
        id=uuid4(),
        source="/catalog",
        type=news.TYPE,
        subject=news.subject,
        time=datetime.now(UTC),
        sequence=1,
        correlationid="journey",
        data=encode_data(news),
    )


def test_what_is_not_committed_is_neither_kept_nor_told(
    ordering: Ordering, uow: SqlUnitOfWork
) -> None:
    order = a_new_order()

    with uow:
        uow.orders.add(order)

    assert not is_kept(ordering, order)


def test_inside_and_outside_committed_both_are_kept(ordering: Ordering, uow: SqlUnitOfWork) -> None:
    outer, inner = a_new_order(), a_new_order()

    with uow:
        uow.orders.add(outer)
        with uow:
            uow.orders.add(inner)
            uow.commit()
        uow.commit()

    assert is_kept(ordering, outer)
    assert is_kept(ordering, inner)


def test_what_is_undone_inside_is_not_told_and_what_was_done_before_is(
    ordering: Ordering, uow: SqlUnitOfWork
) -> None:
    before, undone, after = a_new_order(), a_new_order(), a_new_order()

    with uow:
        uow.orders.add(before)
        with uow:
            uow.orders.add(undone)
        uow.orders.add(after)
        uow.commit()

    assert [is_kept(ordering, order) for order in (before, undone, after)] == [True, False, True]


def test_what_was_committed_deeper_inside_is_undone_with_what_is_around_it(
    ordering: Ordering, uow: SqlUnitOfWork
) -> None:
    before, middle, deep = a_new_order(), a_new_order(), a_new_order()

    with uow:
        uow.orders.add(before)
        with uow:
            uow.orders.add(middle)
            with uow:
                uow.orders.add(deep)
                uow.commit()
        uow.commit()

    assert [is_kept(ordering, order) for order in (before, middle, deep)] == [True, False, False]


def test_a_commit_inside_is_nothing_without_the_one_outside(
    ordering: Ordering, uow: SqlUnitOfWork
) -> None:
    order = a_new_order()

    with uow, uow:
        uow.orders.add(order)
        uow.commit()

    assert not is_kept(ordering, order)


def test_a_database_error_inside_leaves_the_outside_usable(
    ordering: Ordering, uow: SqlUnitOfWork
) -> None:
    order = a_new_order()

    with uow:
        with pytest.raises(Exception, match="no_such_table"), uow:
            uow.session.execute(text("SELECT * FROM no_such_table"))
        uow.orders.add(order)
        uow.commit()

    assert is_kept(ordering, order)


def test_it_can_be_used_again(ordering: Ordering, uow: SqlUnitOfWork) -> None:
    first, second = a_new_order(), a_new_order()

    for order in (first, second):
        with uow:
            uow.orders.add(order)
            uow.commit()

    assert is_kept(ordering, first)
    assert is_kept(ordering, second)


def test_outside_of_its_block_there_is_no_session(uow: SqlUnitOfWork) -> None:
    with pytest.raises(RuntimeError, match="not open"):
        _ = uow.session


def test_an_event_is_handled_once(ordering: Ordering) -> None:
    envelope, order = an_envelope(), a_new_order()

    with ordering.deps.unit_of_work(handling=envelope) as uow:
        uow.orders.add(order)
        uow.commit()

    assert handled(ordering, envelope) == 1
    with pytest.raises(AlreadyHandled), ordering.deps.unit_of_work(handling=envelope):
        pytest.fail("handled again")


def test_an_event_whose_effect_failed_counts_as_not_handled(ordering: Ordering) -> None:
    envelope = an_envelope()

    with pytest.raises(OrderNotFound), ordering.deps.unit_of_work(handling=envelope) as uow:
        uow.orders.get(uuid4())

    assert handled(ordering, envelope) == 0


def test_what_a_handler_tells_names_the_event_that_caused_it(ordering: Ordering) -> None:
    envelope, order = an_envelope(), a_new_order()

    with ordering.deps.unit_of_work(handling=envelope) as uow:
        uow.orders.add(order)
        uow.commit()

    told = envelope_of(ordering, order.id)
    assert (told.correlationid, told.causationid) == ("journey", str(envelope.id))


def envelope_of(ordering: Ordering, order_id: UUID) -> Envelope:
    with ordering.deps.engine.connect() as connection:
        query = text("SELECT envelope FROM event_log WHERE subject = :id")
        return decode(bytes(connection.execute(query, {"id": str(order_id)}).scalar_one()))


def test_the_time_of_a_transaction_is_the_same_throughout_and_asked_for_once(
    ordering: Ordering,
) -> None:
    uow = ordering.deps.unit_of_work()

    with uow, statements_of(ordering) as asked:
        times = {uow.now(), uow.now()}
        database = uow.session.execute(text("SELECT now()")).scalar_one()
    with uow:
        later = uow.now()

    assert times == {database}
    assert len(asked) == 2
    assert later > database


def test_in_handling_an_event_the_time_costs_nothing(ordering: Ordering) -> None:
    with (
        statements_of(ordering) as asked,
        ordering.deps.unit_of_work(handling=an_envelope()) as uow,
    ):
        assert uow.now() == uow.session.execute(text("SELECT now()")).scalar_one()

    assert len(asked) == 2


@contextmanager
def statements_of(ordering: Ordering) -> Iterator[list[str]]:
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    event.listen(ordering.deps.engine, "before_cursor_execute", note)
    yield asked
    event.remove(ordering.deps.engine, "before_cursor_execute", note)
