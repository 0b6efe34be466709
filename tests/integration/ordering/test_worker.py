"""What ordering's worker does by the clock."""

from datetime import timedelta

from sqlalchemy import text

from ordering.entrypoints.worker import timers
from tests.integration.ordering.conftest import Client, Ordering
from tests.support.waiting import UntilIdle


def work(ordering: Ordering) -> None:
    """All that is due."""
    for timer in timers(ordering.deps):
        timer(UntilIdle())


def test_answers_whose_keys_have_expired_are_deleted_and_younger_ones_are_not(
    ordering: Ordering,
) -> None:
    old, young = ordering.customer(), ordering.customer()
    old.checkout("key-1")
    young.checkout("key-1")
    with ordering.deps.engine.begin() as connection:
        connection.execute(
            text("UPDATE idempotency_keys SET expires_at = now() WHERE caller = :caller"),
            {"caller": str(old.user_id)},
        )

    work(ordering)

    assert "Idempotent-Replayed" not in old.checkout("key-1").headers
    assert "Idempotent-Replayed" in young.checkout("key-1").headers


def test_a_cart_that_nobody_touches_is_dropped_and_one_that_is_used_is_not(
    ordering: Ordering,
) -> None:
    forgotten, used = ordering.customer(), ordering.customer()
    for customer in (forgotten, used):
        customer.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 1})
        age(ordering, customer, days=91)
    used.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 1})

    work(ordering)

    assert forgotten.get("/api/cart").get_json()["items"] == []
    assert len(used.get("/api/cart").get_json()["items"]) == 2


def age(ordering: Ordering, customer: Client, *, days: int) -> None:
    with ordering.deps.engine.begin() as connection:
        connection.execute(
            text("UPDATE carts SET updated_at = now() - :age WHERE customer_id = :id"),
            {"age": timedelta(days=days), "id": customer.user_id},
        )
