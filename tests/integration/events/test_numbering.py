"""Numbers of events: of each aggregate by the order of its commits, of the feed without gaps."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import sessionmaker

from oja_events.contracts.catalog import ProductArchived
from oja_events.envelope import decode
from oja_events.feed import read_page
from tests.integration.events.conftest import Producer, Telling


def archived(product_id: UUID | None = None) -> ProductArchived:
    return ProductArchived(
        product_id=product_id or uuid4(), version=1, skus=(), archived_at=datetime.now(UTC)
    )


def telling(catalog: Producer) -> Telling:
    return Telling(sessionmaker(catalog.engine), source="catalog", waker=catalog.waker)


def number(catalog: Producer) -> None:
    """What the leader does first."""
    with catalog.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        catalog.relay._number(connection)


def subjects(catalog: Producer, after: int) -> tuple[list[str], int]:
    page = read_page(catalog.engine, after=after)
    return [decode(bytes(event.envelope)).subject for event in page.events], page.next


def test_many_who_tell_of_one_aggregate_at_once_are_numbered_in_a_row(catalog: Producer) -> None:
    product_id, start = uuid4(), Barrier(4)

    def tell() -> None:
        start.wait()
        for _ in range(10):
            catalog.tell(archived(product_id))

    with ThreadPoolExecutor(4) as threads:
        for future in [threads.submit(tell) for _ in range(4)]:
            future.result()

    with catalog.engine.connect() as connection:
        rows = connection.execute(text("SELECT sequence FROM event_log ORDER BY id")).all()
    assert [row.sequence for row in rows] == list(range(1, 41))


def test_who_reads_the_feed_does_not_miss_what_was_written_first_and_committed_last(
    catalog: Producer,
) -> None:
    slow, quick = archived(), archived()

    with telling(catalog) as late:
        late.outbox.add(slow)
        late.outbox.flush()
        catalog.tell(quick)
        number(catalog)
        first, place = subjects(catalog, after=0)
        late.commit()
    number(catalog)
    second, _ = subjects(catalog, after=place)

    assert (first, second) == ([str(quick.product_id)], [str(slow.product_id)])
