"""Money becomes true once, whoever hears of it first."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from oja_web.testing import problem
from payments.domain.order import ClosedReason, OrderState
from payments.domain.payment import PaymentStatus
from tests.integration.payments.running import (
    PRICE,
    PaymentsService,
    delivered,
    refuse_to_verify,
    together,
)
from tests.integration.payments.test_webhooks import pay_on_the_page
from tests.integration.sandbox.running import Sandbox
from tests.support.waiting import wait_until

LOCK_PAYMENT = text("SELECT FROM payments WHERE reference = :r FOR UPDATE")


def due_now(payments: PaymentsService, reference: str) -> None:
    payments.sql("UPDATE payments SET next_check_at = now() WHERE reference = :r", r=reference)


def test_a_customer_back_from_the_page_sees_the_truth_though_the_webhook_is_late(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    assert payments.status(order, reference) == "pending"

    pay_on_the_page(sandbox, reference)

    shown = payments.get(f"/api/payments?order_id={order.id}", order.customer_id).json
    assert [item["status"] for item in shown["items"]] == ["succeeded"]
    assert shown["items"][0]["channel"] == "card"
    assert payments.told(order) == ["payment_confirmed"]


def test_s43_webhook_reconciler_and_customer_race_to_one_confirmation(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference)
    body, headers = delivered(sandbox, reference, "charge.success")
    due_now(payments, reference)

    def hear(number: int) -> None:
        if number % 3 == 0:
            payments.webhook(body, headers)
            payments.apply_webhooks()
        elif number % 3 == 1:
            payments.status(order, reference)
        else:
            payments.reconcile()

    together(12, hear)

    assert payments.told(order) == ["payment_confirmed"]


@pytest.mark.parametrize("state", [OrderState.PAYABLE, OrderState.CLOSED])
def test_who_waits_for_a_payment_is_shown_what_became_of_it_meanwhile(
    payments: PaymentsService, state: OrderState
):
    order = payments.order()
    reference = payments.opened(order)

    def look() -> tuple[OrderState, PaymentStatus]:
        with payments.deps.unit_of_work() as uow:
            found, payment = uow.payments.with_order(reference)
            return found.state, payment.status

    with payments.deps.unit_of_work() as uow, ThreadPoolExecutor(1) as waiting:
        found, payment = uow.payments.with_order(reference)
        shown = waiting.submit(look)
        wait_until(payments.somebody_waits_for_a_lock, what="the other to wait")
        if state is OrderState.CLOSED:
            found.close(ClosedReason.CANCELLED)
            uow.orders.save(found)
        payment.abandon()
        uow.payments.save(payment)
        uow.commit()

    assert shown.result(30) == (state, PaymentStatus.ABANDONED)


def test_a_payment_is_locked_after_its_order(payments: PaymentsService):
    reference = payments.opened(payments.order())

    def lock() -> None:
        with payments.deps.unit_of_work() as uow:
            uow.payments.with_order(reference)

    with payments.deps.engine.begin() as other, ThreadPoolExecutor(1) as waiting:
        other.execute(LOCK_PAYMENT, {"r": reference})
        locked = waiting.submit(lock)
        wait_until(payments.somebody_waits_for_a_lock, what="the other to wait")
        with pytest.raises(OperationalError, match="could not obtain lock"):
            payments.sql(
                "SELECT FROM orders JOIN payments USING (order_id)"
                " WHERE reference = :r FOR UPDATE OF orders NOWAIT",
                r=reference,
            )
        other.rollback()
        locked.result(30)


def test_a_customer_sees_what_we_know_while_paystack_is_away(
    payments: PaymentsService, cut_off: PaymentsService
):
    order = payments.order()
    reference = payments.opened(order)

    assert cut_off.status(order, reference) == "pending"


def test_the_reconciler_finds_money_of_which_no_webhook_told(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference)
    due_now(payments, reference)

    payments.reconcile()

    assert payments.told(order) == ["payment_confirmed"]


def test_a_payment_about_which_paystack_refuses_to_answer_holds_up_no_other(
    payments: PaymentsService, sandbox: Sandbox
):
    stuck = payments.opened(payments.order())
    other = payments.order()
    reference = payments.opened(other)
    pay_on_the_page(sandbox, reference)
    for each in (stuck, reference):
        due_now(payments, each)
    refuse_to_verify(sandbox, stuck)

    payments.reconcile()

    assert payments.told(other) == ["payment_confirmed"]


def test_the_reconciler_looks_less_and_less_often_and_then_gives_up(payments: PaymentsService):
    reference = payments.opened(payments.order())
    day, waits = 24 * 60, []
    for _ in range(9):
        due_now(payments, reference)
        payments.reconcile()
        row = payments.sql(
            "SELECT extract(epoch FROM next_check_at - created_at), status"
            " FROM payments WHERE reference = :r",
            r=reference,
        )[0]
        waits.append(None if row[0] is None else round(row[0] / 60))

    assert waits == [3, 10, 30, 2 * 60, day, 3 * day, 7 * day, 30 * day, None]
    assert row.status == "abandoned"


def test_a_look_that_paystack_did_not_answer_is_not_counted(
    payments: PaymentsService, cut_off: PaymentsService
):
    reference = payments.opened(payments.order())
    due_now(payments, reference)

    cut_off.reconcile()

    row = payments.sql(
        "SELECT checks, next_check_at < now() + interval '1 minute' AS soon"
        " FROM payments WHERE reference = :r",
        r=reference,
    )[0]
    assert (row.checks, row.soon) == (0, True)


def test_money_for_a_cancelled_order_is_told_all_the_same(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    payments.cancel(order)
    assert payments.status(order, reference) == "abandoned"

    pay_on_the_page(sandbox, reference)
    payments.webhook(*delivered(sandbox, reference, "charge.success"))
    payments.apply_webhooks()

    assert payments.told(order) == ["payment_confirmed"]
    assert payments.status(order, reference) == "succeeded"


def test_money_on_an_attempt_that_was_declined_first_counts(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    reference = payments.opened(order)
    sandbox.post(f"/_sandbox/paystack/transactions/{reference}/fail")
    assert payments.status(order, reference) == "failed"

    pay_on_the_page(sandbox, reference)
    payments.webhook(*delivered(sandbox, reference, "charge.success"))
    payments.apply_webhooks()

    assert payments.told(order) == ["payment_confirmed"]


def test_every_capture_of_an_order_is_told_under_its_own_reference(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    first = payments.opened(order)
    sandbox.post(f"/_sandbox/paystack/transactions/{first}/fail")
    second = payments.opened(order)
    for reference in (first, second):
        pay_on_the_page(sandbox, reference)
        payments.webhook(*delivered(sandbox, reference, "charge.success"))
        payments.apply_webhooks()

    assert [event["data"]["reference"] for event in payments.events(order)] == [first, second]
    assert [event["sequence"] for event in payments.events(order)] == [1, 2]


@pytest.mark.parametrize("captured", [PRICE - 1, PRICE + 1])
def test_a_capture_of_another_amount_pays_nothing_and_goes_back_by_itself(
    payments: PaymentsService, sandbox: Sandbox, captured: int
):
    order = payments.order()
    reference = payments.opened(order)
    sandbox.post("/_sandbox/faults", provider="paystack", fault="capture_amount", amount=captured)
    pay_on_the_page(sandbox, reference)

    together(4, lambda _: payments.status(order, reference))
    assert payments.status(order, reference) == "refund_pending"
    assert payments.told(order) == []
    assert payments.alerts(reference) == ["charge_mismatch"]

    wait_until(lambda: payments.hurry_refunds() or payments.told(order))
    assert payments.told(order) == ["payment_refunded"]
    assert payments.events(order)[0]["data"]["amount"]["amount"] == captured
    assert sandbox.verified(reference)["status"] == "reversed"
    assert payments.status(order, reference) == "refunded"


def test_after_money_that_did_not_fit_the_order_can_still_be_paid(
    payments: PaymentsService, sandbox: Sandbox
):
    order = payments.order()
    misfit = payments.opened(order)
    sandbox.post("/_sandbox/faults", provider="paystack", fault="capture_amount", amount=1)
    pay_on_the_page(sandbox, misfit)
    payments.status(order, misfit)

    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference)

    assert payments.status(order, reference) == "succeeded"
    assert "payment_confirmed" in payments.told(order)


def test_staff_hear_once_of_money_that_does_not_fit(payments: PaymentsService, sandbox: Sandbox):
    order = payments.order()
    reference = payments.opened(order)
    sandbox.post("/_sandbox/faults", provider="paystack", fault="capture_amount", amount=7)
    pay_on_the_page(sandbox, reference)

    for _ in range(3):
        payments.status(order, reference)

    [alert] = payments.told_about(reference)
    assert (alert["kind"], alert["order_id"]) == ("charge_mismatch", str(order.id))
    assert alert["detail"] == f"amount is 7, not {PRICE}"


def test_payments_are_listed_newest_first_page_by_page(payments: PaymentsService, sandbox: Sandbox):
    order = payments.order()
    for _ in range(3):
        sandbox.post(f"/_sandbox/paystack/transactions/{payments.opened(order)}/fail")

    first = payments.get("/api/payments?size=2&total=true", order.customer_id).json
    rest = payments.get(f"/api/payments?cursor={first['next']}", order.customer_id).json

    shown = [item["reference"] for item in first["items"] + rest["items"]]
    assert shown == [f"{order.number}-{n}".lower() for n in (3, 2, 1)]
    assert (first["total"], rest["next"]) == (3, None)


def test_somebody_elses_payment_does_not_exist(payments: PaymentsService):
    order, other = payments.order(), payments.order()
    reference = payments.opened(order)

    problem(payments.get(f"/api/payments/{reference}", other.customer_id), 404, "not_found")
    listed = payments.get(f"/api/payments?order_id={order.id}", other.customer_id).json
    assert listed["items"] == []


def test_staff_need_the_permission_to_see_all_payments(payments: PaymentsService):
    order, staff = payments.order(), payments.order().customer_id
    path = f"/api/admin/payments/{payments.opened(order)}"

    problem(payments.get(path, staff), 403, "forbidden")
    assert payments.get(path, staff, "payments:read").json["order_id"] == str(order.id)
    listed = payments.get(f"/api/admin/payments?order_id={order.id}", staff, "payments:read")
    assert len(listed.json["items"]) == 1
