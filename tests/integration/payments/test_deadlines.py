"""Orders that were not paid in time."""

from datetime import timedelta

from oja_web.testing import problem
from tests.integration.payments.running import (
    PaymentsService,
    PlacedOrder,
    refuse_to_verify,
    together,
)
from tests.integration.payments.test_webhooks import pay_on_the_page
from tests.integration.sandbox.running import Sandbox


def pass_time(payments: PaymentsService, order: PlacedOrder) -> None:
    """Let the time to pay be over."""
    payments.sql(
        "UPDATE orders SET pay_before = now() - interval '1 second',"
        " next_look_at = now() - interval '1 second' WHERE order_id = :id",
        id=order.id,
    )


def look_again(payments: PaymentsService, order: PlacedOrder) -> None:
    payments.sql("UPDATE orders SET next_look_at = now() WHERE order_id = :id", id=order.id)


def test_an_order_that_nobody_paid_fails_once_when_its_time_is_over(payments: PaymentsService):
    order = payments.order()
    reference = payments.opened(order)
    pass_time(payments, order)

    together(5, lambda _: payments.sweep())

    assert payments.told(order) == ["payment_failed"]
    assert payments.events(order)[0]["data"]["reason"] == "expired"
    assert payments.references(order) == {reference: "abandoned"}
    problem(payments.pay(order), 409, "order_not_payable")


def test_an_order_is_left_alone_before_its_time(payments: PaymentsService):
    order = payments.order(window=timedelta(minutes=1))

    payments.sweep()

    assert payments.told(order) == []


def test_an_order_without_stock_news_fails_when_its_time_is_over(payments: PaymentsService):
    order = payments.order(reserved=False)
    pass_time(payments, order)

    payments.sweep()

    assert payments.told(order) == ["payment_failed"]


def test_money_that_came_in_time_is_found_at_the_deadline(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    pay_on_the_page(sandbox, payments.opened(order))
    pass_time(payments, order)

    payments.sweep()

    assert payments.told(order) == ["payment_confirmed"]


def test_money_on_an_earlier_attempt_is_found_at_the_deadline(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    first = payments.opened(order)
    sandbox.post(f"/_sandbox/paystack/transactions/{first}/fail")
    payments.opened(order)
    pay_on_the_page(sandbox, first)
    pass_time(payments, order)

    payments.sweep()

    assert payments.told(order) == ["payment_confirmed"]


def test_the_deadline_waits_while_paystack_is_away(
    payments: PaymentsService, cut_off: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    pass_time(payments, order)

    cut_off.sweep()
    look_again(payments, order)
    cut_off.sweep()

    assert payments.told(order) == []
    pay_on_the_page(sandbox, reference)
    look_again(payments, order)
    payments.sweep()
    assert payments.told(order) == ["payment_confirmed"]


def test_an_order_about_which_paystack_refuses_to_answer_holds_up_no_other(
    payments: PaymentsService, sandbox: Sandbox
):
    stuck, *others = [payments.order() for _ in range(3)]
    reference = payments.opened(stuck)
    for order in (stuck, *others):
        pass_time(payments, order)
    refuse_to_verify(sandbox, reference)

    payments.sweep()

    assert payments.status(stuck, reference) == "pending"
    assert [payments.told(order) for order in (stuck, *others)] == [
        [],
        ["payment_failed"],
        ["payment_failed"],
    ]


def test_the_deadline_of_an_order_without_payments_needs_no_paystack(cut_off: PaymentsService):
    order = cut_off.order()
    pass_time(cut_off, order)

    cut_off.sweep()

    assert cut_off.told(order) == ["payment_failed"]


def test_a_cancelled_order_is_not_told_to_have_expired_as_well(payments: PaymentsService):
    order = payments.order()
    payments.cancel(order)
    pass_time(payments, order)

    payments.sweep()

    assert payments.told(order) == []


def test_s43_money_after_the_deadline_is_told_so_that_it_can_go_back(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    pass_time(payments, order)
    payments.sweep()

    pay_on_the_page(sandbox, reference)
    payments.sql("UPDATE payments SET next_check_at = now() WHERE reference = :r", r=reference)
    payments.reconcile()

    assert payments.told(order) == ["payment_failed", "payment_confirmed"]
