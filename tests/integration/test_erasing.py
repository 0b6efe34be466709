"""Services that only keep copies forget a customer who left, and say so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import UUID

from sqlalchemy import text

from oja_events.contracts import Event
from oja_events.contracts.ordering import CustomerOrdersErased
from oja_events.envelope import encode
from oja_events.handling import Result, Verdict
from oja_events.migrating import migrate
from tests.contract.test_http import made_up_environment
from tests.support import notifier as news
from tests.support.postgres import scratch_database

NOW = datetime.now(UTC)
Rows = Callable[..., list[Any]]
Hears = Callable[[Event], None]


@contextmanager
def service(name: str) -> Iterator[tuple[Hears, Rows]]:
    """A service's consumer over a database of its own, and a look into it."""
    with scratch_database() as url:
        migrate(name, import_module(f"{name}.bootstrap").MIGRATIONS, url)
        env = made_up_environment() | {"DATABASE_URL": url}
        settings = import_module(f"{name}.settings").Settings.from_env(env)
        deps = import_module(f"{name}.bootstrap").build(settings)
        handler = import_module(f"{name}.entrypoints.consumer").message_handler(deps)

        def hears(event: Event) -> None:
            assert handler.handle(encode(news.envelope_of(event)), {}) == Result(Verdict.DONE)

        def rows(statement: str, **values: Any) -> list[Any]:
            with deps.engine.begin() as connection:
                result = connection.execute(text(statement), values)
                return list(result) if result.returns_rows else []

        yield hears, rows
        deps.engine.dispose()


def receipt(rows: Rows, customer_id: UUID, event_type: str) -> dict[str, Any]:
    [row] = rows(
        "SELECT convert_from(envelope, 'UTF8')::jsonb -> 'data' AS data FROM event_log"
        " WHERE type = :type AND subject = :subject",
        type=event_type,
        subject=str(customer_id),
    )
    return dict(row.data)


def test_payments_forgets_whose_the_bills_were() -> None:
    ada, zoe = news.order_placed(), news.order_placed()
    with service("payments") as (hears, rows):
        hears(ada)
        hears(zoe)
        hears(CustomerOrdersErased(customer_id=ada.customer_id, orders=1, erased_at=NOW))

        contacts = {
            row.order_id: row.contact for row in rows("SELECT order_id, contact FROM orders")
        }
        assert contacts[ada.order_id]["name"] == "Erased customer"
        assert ada.contact.email not in str(contacts)
        assert contacts[zoe.order_id]["email"] == zoe.contact.email
        told = receipt(rows, ada.customer_id, "oja.payments.customer_payments_erased.v1")
        assert told["orders"] == 1


def test_notifier_empties_mails_to_them_and_writes_no_others() -> None:
    ada = news.customer_registered()
    order = news.order_placed(customer_id=ada.customer_id)
    refund = news.payment_refunded(order_id=order.order_id, contact=order.contact)
    zoe = news.customer_registered()
    with service("notifier") as (hears, rows):
        for event in (ada, order, refund, zoe):
            hears(event)
        hears(CustomerOrdersErased(customer_id=ada.customer_id, orders=1, erased_at=NOW))

        mails = rows("SELECT * FROM mails")
        assert len(mails) == 4
        words = str(mails)
        assert ada.email not in words
        assert order.contact.email not in words
        assert zoe.email in words
        assert {mail.status for mail in mails if mail.recipient != zoe.email} == {"failed"}
        assert receipt(rows, ada.customer_id, "oja.notifier.customer_mails_erased.v1")["mails"] == 3

        gone = f"erased-{ada.customer_id}@erased.invalid"
        hears(news.customer_registered(email=gone))
        assert len(rows("SELECT FROM mails")) == 4
