"""A relay whose connections are cut under it goes on by itself."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text

from oja_events.contracts.catalog import StockCommitted
from oja_events.relay import Relay
from tests.integration.events.conftest import Producer
from tests.support.waiting import wait_until


def test_a_relay_that_loses_its_database_connection_takes_up_the_lead_again(
    catalog: Producer, relaying: Callable[[Relay], threading.Event]
) -> None:
    relay = catalog.relay
    relaying(relay)
    wait_until(relay.is_ready)

    for _ in range(3):
        with catalog.engine.connect() as connection:
            cut = (
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            connection.execute(text(cut))
        catalog.tell(StockCommitted(order_id=uuid4(), lines=(), committed_at=datetime.now(UTC)))
        wait_until(lambda: catalog.pending() == 0, timeout=20)
