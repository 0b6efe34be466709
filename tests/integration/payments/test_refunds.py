"""Money that goes back."""

from typing import Any

from oja_web.testing import problem
from tests.integration.payments.running import (
    PRICE,
    PaymentsService,
    PlacedOrder,
    delivered,
    together,
)
from tests.integration.payments.test_webhooks import pay_on_the_page
from tests.integration.sandbox.running import Sandbox
from tests.support.waiting import wait_until

REFUND_FAILS = "4084080000671803"
NEEDS_ATTENTION = "4084080000671902"


def money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "NGN"}


def paid(payments: PaymentsService, sandbox: Sandbox, **how: Any) -> tuple[PlacedOrder, str]:
    order = payments.order()
    reference = payments.opened(order)
    pay_on_the_page(sandbox, reference, **how)
    assert payments.status(order, reference) == "succeeded"
    return order, reference


def at_paystack(sandbox: Sandbox, reference: str) -> list[dict[str, Any]]:
    items = sandbox.get("/_sandbox/paystack/refunds")["items"]
    return [item for item in items if item["transaction_reference"] == reference]


def look_now(payments: PaymentsService, reference: str) -> None:
    payments.sql(
        "UPDATE refunds SET next_look_at = now() WHERE reference = :r AND next_look_at IS NOT NULL",
        r=reference,
    )
    payments.advance_refunds()


def ended(payments: PaymentsService, sandbox: Sandbox, reference: str, how: str) -> None:
    """Wait until Paystack has come to its end with the refund, then look."""
    wait_until(lambda: all(item["status"] == how for item in at_paystack(sandbox, reference)))
    look_now(payments, reference)


def test_a_refund_that_ordering_asks_for_is_told_when_the_money_is_back(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference = paid(payments, sandbox)
    payments.ask_refund(order, reference)
    assert payments.status(order, reference) == "refund_pending"

    payments.advance_refunds()
    ended(payments, sandbox, reference, "processed")
    look_now(payments, reference)

    assert payments.told(order) == ["payment_confirmed", "payment_refunded"]
    assert payments.events(order)[1]["data"]["amount"] == money(PRICE)
    assert payments.status(order, reference) == "refunded"
    assert [item["amount"] for item in at_paystack(sandbox, reference)] == [PRICE]


def test_the_refund_webhook_makes_us_look_at_once(payments: PaymentsService, sandbox: Sandbox):
    order, reference = paid(payments, sandbox)
    payments.ask_refund(order, reference)
    payments.advance_refunds()
    wait_until(lambda: at_paystack(sandbox, reference)[0]["status"] == "processed")

    payments.advance_refunds()  # not due for seconds
    assert payments.told(order) == ["payment_confirmed"]
    payments.webhook(*delivered(sandbox, reference, "refund.processed"))
    payments.apply_webhooks()
    payments.advance_refunds()

    assert payments.told(order) == ["payment_confirmed", "payment_refunded"]


def test_asking_ten_times_sends_the_money_back_once(payments: PaymentsService, sandbox: Sandbox):
    order, reference = paid(payments, sandbox)

    together(10, lambda _: payments.ask_refund(order, reference))
    together(5, lambda _: payments.advance_refunds())

    assert len(at_paystack(sandbox, reference)) == 1


def test_a_refund_whose_answer_got_lost_is_found_and_not_asked_for_again(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference = paid(payments, sandbox)
    answer = payments.refund(reference, amount=money(100))
    sandbox.post(
        "/_sandbox/faults",
        provider="paystack",
        fault="drop_answer",
        path="/refund",
        method="POST",
    )

    payments.advance_refunds()
    assert len(at_paystack(sandbox, reference)) == 1
    ended(payments, sandbox, reference, "processed")

    assert len(at_paystack(sandbox, reference)) == 1
    assert payments.told(order) == ["payment_confirmed", "payment_refunded"]
    assert payments.events(order)[1]["data"]["refund_id"] == answer.json["id"]


def test_a_refund_that_never_arrived_is_asked_for_again(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference = paid(payments, sandbox)
    payments.ask_refund(order, reference)
    sandbox.post("/_sandbox/faults", provider="paystack", fault="error", path="/refund")

    payments.advance_refunds()
    assert at_paystack(sandbox, reference) == []
    look_now(payments, reference)
    ended(payments, sandbox, reference, "processed")

    assert payments.told(order) == ["payment_confirmed", "payment_refunded"]


def test_a_refund_that_paystack_does_not_want_to_show_goes_on(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference = paid(payments, sandbox)
    payments.ask_refund(order, reference)
    payments.advance_refunds()
    sandbox.post(
        "/_sandbox/faults",
        provider="paystack",
        fault="error",
        status=400,
        method="GET",
        path="/refund/",
    )

    look_now(payments, reference)
    assert payments.told(order) == ["payment_confirmed"]
    ended(payments, sandbox, reference, "processed")

    assert payments.told(order) == ["payment_confirmed", "payment_refunded"]


def test_a_refund_that_paystack_cannot_do_is_told_once_and_may_be_tried_again(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference = paid(payments, sandbox, card=REFUND_FAILS)
    payments.ask_refund(order, reference)

    payments.advance_refunds()
    ended(payments, sandbox, reference, "failed")
    look_now(payments, reference)

    assert payments.told(order) == ["payment_confirmed", "refund_failed"]
    assert payments.status(order, reference) == "succeeded"
    assert payments.refund(reference).status_code == 201


def test_a_refund_that_needs_attention_is_an_alert_and_stays_open(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference = paid(payments, sandbox, card=NEEDS_ATTENTION)
    refund_id = payments.refund(reference).json["id"]

    payments.advance_refunds()
    ended(payments, sandbox, reference, "needs-attention")

    assert payments.alerts(refund_id) == ["refund_needs_attention"]
    assert payments.status(order, reference) == "refund_pending"


def test_a_refund_that_is_open_for_a_day_is_an_alert_once(
    payments: PaymentsService, sandbox: Sandbox
):
    _, reference = paid(payments, sandbox, card=NEEDS_ATTENTION)
    refund_id = payments.refund(reference).json["id"]
    payments.sql(
        "UPDATE refunds SET requested_at = requested_at - interval '24 hours' WHERE id = :id",
        id=refund_id,
    )

    for _ in range(2):
        look_now(payments, reference)

    kinds = [each["kind"] for each in payments.told_about(refund_id)]
    assert kinds.count("refund_overdue") == 1


def test_staff_send_back_a_part_and_then_the_rest_and_never_more(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference = paid(payments, sandbox)

    part = payments.refund(reference, amount=money(100_000))
    payments.advance_refunds()
    ended(payments, sandbox, reference, "processed")

    assert part.status_code == 201
    assert part.json["status"] == "pending"
    assert payments.status(order, reference) == "partially_refunded"
    too_much = payments.refund(reference, amount=money(PRICE - 100_000 + 1))
    problem(too_much, 409, "refund_exceeds_payment")
    rest = payments.refund(reference)
    assert rest.json["amount"] == money(PRICE - 100_000)
    payments.advance_refunds()
    ended(payments, sandbox, reference, "processed")
    assert payments.status(order, reference) == "refunded"
    problem(payments.refund(reference), 409, "refund_exceeds_payment")


def test_s39_parallel_refunds_never_exceed_what_was_paid(
    payments: PaymentsService, sandbox: Sandbox
):
    _, reference = paid(payments, sandbox)

    answers = together(8, lambda _: payments.refund(reference, amount=money(PRICE // 2)))

    assert sorted(answer.status_code for answer in answers) == [201] * 2 + [409] * 6


def test_the_same_key_refunds_once(payments: PaymentsService, sandbox: Sandbox):
    _, reference = paid(payments, sandbox)

    first = payments.refund(reference, key=reference, amount=money(100))
    again = payments.refund(reference, key=reference, amount=money(100))

    assert again.json == first.json
    assert len(payments.sql("SELECT 1 FROM refunds WHERE reference = :r", r=reference)) == 1


def test_a_cancelled_order_gets_back_what_staff_has_left(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference = paid(payments, sandbox)
    payments.refund(reference, amount=money(100_000))
    payments.ask_refund(order, reference)

    payments.advance_refunds()

    amounts = sorted(item["amount"] for item in at_paystack(sandbox, reference))
    assert amounts == [100_000, PRICE - 100_000]


def test_ordering_hears_that_staff_had_sent_all_of_it_back_already(
    payments: PaymentsService, sandbox: Sandbox
):
    order, reference = paid(payments, sandbox)
    payments.refund(reference)
    payments.advance_refunds()
    ended(payments, sandbox, reference, "processed")

    payments.ask_refund(order, reference)

    told = payments.events(order)
    assert payments.told(order) == ["payment_confirmed", "payment_refunded", "payment_refunded"]
    assert told[1]["data"] == told[2]["data"]


def test_what_was_not_paid_cannot_go_back(payments: PaymentsService):
    reference = payments.opened(payments.order())

    problem(payments.refund(reference), 409, "payment_not_refundable")


def test_a_refund_of_nothing_or_in_other_money_is_refused(
    payments: PaymentsService, sandbox: Sandbox
):
    _, reference = paid(payments, sandbox)

    problem(payments.refund(reference, amount=money(0)), 422)
    other = {"amount": 100, "currency": "GHS"}
    refused = problem(payments.refund(reference, amount=other), 422)
    assert refused["errors"] == {"amount.currency": ["Must be NGN."]}


def test_a_refund_needs_the_permission(payments: PaymentsService):
    order = payments.order()
    reference = payments.opened(order)
    headers = payments.signed_in(order.customer_id, "payments:read")

    answer = payments.app.test_client().post(
        f"/api/admin/payments/{reference}/refunds",
        json={"reason": "please"},
        headers={**headers, "Idempotency-Key": "k"},
    )

    problem(answer, 403, "forbidden")
