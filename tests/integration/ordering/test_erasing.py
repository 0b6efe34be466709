"""Customers who close their account are forgotten, as soon as nothing is under way for them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text

from oja_events.contracts.identity import CustomerErased
from ordering.entrypoints.worker import erase_settled_orders
from tests.integration.ordering.conftest import Client, Ordering


def leave(ordering: Ordering, customer: Client) -> None:
    now = datetime.now(UTC)
    ordering.hear(CustomerErased(customer_id=customer.user_id, erased_at=now))


def rows(ordering: Ordering, statement: str, customer: Client) -> list[Any]:
    with ordering.deps.engine.connect() as connection:
        return list(connection.execute(text(statement), {"id": customer.user_id}))


def masked(ordering: Ordering, customer: Client) -> list[bool]:
    """For each of their orders, whether it names nobody."""
    found = rows(
        ordering,
        "SELECT contact::text || shipping_address::text || coalesce(note, '') AS words"
        " FROM orders WHERE customer_id = :id ORDER BY id",
        customer,
    )
    return ["Ada" not in row.words and "+234" not in row.words for row in found]


def receipts(ordering: Ordering, customer: Client) -> int:
    return len(
        rows(
            ordering,
            "SELECT FROM event_log WHERE subject = CAST(:id AS text)"
            " AND type = 'oja.ordering.customer_orders_erased.v1'",
            customer,
        )
    )


def test_settled_orders_stay_without_the_customer(ordering: Ordering) -> None:
    ada = ordering.customer()
    order = ordering.placed(ada)
    ada.post(f"/api/orders/{order['id']}/cancel", {})
    ada.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 1})

    leave(ordering, ada)

    assert masked(ordering, ada) == [True]
    assert rows(ordering, "SELECT FROM carts WHERE customer_id = :id", ada) == []
    assert receipts(ordering, ada) == 1
    shown = ordering.staff().get(f"/api/admin/orders/{order['id']}")
    assert shown.status_code == 200, shown.text


def test_what_is_under_way_is_delivered_first(ordering: Ordering) -> None:
    ada = ordering.customer()
    order = ordering.processing(ada)

    leave(ordering, ada)
    leave(ordering, ada)
    assert masked(ordering, ada) == [False]
    assert receipts(ordering, ada) == 0

    staff, path = ordering.staff(), f"/api/admin/orders/{order['id']}"
    tracking = {"carrier": "GIG", "number": "1"}
    for change in ({"status": "shipped", "tracking": tracking}, {"status": "completed"}):
        seen = staff.get(path).headers["ETag"]
        assert staff.patch(path, change, If_Match=seen).status_code == 200
    erase_settled_orders(ordering.deps)
    erase_settled_orders(ordering.deps)

    assert masked(ordering, ada) == [True]
    assert receipts(ordering, ada) == 1


def test_what_staff_wrote_and_the_parcels_number_go_with_the_customer(ordering: Ordering) -> None:
    ada = ordering.customer()
    order = ordering.processing(ada)
    staff, path = ordering.staff(), f"/api/admin/orders/{order['id']}"
    tracking = {"carrier": "GIG", "number": "GIG-4711"}
    for change in ({"status": "shipped", "tracking": tracking}, {"status": "completed"}):
        seen = staff.get(path).headers["ETag"]
        assert staff.patch(path, change, If_Match=seen).status_code == 200

    leave(ordering, ada)

    words = rows(
        ordering,
        "SELECT orders::text || history::text AS words FROM orders JOIN order_history AS history"
        " ON history.order_id = orders.id WHERE customer_id = :id",
        ada,
    )
    assert words
    assert not [row for row in words if "GIG-4711" in row.words]


def test_stored_answers_go_with_the_customer(ordering: Ordering) -> None:
    ada, zoe = ordering.customer(), ordering.customer()
    for customer in (ada, zoe):
        ordering.placed(customer)
    stored = "SELECT FROM idempotency_keys WHERE caller = CAST(:id AS text)"
    assert rows(ordering, stored, ada)

    leave(ordering, ada)

    assert rows(ordering, stored, ada) == []
    assert rows(ordering, stored, zoe)


def test_the_orders_of_others_stay_as_they_are(ordering: Ordering) -> None:
    ada, zoe = ordering.customer(), ordering.customer()
    order = ordering.placed(zoe)
    zoe.post(f"/api/orders/{order['id']}/cancel", {})

    leave(ordering, ada)

    assert masked(ordering, zoe) == [False]
