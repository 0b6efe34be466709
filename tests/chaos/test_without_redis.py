"""Nobody can count while Redis hangs: what may pass uncounted does, what may not waits (S55)."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.test_demo_under_fire import status
from tests.support.shop import Client, Shop, await_answer

SOON = 3.0  # seconds, for a customer who waits for an answer


def test_s55_without_redis_people_browse_and_order_but_nobody_signs_in_or_pays(shop: Shop) -> None:
    ada = shop.customer()
    sku = shop.staff.new_product(stock=1)
    ada.put_in_cart(sku)
    stranger = Client(ada.url)

    with redis_hangs(shop):
        browsing = stranger.get("/api/products", max_price=987_654_321)
        order = ada.check_out()
        refused = [
            stranger.post("/api/auth/login", ada.credentials),
            ada.post("/api/pay", {"order_id": order.json()["id"]}, Idempotency_Key="one"),
        ]

    assert (browsing.status_code, order.status_code) == (200, 201)
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "1"
    slowest = max(each.elapsed.total_seconds() for each in (browsing, order, *refused))
    assert slowest < SOON
    await_answer(lambda: stranger.post("/api/auth/login", ada.credentials), 200)
    await_answer(lambda: ada.start_payment(order.json()["id"]), 201)
    shop.pay(ada, order.json()["id"])
    ada.await_status(order.json()["id"], "processing", "paid")


@contextmanager
def redis_hangs(shop: Shop) -> Iterator[None]:
    [process] = [each for each in status(shop)["processes"] if each["name"] == "redis"]
    group = os.getpgid(process["pid"])
    assert group != os.getpgid(0)
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)
