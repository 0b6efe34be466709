"""Customers who close their account are forgotten, as soon as nothing is under way for them."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from oja_events.contracts.identity import AddressesChanged, CustomerErased, SavedAddress
from ordering.use_cases import commands
from tests.integration.ordering.conftest import ADDRESS, Client, Ordering
from tests.support.ordering import a_new_order
from tests.support.waiting import wait_until

ADDRESSES = "SELECT FROM address_books WHERE customer_id = :id"
CART = "SELECT FROM carts WHERE customer_id = :id"
STORED_ANSWERS = "SELECT FROM idempotency_keys WHERE caller = CAST(:id AS text)"


def leave(ordering: Ordering, customer: Client) -> None:
    now = datetime.now(UTC)
    ordering.hear(CustomerErased(customer_id=customer.user_id, erased_at=now))


def go_on(ordering: Ordering) -> None:
    """What the worker does every minute."""
    commands.erase_settled_orders(uow=ordering.deps.unit_of_work())


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


@pytest.fixture
def meanwhile() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as thread:
        yield thread


def keeps_an_address(customer: Client) -> AddressesChanged:
    saved = SavedAddress(address_id=uuid4(), **ADDRESS)
    return AddressesChanged(
        customer_id=customer.user_id, addresses=(saved,), changed_at=datetime.now(UTC)
    )


def let_it_come_as_far_as_it_can(ordering: Ordering, other: "Future[None]") -> None:
    """Until it is done or waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )

    def waits() -> bool:
        with ordering.deps.engine.connect() as connection:
            return bool(connection.scalar(waiting))

    wait_until(lambda: other.done() or waits())


def test_settled_orders_stay_without_the_customer(ordering: Ordering) -> None:
    ada = ordering.customer()
    order = ordering.placed(ada)
    ada.post(f"/api/orders/{order['id']}/cancel", {})
    ada.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 1})

    leave(ordering, ada)

    assert masked(ordering, ada) == [True]
    assert rows(ordering, CART, ada) == []
    assert receipts(ordering, ada) == 1
    shown = ordering.staff().get(f"/api/admin/orders/{order['id']}")
    assert shown.status_code == 200, shown.text


def test_a_customer_whose_name_looks_like_a_mask_is_forgotten_like_others(
    ordering: Ordering,
) -> None:
    ada = ordering.customer(name="Erased customer")
    order = ordering.placed(ada)
    ada.post(f"/api/orders/{order['id']}/cancel", {})

    leave(ordering, ada)

    assert masked(ordering, ada) == [True]
    assert receipts(ordering, ada) == 1
    [kept] = rows(ordering, "SELECT contact FROM orders WHERE customer_id = :id", ada)
    assert kept.contact["email"] == f"erased-{ada.user_id}@erased.invalid"


def test_the_receipt_waits_for_a_customer_whose_name_looks_like_a_mask(ordering: Ordering) -> None:
    ada = ordering.customer(name="Erased customer")
    ordering.processing(ada)

    leave(ordering, ada)

    assert receipts(ordering, ada) == 0


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
    go_on(ordering)
    go_on(ordering)

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
    assert rows(ordering, STORED_ANSWERS, ada)

    leave(ordering, ada)

    assert rows(ordering, STORED_ANSWERS, ada) == []
    assert rows(ordering, STORED_ANSWERS, zoe)


def test_the_orders_of_others_stay_as_they_are(ordering: Ordering) -> None:
    ada, zoe = ordering.customer(), ordering.customer()
    order = ordering.placed(zoe)
    zoe.post(f"/api/orders/{order['id']}/cancel", {})

    leave(ordering, ada)

    assert masked(ordering, zoe) == [False]


def test_addresses_that_are_just_being_learned_are_forgotten(
    ordering: Ordering, meanwhile: ThreadPoolExecutor
) -> None:
    ada = ordering.customer()

    with ordering.deps.unit_of_work() as uow:
        uow.address_books.learn(keeps_an_address(ada))
        leaving = meanwhile.submit(leave, ordering, ada)
        let_it_come_as_far_as_it_can(ordering, leaving)
        uow.commit()
    leaving.result()

    assert rows(ordering, ADDRESSES, ada) == []


def test_addresses_that_come_while_the_customer_is_being_forgotten_are_not_kept(
    ordering: Ordering, meanwhile: ThreadPoolExecutor
) -> None:
    ada = ordering.customer()

    with ordering.deps.unit_of_work() as uow:
        uow.erasures.begin(ada.user_id)
        uow.erasures.go_on()
        learning = meanwhile.submit(ordering.hear, keeps_an_address(ada))
        let_it_come_as_far_as_it_can(ordering, learning)
        uow.commit()
    learning.result()

    assert rows(ordering, ADDRESSES, ada) == []


def test_an_order_that_is_just_being_placed_is_waited_for(
    ordering: Ordering, meanwhile: ThreadPoolExecutor
) -> None:
    ada = ordering.customer()
    ada.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 1})

    with ordering.deps.unit_of_work() as uow:
        draft = uow.orders.draft(ada.user_id)
        leaving = meanwhile.submit(leave, ordering, ada)
        let_it_come_as_far_as_it_can(ordering, leaving)
        uow.orders.add(a_new_order(order_id=draft.identity.id, customer_id=ada.user_id))
        uow.commit()
    leaving.result()

    assert receipts(ordering, ada) == 0
    assert rows(ordering, CART, ada) == []


def test_what_comes_in_by_a_token_that_still_was_good_is_forgotten_as_well(
    ordering: Ordering,
) -> None:
    ada = ordering.customer()
    leave(ordering, ada)

    ordering.placed(ada)
    ada.post("/api/cart/items", {"sku": ordering.offer(), "quantity": 1})
    go_on(ordering)

    assert rows(ordering, CART, ada) == []
    assert rows(ordering, STORED_ANSWERS, ada) == []


def test_an_order_that_came_in_after_the_receipt_gets_one_of_its_own(ordering: Ordering) -> None:
    ada = ordering.customer()
    leave(ordering, ada)
    late = ordering.placed(ada)
    go_on(ordering)
    assert receipts(ordering, ada) == 1

    ada.post(f"/api/orders/{late['id']}/cancel", {})
    go_on(ordering)
    go_on(ordering)

    assert masked(ordering, ada) == [True]
    assert receipts(ordering, ada) == 2
