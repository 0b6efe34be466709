"""Following an order: its owner, strangers, staff, money, stock."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from oja_events.contracts.catalog import Shortage, StockRejected
from oja_events.envelope import encode
from oja_web.testing import problem
from ordering.entrypoints.consumer import message_handler
from tests.integration.ordering.conftest import (
    Client,
    Ordering,
    payment_confirmed,
    payment_failed,
    stock_reserved,
)
from tests.support.notifier import envelope_of
from tests.support.ordering import NOW

SHIPPED = {
    "status": "shipped",
    "tracking": {"carrier": "GIG", "number": "GIG-1", "url": "https://gig.example/1"},
}
REASON = {"status": "cancelled", "reason": "broken in the warehouse"}


@pytest.fixture
def customer(ordering: Ordering) -> Client:
    return ordering.customer()


@pytest.fixture
def staff(ordering: Ordering) -> Client:
    return ordering.staff()


def seen(customer: Client, order: dict[str, Any]) -> tuple[str, str]:
    found = customer.get(f"/api/orders/{order['id']}").get_json()
    return found["status"], found["payment_status"]


def etag(staff: Client, order: dict[str, Any]) -> str:
    return staff.get(f"/api/admin/orders/{order['id']}").headers["ETag"]


@pytest.mark.parametrize("order_id", ["foreign", "unknown", "not even an id"])
@pytest.mark.parametrize(
    ("method", "rest"), [("GET", ""), ("GET", "/timeline"), ("POST", "/cancel")]
)
def test_a_strangers_order_is_not_there(
    ordering: Ordering, customer: Client, order_id: str, method: str, rest: str
) -> None:
    ids = {"foreign": ordering.placed(customer)["id"], "unknown": str(uuid4())}
    path = f"/api/orders/{ids.get(order_id, 'x')}{rest}"
    stranger = ordering.customer()

    answer = stranger.get(path) if method == "GET" else stranger.post(path)

    problem(answer, 404, "not_found")


def test_customers_see_their_own_orders_newest_first(ordering: Ordering, customer: Client) -> None:
    ordering.placed(ordering.customer())
    orders = [ordering.placed(customer) for _ in range(3)]

    listed = customer.get("/api/orders", total="true").get_json()

    assert [order["id"] for order in listed["items"]] == [o["id"] for o in reversed(orders)]
    assert (listed["next"], listed["total"]) == (None, 3)


def test_paging_shows_every_order_once_though_new_ones_come(
    ordering: Ordering, customer: Client
) -> None:
    orders = [ordering.placed(customer) for _ in range(5)]

    found: list[str] = []
    cursor = None
    while True:
        query = {"size": 2} | ({"cursor": cursor} if cursor else {})
        listed = customer.get("/api/orders", **query).get_json()
        found += [order["id"] for order in listed["items"]]
        cursor = listed["next"]
        if cursor is None:
            break
        ordering.placed(customer)

    assert found == [order["id"] for order in reversed(orders)]


def test_orders_are_filtered_by_the_status_that_clients_see(
    ordering: Ordering, customer: Client
) -> None:
    placed, awaiting, paid = (ordering.placed(customer) for _ in range(3))
    ordering.hear(stock_reserved(awaiting))
    ordering.hear(stock_reserved(paid))
    ordering.hear(payment_confirmed(paid))

    def ids(status: str) -> set[str]:
        items = customer.get("/api/orders", status=status).get_json()["items"]
        return {order["id"] for order in items}

    assert ids("pending") == {placed["id"], awaiting["id"]}
    assert ids("processing") == {paid["id"]}
    assert ids("completed") == set()
    problem(customer.get("/api/orders", status="awaiting_payment"), 422)


@pytest.mark.parametrize("query", [{"cursor": "no"}, {"size": 0}, {"size": 101}, {"size": "x"}])
def test_a_page_that_makes_no_sense_is_refused(customer: Client, query: dict[str, Any]) -> None:
    problem(customer.get("/api/orders", **query), 422)


def test_an_order_travels_from_the_cart_to_the_door(
    ordering: Ordering, customer: Client, staff: Client
) -> None:
    order = ordering.placed(customer)
    ordering.hear(stock_reserved(order))
    assert seen(customer, order) == ("pending", "unpaid")
    ordering.hear(payment_confirmed(order))
    assert seen(customer, order) == ("processing", "paid")

    path = f"/api/admin/orders/{order['id']}"
    shipped = staff.patch(path, SHIPPED, If_Match=etag(staff, order))
    staff.patch(path, {"status": "completed"}, If_Match=shipped.headers["ETag"])

    assert seen(customer, order) == ("completed", "paid")
    assert ordering.told(order) == [
        "order_placed", "order_paid", "order_shipped", "order_completed",
    ]  # fmt: skip
    timeline = customer.get(f"/api/orders/{order['id']}/timeline").get_json()["items"]
    assert [entry["type"] for entry in timeline] == [
        "placed", "stock_reserved", "paid", "processing", "shipped", "completed",
    ]  # fmt: skip
    assert {entry["detail"] for entry in timeline} == {None}
    for_staff = staff.get(f"{path}/timeline").get_json()["items"]
    assert f"staff {staff.user_id}: GIG GIG-1" in [entry["detail"] for entry in for_staff]


def test_staff_see_which_event_led_to_what_and_what_was_told(
    ordering: Ordering, customer: Client, staff: Client
) -> None:
    order = ordering.placed(customer)
    reserved, paid = envelope_of(stock_reserved(order)), envelope_of(payment_confirmed(order))
    for envelope in (reserved, paid):
        message_handler(ordering.deps).handle(encode(envelope), {})

    shown = staff.get(f"/api/admin/orders/{order['id']}/timeline").get_json()

    assert [(entry["type"], entry["cause"]) for entry in shown["items"]] == [
        ("placed", None),
        ("stock_reserved", str(reserved.id)),
        ("paid", str(paid.id)),
        ("processing", str(paid.id)),
    ]
    assert [(event["type"], event["cause"]) for event in shown["events"]] == [
        ("oja.ordering.order_placed.v1", None),
        ("oja.ordering.order_paid.v1", str(paid.id)),
    ]
    assert shown["events"][1]["correlation_id"] == paid.correlationid
    for_customer = customer.get(f"/api/orders/{order['id']}/timeline").get_json()
    assert set(for_customer) == {"items"}
    assert set(for_customer["items"][0]) == {"at", "type", "title", "detail"}


def test_money_before_the_stock_news_waits_for_it(ordering: Ordering, customer: Client) -> None:
    order = ordering.placed(customer)
    ordering.hear(payment_confirmed(order))
    assert seen(customer, order) == ("pending", "paid")

    ordering.hear(stock_reserved(order))

    assert seen(customer, order) == ("processing", "paid")
    assert ordering.told(order) == ["order_placed", "order_paid"]


def test_money_before_the_news_of_no_stock_goes_back(ordering: Ordering, customer: Client) -> None:
    order = ordering.placed(customer)
    ordering.hear(payment_confirmed(order))

    shortage = Shortage(sku=order["items"][0]["sku"], requested=1, available=0)
    ordering.hear(StockRejected(order_id=UUID(order["id"]), shortages=(shortage,), rejected_at=NOW))

    assert seen(customer, order) == ("cancelled", "refund_pending")
    assert ordering.told(order) == ["order_placed", "order_cancelled", "refund_requested"]


def test_money_after_the_deadline_goes_back(ordering: Ordering, customer: Client) -> None:
    order = ordering.placed(customer)
    ordering.hear(stock_reserved(order))
    ordering.hear(payment_failed(order))
    assert seen(customer, order) == ("cancelled", "unpaid")

    for _ in range(2):
        ordering.hear(payment_confirmed(order, "late"))

    assert seen(customer, order) == ("cancelled", "refund_pending")
    assert ordering.told(order) == ["order_placed", "order_cancelled", "refund_requested"]


def test_a_second_payment_goes_back_and_the_first_stays(
    ordering: Ordering, customer: Client
) -> None:
    order = ordering.processing(customer)

    ordering.hear(payment_confirmed(order, "second"))
    ordering.hear(payment_confirmed(order, "second"))

    assert seen(customer, order) == ("processing", "paid")
    assert ordering.told(order) == ["order_placed", "order_paid", "refund_requested"]


def test_customers_cancel_while_nothing_has_left(ordering: Ordering, customer: Client) -> None:
    order = ordering.processing(customer)

    answer = customer.post(f"/api/orders/{order['id']}/cancel")

    assert answer.get_json()["cancel_reason"] == "customer"
    assert seen(customer, order) == ("cancelled", "refund_pending")
    assert ordering.told(order)[2:] == ["order_cancelled", "refund_requested"]


def test_what_has_left_cannot_be_cancelled(
    ordering: Ordering, customer: Client, staff: Client
) -> None:
    order = ordering.processing(customer)
    staff.patch(f"/api/orders/{order['id']}", SHIPPED)

    answer = customer.post(f"/api/orders/{order['id']}/cancel")

    problem(answer, 409, "order_not_cancellable")


def test_staff_must_say_what_they_have_seen(
    ordering: Ordering, customer: Client, staff: Client
) -> None:
    order = ordering.processing(customer)
    path = f"/api/admin/orders/{order['id']}"
    stale = etag(staff, order)

    problem(staff.patch(path, SHIPPED), 428, "precondition_required")
    assert staff.patch(path, SHIPPED, If_Match=stale).status_code == 200
    problem(staff.patch(path, {"status": "completed"}, If_Match=stale), 412, "precondition_failed")

    assert seen(customer, order)[0] == "shipped"


def test_an_etag_changes_with_the_order_and_only_then(
    ordering: Ordering, customer: Client, staff: Client
) -> None:
    order = ordering.processing(customer)
    before = etag(staff, order)
    assert etag(staff, order) == before

    answer = staff.patch(f"/api/admin/orders/{order['id']}", SHIPPED, If_Match=before)

    assert answer.headers["ETag"] == etag(staff, order) != before


@pytest.mark.parametrize("move", [SHIPPED, {"status": "completed"}], ids=["ship", "complete"])
def test_a_move_that_is_not_possible_is_refused(
    ordering: Ordering, customer: Client, staff: Client, move: object
) -> None:
    order = ordering.placed(customer)

    answer = staff.patch(f"/api/admin/orders/{order['id']}", move, If_Match=etag(staff, order))

    problem(answer, 409, "illegal_transition")


def test_staff_cancel_with_a_reason_that_only_staff_see(
    ordering: Ordering, customer: Client, staff: Client
) -> None:
    order = ordering.processing(customer)

    answer = staff.patch(f"/api/orders/{order['id']}", REASON)

    assert answer.get_json()["cancel_reason"] == "staff"
    path = f"orders/{order['id']}/timeline"
    assert REASON["reason"] in staff.get(f"/api/admin/{path}").text
    assert REASON["reason"] not in customer.get(f"/api/{path}").text


@pytest.mark.parametrize(
    "body",
    [
        {"status": "cancelled"},
        {"status": "completed", "tracking": SHIPPED["tracking"]},
        {"status": "processing"},
        {"status": "shipped", "tracking": {"carrier": "GIG"}},
        {"status": "shipped", "tracking": {**dict(carrier="G", number="1"), "url": "javascript:x"}},
        {},
    ],
    ids=str,
)
def test_a_move_must_make_sense(
    ordering: Ordering, customer: Client, staff: Client, body: object
) -> None:
    order = ordering.processing(customer)

    problem(staff.patch(f"/api/orders/{order['id']}", body), 422, "invalid")


def test_customers_are_not_staff(ordering: Ordering, customer: Client) -> None:
    order = ordering.processing(customer)

    problem(customer.get("/api/admin/orders"), 403, "forbidden")
    problem(customer.get(f"/api/admin/orders/{order['id']}"), 403, "forbidden")
    problem(customer.patch(f"/api/orders/{order['id']}", SHIPPED), 403, "forbidden")
    problem(customer.patch(f"/api/admin/orders/{order['id']}", SHIPPED), 403, "forbidden")


def test_staff_see_everybodys_orders(ordering: Ordering, staff: Client) -> None:
    placed = [ordering.placed(ordering.customer()) for _ in range(2)]

    listed = staff.get("/api/admin/orders", size=2).get_json()

    assert {order["id"] for order in listed["items"]} == {order["id"] for order in placed}
    assert listed["next"]
