"""Whole journeys through the gateway, on five services, a real broker and a real database."""

from uuid import uuid4

from tests.support.shop import ADDRESS, Shop, await_answer
from tests.support.waiting import wait_until


def test_an_order_is_paid_shipped_and_completed_and_each_step_is_mailed_once(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=5)
    ada = shop.customer()

    order = ada.buy(sku, 2)
    shop.pay(ada, order["id"])
    ada.await_status(order["id"], "processing", "paid")
    shop.staff.move(order["id"], status="shipped", tracking={"carrier": "GIG", "number": "1"})
    shop.staff.move(order["id"], status="completed")

    assert ada.order(order["id"])["status"] == "completed"
    wait_until(lambda: shop.staff.stock(sku)["on_hand"] == 3)
    assert shop.staff.stock(sku)["reserved"] == 0
    shop.await_mails(
        ada.email,
        "order_received",
        "payment_confirmed",
        "order_shipped",
        "order_completed",
    )
    titles = [e["type"] for e in ada.get(f"/api/orders/{order['id']}/timeline").json()["items"]]
    assert titles == ["placed", "stock_reserved", "paid", "processing", "shipped", "completed"]


def test_buying_more_than_there_is_ends_in_a_cancelled_order_without_a_charge(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=2)
    ada = shop.customer()

    order = ada.buy(sku, 3)

    cancelled = ada.await_status(order["id"], "cancelled", "unpaid")
    assert cancelled["cancel_reason"] == "out_of_stock"
    stock = shop.staff.stock(sku)
    assert (stock["on_hand"], stock["reserved"], stock["available"]) == (2, 0, 2)
    refused = ada.await_payment(order["id"])
    assert (refused.status_code, refused.json()["code"]) == (409, "order_not_payable")
    assert not charges(shop, order["id"])
    shop.await_mails(ada.email, "order_received", "order_cancelled")


def test_a_cancelled_order_gives_stock_and_money_back(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=1)
    ada = shop.customer()
    order = ada.buy(sku)
    shop.pay(ada, order["id"])
    ada.await_status(order["id"], "processing", "paid")

    answer = ada.post(f"/api/orders/{order['id']}/cancel")

    assert answer.status_code == 200
    ada.await_status(order["id"], "cancelled", "refunded")
    wait_until(lambda: shop.staff.stock(sku)["available"] == 1)
    (charge,) = charges(shop, order["id"])
    refunds = shop.control("GET", "/paystack/refunds")["items"]
    assert [r["amount"] for r in refunds if r["transaction_reference"] == charge["reference"]] == [
        order["total"]["amount"]
    ]
    shop.await_mails(
        ada.email,
        "order_received",
        "payment_confirmed",
        "order_cancelled",
        "refund_done",
    )


def test_a_low_stock_is_told_to_staff_once(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=3, threshold=2)
    ada = shop.customer()

    ada.buy(sku, 1)
    ada.buy(sku, 1)

    def alerts() -> list[object]:
        items = shop.staff.get("/api/admin/alerts").json()["items"]
        return [item for item in items if sku in str(item)]

    wait_until(alerts)
    wait_until(lambda: shop.staff.stock(sku)["available"] == 1)
    assert len(alerts()) == 1


def test_a_sold_out_product_is_refused_at_checkout(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=1)
    ada, ben = shop.customer(), shop.customer()
    ada.buy(sku)
    ben.put_in_cart(sku)

    # Ordering hears of it a moment after the reservation; an order placed in between is cancelled.
    wait_until(lambda: ben.get("/api/cart").json()["problems"] == ["insufficient_stock"])
    refused = ben.check_out()

    assert refused.status_code == 409
    assert refused.json()["code"] == "out_of_stock"
    assert sku in refused.json()["errors"]


def charges(shop: Shop, order_id: str) -> list[dict[str, object]]:
    """What Paystack's own books have of this order."""
    found = shop.control("GET", "/paystack/transactions")["items"]
    return [
        item
        for item in found
        if order_id in str(item["metadata"]) and item["status"] != "abandoned"
    ]


def test_an_order_goes_to_an_address_that_the_account_keeps(shop: Shop) -> None:
    ada = shop.customer()
    address = ADDRESS | {"line1": f"{uuid4().hex} Street"}
    saved = ada.post("/api/auth/me/addresses", address).json()["id"]
    ada.put_in_cart(shop.staff.new_product(stock=1))

    # The news takes a moment from identity to ordering, and LIMIT_CHECKOUT counts every try.
    answer = await_answer(
        lambda: ada.post("/api/checkout", {"address_id": saved}, Idempotency_Key=uuid4().hex),
        201,
        pause=1,
    )

    assert answer.json()["shipping_address"].items() >= address.items()
