"""A customer who is signed in can order while everything but ordering and Postgres hangs."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.chaos.test_demo_under_fire import status
from tests.support.shop import Shop, await_answer

NEEDED = ("ordering-", "postgres", "gateway", "guardian", "sandbox")
SOON = 3.0  # seconds; a time-out somewhere on the way would take longer


def test_checkout_needs_ordering_and_postgres_and_nothing_else(shop: Shop) -> None:
    ada = shop.customer()
    sku = shop.staff.new_product(stock=1)
    ada.put_in_cart(sku)

    with frozen(shop) as names:
        assert {"rabbitmq", "redis", "identity-http-1", "catalog-consumer-1"} <= set(names)
        answers = [
            ada.get("/api/cart"),
            ada.check_out(),
            ada.get("/api/orders"),
        ]

    assert [answer.status_code for answer in answers] == [200, 201, 200]
    assert max(answer.elapsed.total_seconds() for answer in answers) < SOON
    order = answers[1].json()
    assert [each["id"] for each in answers[2].json()["items"]] == [order["id"]]
    # What was told meanwhile arrives now, so that the order goes its way.
    await_answer(lambda: ada.start_payment(order["id"]), 201)
    shop.pay(ada, order["id"])
    ada.await_status(order["id"], "processing", "paid")


@contextmanager
def frozen(shop: Shop) -> Iterator[list[str]]:
    """Stop the others in the middle of whatever they do: to those who ask them this is worse than
    death, for nothing is refused. Gives their names."""
    others = [p for p in status(shop)["processes"] if not p["name"].startswith(NEEDED)]
    groups = {p["name"]: os.getpgid(p["pid"]) for p in others}
    assert os.getpgid(0) not in groups.values()
    try:
        for group in groups.values():
            os.killpg(group, signal.SIGSTOP)
        yield list(groups)
    finally:
        for group in groups.values():
            os.killpg(group, signal.SIGCONT)
