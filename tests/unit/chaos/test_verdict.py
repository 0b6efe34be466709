"""The nemesis sees what is wrong, and nothing else."""

from typing import Any

from tests.chaos.nemesis.customers import Purchase
from tests.chaos.nemesis.verdict import (
    Order,
    Verdict,
    judge_mails,
    judge_money,
    judge_orders,
    judge_stock,
)

ADA = "ada@example.com"


def purchase(**changes: Any) -> Purchase:
    return Purchase(**{"email": ADA, "want": "keep", "order_id": "1", "paid": True} | changes)


def order(**changes: Any) -> Order:
    fields = {
        "id": "1",
        "email": ADA,
        "status": "processing",
        "payment_status": "paid",
        "total": 900,
        "lines": [{"sku": "A", "quantity": 2}],
    }
    return Order(**fields | changes)


CANCELLED = {"status": "cancelled", "payment_status": "refunded"}
UNPAID = {"status": "cancelled", "payment_status": "unpaid"}


def after_orders(purchases: list[Purchase], orders: list[Order]) -> Verdict:
    verdict = Verdict()
    judge_orders(purchases, orders, verdict)
    return verdict


def test_an_order_that_is_there_once_and_paid_is_well() -> None:
    verdict = after_orders([purchase()], [order()])

    assert (verdict.placed, verdict.faults) == (1, {})


def test_an_order_that_was_promised_and_is_not_there_is_lost() -> None:
    verdict = after_orders([purchase()], [])

    assert verdict.faults == {"lost": [f"{ADA}: 1"]}


def test_a_second_order_of_one_checkout_is_doubled() -> None:
    verdict = after_orders([purchase()], [order(), order(id="2")])

    assert list(verdict.faults) == ["doubled"]


def test_of_a_checkout_without_an_answer_there_may_be_an_order_or_none() -> None:
    unknown = purchase(order_id=None, paid=False)

    assert after_orders([unknown], []).faults == {}
    assert after_orders([unknown], [order(**UNPAID)]).faults == {}


def test_an_order_that_waits_for_ever_is_undecided() -> None:
    waiting = order(status="pending", payment_status="unpaid")

    assert list(after_orders([purchase(paid=False)], [waiting]).faults) == ["undecided"]


def test_what_customers_were_told_must_be_so() -> None:
    told = [purchase(cancelled=True), purchase(refund_asked=True)]

    for each in told:
        assert list(after_orders([each], [order()]).faults) == ["promises"]
        assert after_orders([each], [order(**CANCELLED)]).faults == {}
    assert list(after_orders([purchase()], [order(**UNPAID)]).faults) == ["promises"]


def books(*captured: int, back: int = 0) -> dict[str, Any]:
    paid = [
        {"reference": f"r{n}", "status": "success", "amount": sum_, "metadata": {"order_id": "1"}}
        for n, sum_ in enumerate(captured)
    ]
    abandoned = {"reference": "x", "status": "abandoned", "amount": 1, "metadata": ""}
    refunds = [{"status": "processed", "amount": back, "transaction_reference": "r0"}]
    return {"transactions": [*paid, abandoned], "refunds": refunds if back else []}


def money(sold: Order, there: dict[str, Any]) -> list[str]:
    verdict = Verdict()
    judge_money([sold], there, verdict)
    return verdict.money


def test_paystack_has_the_money_of_what_was_sold_once() -> None:
    assert money(order(), books(900)) == []
    assert money(order(), books(900, 900, back=900)) == []
    assert money(order(), books(900, 900)) == ["order 1: Paystack has 1800, due is 900"]
    assert money(order(), books()) == ["order 1: Paystack has 0, due is 900"]


def test_paystack_has_no_money_of_what_was_cancelled() -> None:
    assert money(order(**CANCELLED), books(900, back=900)) == []
    assert money(order(**CANCELLED), books(900)) == ["order 1: Paystack has 900, due is 0"]


def stock(on_hand: int, reserved: int) -> list[str]:
    verdict = Verdict()
    levels = {"A": {"on_hand": on_hand, "reserved": reserved}}
    judge_stock([order(), order(id="2", **UNPAID)], levels, 10, verdict)
    return verdict.stock


def test_what_was_sold_is_gone_and_nothing_is_held() -> None:
    assert stock(8, 0) == []
    assert stock(6, 0) == ["A: (6, 0) on hand and reserved, should be (8, 0)"]
    assert stock(8, 2) == ["A: (8, 2) on hand and reserved, should be (8, 0)"]


def mails(*received: str) -> Verdict:
    verdict = Verdict()
    judge_mails([order()], {ADA: [f"<{each}@oja.example>" for each in received]}, verdict)
    return verdict


ALL = ("1.welcome", "2.verify_email", "3.order_received", "4.payment_confirmed")


def test_each_mail_is_there_once() -> None:
    assert mails(*ALL).faults == {}
    assert mails(*ALL[:3]).mails == [f"{ADA}: no payment_confirmed"]
    assert mails(*ALL, "5.payment_confirmed").mails == [f"{ADA}: 2 times payment_confirmed"]


def test_the_same_mail_again_is_counted_and_no_fault() -> None:
    verdict = mails(*ALL, ALL[0])

    assert (verdict.mails, len(verdict.repeated)) == ([], 1)
